package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Finds a scheduler by a checkpoint's config, or by name. A new scheduler is a class and a line of the table. */
public final class Schedulers {
    /**
     * One line of the table.
     *
     * @param name what users call it
     * @param className what diffusers calls it; empty if it is a setting of another one
     * @param title what A1111's web UI calls it
     * @param factory makes it from a config
     */
    private record Entry(String name, String className, String title, Function<Config, Scheduler> factory) {}

    private static final List<Entry> ALL = List.of(
            new Entry("pndm", "PNDMScheduler", "PLMS", PndmScheduler::new),
            new Entry("ddim", "DDIMScheduler", "DDIM", DdimScheduler::new),
            new Entry("euler", "EulerDiscreteScheduler", "Euler", EulerScheduler::new),
            new Entry("euler_a", "EulerAncestralDiscreteScheduler", "Euler a", EulerAncestralScheduler::new),
            new Entry("dpmpp_2m", "DPMSolverMultistepScheduler", "DPM++ 2M", DpmSolverScheduler::new),
            new Entry(
                    "dpmpp_2m_karras",
                    "",
                    "DPM++ 2M Karras",
                    config -> new DpmSolverScheduler(config.with("use_karras_sigmas", true))),
            dpmSolver("dpmpp_2m_sde", "DPM++ 2M SDE", 2, false),
            dpmSolver("dpmpp_2m_sde_karras", "DPM++ 2M SDE Karras", 2, true),
            dpmSolver("dpmpp_3m_sde", "DPM++ 3M SDE", 3, false),
            dpmSolver("dpmpp_3m_sde_karras", "DPM++ 3M SDE Karras", 3, true),
            new Entry("dpmpp_sde", "DPMSolverSDEScheduler", "DPM++ SDE", DpmSdeScheduler::new),
            new Entry(
                    "dpmpp_sde_karras",
                    "",
                    "DPM++ SDE Karras",
                    config -> new DpmSdeScheduler(config.with("use_karras_sigmas", true))),
            new Entry("dpmpp_2s", "DPMSolverSinglestepScheduler", "DPM++ 2S", DpmSingleScheduler::new),
            new Entry("dpm2", "KDPM2DiscreteScheduler", "DPM2", config -> new Kdpm2Scheduler(config, false)),
            new Entry(
                    "dpm2_a", "KDPM2AncestralDiscreteScheduler", "DPM2 a", config -> new Kdpm2Scheduler(config, true)),
            new Entry("deis", "DEISMultistepScheduler", "DEIS", DeisScheduler::new),
            new Entry("lms", "LMSDiscreteScheduler", "LMS", LmsScheduler::new),
            new Entry("heun", "HeunDiscreteScheduler", "Heun", HeunScheduler::new),
            new Entry("unipc", "UniPCMultistepScheduler", "UniPC", UniPcScheduler::new),
            new Entry("lcm", "LCMScheduler", "LCM", LcmScheduler::new),
            new Entry("tcd", "TCDScheduler", "TCD", TcdScheduler::new),
            new Entry("edm_euler", "EDMEulerScheduler", "EDM Euler", EdmEulerScheduler::new),
            new Entry("edm_dpmpp_2m", "EDMDPMSolverMultistepScheduler", "EDM DPM++ 2M", EdmDpmSolverScheduler::new));

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
        return new Entry(name, "", title, config -> {
            Config own = config.with("algorithm_type", "sde-dpmsolver++").with("solver_order", order);
            return new DpmSolverScheduler(karras ? own.with("use_karras_sigmas", true) : own);
        });
    }

    /**
     * The scheduler that a checkpoint's {@code scheduler_config.json} asks for by its {@code _class_name}.
     *
     * @throws TomeException if the class, a key or a value is not supported; the message names it
     */
    public static Scheduler fromConfig(Config config) {
        return ofClass(config.text("_class_name"), config);
    }

    /**
     * The scheduler of a class, over a config that another class may have written.
     *
     * @param className as diffusers has it, such as {@code PNDMScheduler}
     * @throws TomeException as for {@link #fromConfig}
     */
    public static Scheduler ofClass(String className, Config config) {
        return ALL.stream()
                .filter(entry ->
                        !entry.className().isEmpty() && entry.className().equals(className))
                .findFirst()
                .map(entry -> build(entry, config))
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
        return find(name)
                .map(entry -> build(entry, checkpointConfig))
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

    private static Scheduler build(Entry entry, Config config) {
        config.ignore(KEYS_OF_ANY);
        config.requireAllRead();
        return entry.factory().apply(config);
    }
}
