package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.diffusion.scheduler.SchedulerSettings.Choice;
import io.tome4j.tensor.TomeException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Finds a scheduler by a checkpoint's config, or by name. A new scheduler is a class and a line of the table. */
public final class Schedulers {
    private static final Set<Choice> SPACED = Set.of(Choice.SPACING);
    private static final Set<Choice> TYPED = Set.of(Choice.SPACING, Choice.TYPE);
    private static final Set<Choice> LISTED = Set.of(Choice.SPACING, Choice.TYPE, Choice.TIMESTEPS);

    /**
     * One line of the table.
     *
     * @param name what users call it
     * @param className what diffusers calls it; empty if it is a setting of another one
     * @param title what A1111's web UI calls it
     * @param choices what of its steps may be chosen
     * @param factory makes it from a config
     */
    private record Entry(
            String name, String className, String title, Set<Choice> choices, Function<Config, Scheduler> factory) {
        /** How one of its name spaces noise levels in any case. */
        ScheduleType fixed() {
            return name.endsWith(KARRAS) ? ScheduleType.KARRAS : ScheduleType.AUTO;
        }
    }

    private static final String KARRAS = "_karras";

    private static final List<Entry> ALL = List.of(
            new Entry("pndm", "PNDMScheduler", "PLMS", SPACED, PndmScheduler::new),
            new Entry("ddim", "DDIMScheduler", "DDIM", SPACED, DdimScheduler::new),
            new Entry(
                    "euler",
                    "EulerDiscreteScheduler",
                    "Euler",
                    Set.of(Choice.SPACING, Choice.TYPE, Choice.TIMESTEPS, Choice.SIGMAS),
                    EulerScheduler::new),
            new Entry("euler_a", "EulerAncestralDiscreteScheduler", "Euler a", SPACED, EulerAncestralScheduler::new),
            new Entry("dpmpp_2m", "DPMSolverMultistepScheduler", "DPM++ 2M", LISTED, DpmSolverScheduler::new),
            new Entry("dpmpp_2m_karras", "", "DPM++ 2M Karras", LISTED, karras(DpmSolverScheduler::new)),
            dpmSolver("dpmpp_2m_sde", "DPM++ 2M SDE", 2, false),
            dpmSolver("dpmpp_2m_sde_karras", "DPM++ 2M SDE Karras", 2, true),
            dpmSolver("dpmpp_3m_sde", "DPM++ 3M SDE", 3, false),
            dpmSolver("dpmpp_3m_sde_karras", "DPM++ 3M SDE Karras", 3, true),
            new Entry("dpmpp_sde", "DPMSolverSDEScheduler", "DPM++ SDE", TYPED, DpmSdeScheduler::new),
            new Entry("dpmpp_sde_karras", "", "DPM++ SDE Karras", TYPED, karras(DpmSdeScheduler::new)),
            new Entry(
                    "dpmpp_2s",
                    "DPMSolverSinglestepScheduler",
                    "DPM++ 2S",
                    Set.of(Choice.TYPE, Choice.TIMESTEPS),
                    DpmSingleScheduler::new),
            new Entry("dpm2", "KDPM2DiscreteScheduler", "DPM2", TYPED, config -> new Kdpm2Scheduler(config, false)),
            new Entry(
                    "dpm2_a",
                    "KDPM2AncestralDiscreteScheduler",
                    "DPM2 a",
                    TYPED,
                    config -> new Kdpm2Scheduler(config, true)),
            new Entry("deis", "DEISMultistepScheduler", "DEIS", TYPED, DeisScheduler::new),
            new Entry("lms", "LMSDiscreteScheduler", "LMS", TYPED, LmsScheduler::new),
            new Entry("heun", "HeunDiscreteScheduler", "Heun", LISTED, HeunScheduler::new),
            new Entry("unipc", "UniPCMultistepScheduler", "UniPC", TYPED, UniPcScheduler::new),
            new Entry("lcm", "LCMScheduler", "LCM", Set.of(Choice.TIMESTEPS), LcmScheduler::new),
            new Entry("tcd", "TCDScheduler", "TCD", Set.of(Choice.TIMESTEPS), TcdScheduler::new),
            new Entry("edm_euler", "EDMEulerScheduler", "EDM Euler", Set.of(Choice.EDM_TYPE), EdmEulerScheduler::new),
            new Entry(
                    "edm_dpmpp_2m",
                    "EDMDPMSolverMultistepScheduler",
                    "EDM DPM++ 2M",
                    Set.of(Choice.EDM_TYPE),
                    EdmDpmSolverScheduler::new));

    /**
     * The keys that diffusers' schedulers for Stable Diffusion have between them. Configs are handed from one to another,
     * so each may hold keys that mean something only to the others.
     */
    private static final String[] KEYS_OF_ANY = {
        "algorithm_type",
        "beta_end",
        "beta_schedule",
        "beta_start",
        "clip_sample",
        "clip_sample_range",
        "disable_corrector",
        "dynamic_thresholding_ratio",
        "euler_at_final",
        "final_sigmas_type",
        "flow_shift",
        "interpolation_type",
        "lambda_min_clipped",
        "lower_order_final",
        "noise_sampler_seed",
        "num_train_timesteps",
        "original_inference_steps",
        "predict_x0",
        "prediction_type",
        "rescale_betas_zero_snr",
        "rho",
        "sample_max_value",
        "set_alpha_to_one",
        "shift_terminal",
        "sigma_data",
        "sigma_max",
        "sigma_min",
        "sigma_schedule",
        "skip_prk_steps",
        "solver_order",
        "solver_p",
        "solver_type",
        "steps_offset",
        "tensor_format", // of diffusers 0.2 to 0.5
        "thresholding",
        "time_shift_type",
        "timestep_scaling",
        "timestep_spacing",
        "timestep_type",
        "trained_betas",
        "use_beta_sigmas",
        "use_dynamic_shifting",
        "use_exponential_sigmas",
        "use_flow_sigmas",
        "use_karras_sigmas",
        "use_lu_lambdas",
        "variance_type"
    };

    private Schedulers() {}

    /** DPM-Solver++ with fresh noise in each step. */
    private static Entry dpmSolver(String name, String title, int order, boolean karras) {
        Function<Config, Scheduler> factory = config -> new DpmSolverScheduler(
                config.with("algorithm_type", "sde-dpmsolver++").with("solver_order", order));
        return new Entry(name, "", title, LISTED, karras ? karras(factory) : factory);
    }

    private static Function<Config, Scheduler> karras(Function<Config, Scheduler> factory) {
        return config -> factory.apply(config.with("use_karras_sigmas", true));
    }

    /**
     * The scheduler that a checkpoint's {@code scheduler_config.json} asks for by its {@code _class_name}.
     *
     * @throws TomeException if the class, a key or a value is not supported; the message names it
     */
    public static Scheduler fromConfig(Config config) {
        return ofClass(config.text("_class_name"), config, SchedulerSettings.CHECKPOINTS_OWN);
    }

    /**
     * The scheduler of a class, over a config that another class may have written.
     *
     * @param className as diffusers has it, such as {@code PNDMScheduler}
     * @throws TomeException as for {@link #fromConfig}
     */
    public static Scheduler ofClass(String className, Config config) {
        return ofClass(className, config, SchedulerSettings.CHECKPOINTS_OWN);
    }

    /**
     * As {@link #ofClass(String, Config)}, with settings that go before the config.
     *
     * @param settings what goes before the config
     * @throws TomeException as for {@link #fromConfig}
     * @throws io.tome4j.tensor.OptionException if the class has no such setting
     */
    public static Scheduler ofClass(String className, Config config, SchedulerSettings settings) {
        return ALL.stream()
                .filter(entry ->
                        !entry.className().isEmpty() && entry.className().equals(className))
                .findFirst()
                .map(entry -> build(entry, config, settings))
                .orElseThrow(
                        () -> new TomeException("Unsupported in " + config.origin() + ": the scheduler '" + className
                                + "'; supported: "
                                + ALL.stream()
                                        .map(Entry::className)
                                        .filter(known -> !known.isEmpty())
                                        .collect(Collectors.joining(", "))
                                + ". Choose another one by name: " + String.join(", ", names()) + "."));
    }

    /**
     * Another scheduler over a checkpoint's own noise schedule. Settings that it shares with the checkpoint's scheduler
     * (betas, prediction type, timestep spacing ...) are taken over, the rest have the defaults of its class, and
     * settings that only other schedulers know are passed over: as diffusers' {@code from_config} does.
     *
     * @param name one of {@link #names()}
     * @param checkpointConfig the checkpoint's {@code scheduler_config.json}
     * @throws TomeException if the name is unknown (the message lists the known ones) or a value is not supported
     */
    public static Scheduler named(String name, Config checkpointConfig) {
        return named(name, checkpointConfig, SchedulerSettings.CHECKPOINTS_OWN);
    }

    /**
     * As {@link #named(String, Config)}, with settings that go before the config.
     *
     * @throws io.tome4j.tensor.OptionException if the scheduler has no such setting; it says which have
     */
    public static Scheduler named(String name, Config checkpointConfig, SchedulerSettings settings) {
        return find(name)
                .map(entry -> build(entry, checkpointConfig, settings))
                .orElseThrow(() -> new TomeException(
                        "Unknown scheduler '" + name + "'; the known ones are " + String.join(", ", names()) + "."));
    }

    /**
     * Checks what all schedulers read, so that it can be said before there is one: noise schedule, unknown keys.
     *
     * @throws TomeException if no scheduler could be made from a config
     */
    public static void requireUsable(Config config) {
        config.ignore(KEYS_OF_ANY);
        config.requireAllRead();
        NoiseSchedule.read(config);
    }

    /** The names of all schedulers, in the order to show them. */
    public static List<String> names() {
        return ALL.stream().map(Entry::name).toList();
    }

    /** What A1111's web UI calls a scheduler; the name itself if there is none of that name. */
    public static String title(String name) {
        return find(name).map(Entry::title).orElse(name);
    }

    private static Optional<Entry> find(String name) {
        return ALL.stream().filter(entry -> entry.name().equals(name)).findFirst();
    }

    /**
     * The names of those that let an option of their steps be chosen.
     *
     * @param option {@code schedule_type}, {@code timestep_spacing}, {@code timesteps} or {@code sigmas}
     */
    public static List<String> choosing(String option) {
        Set<Choice> wanted =
                switch (option) {
                    case "schedule_type" -> Set.of(Choice.TYPE, Choice.EDM_TYPE);
                    case "timestep_spacing" -> Set.of(Choice.SPACING);
                    case "timesteps" -> Set.of(Choice.TIMESTEPS);
                    default -> Set.of(Choice.SIGMAS);
                };
        return ALL.stream()
                .filter(entry -> entry.fixed() == ScheduleType.AUTO || wanted.contains(Choice.SPACING))
                .filter(entry -> entry.choices().stream().anyMatch(wanted::contains))
                .map(Entry::name)
                .toList();
    }

    private static Scheduler build(Entry entry, Config config, SchedulerSettings settings) {
        config.ignore(KEYS_OF_ANY);
        config.requireAllRead();
        return entry.factory().apply(settings.over(config, entry.name(), entry.fixed(), entry.choices()));
    }
}
