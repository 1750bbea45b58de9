package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Finds a scheduler by a checkpoint's config, or by name. */
public final class Schedulers {
    private static final Map<String, Function<Config, Scheduler>> BY_CLASS = new LinkedHashMap<>();
    private static final Map<String, Function<Config, Scheduler>> BY_NAME = new LinkedHashMap<>();

    static {
        register("pndm", "PNDMScheduler", PndmScheduler::new);
        register("ddim", "DDIMScheduler", DdimScheduler::new);
        register("euler", "EulerDiscreteScheduler", EulerScheduler::new);
        register("euler_a", "EulerAncestralDiscreteScheduler", EulerAncestralScheduler::new);
        register("dpmpp_2m", "DPMSolverMultistepScheduler", DpmSolverScheduler::new);
        BY_NAME.put("dpmpp_2m_karras", config -> new DpmSolverScheduler(config.with("use_karras_sigmas", true)));
        register("lms", "LMSDiscreteScheduler", LmsScheduler::new);
        register("heun", "HeunDiscreteScheduler", HeunScheduler::new);
        register("unipc", "UniPCMultistepScheduler", UniPcScheduler::new);
        register("lcm", "LCMScheduler", LcmScheduler::new);
    }

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

    private static void register(String name, String className, Function<Config, Scheduler> factory) {
        BY_NAME.put(name, factory);
        BY_CLASS.put(className, factory);
    }

    /**
     * The scheduler that a checkpoint's {@code scheduler_config.json} asks for by its {@code _class_name}.
     *
     * @throws TomeException if the class, a key or a value is not supported; the message names it
     */
    public static Scheduler fromConfig(Config config) {
        String className = config.text("_class_name");
        Function<Config, Scheduler> factory = BY_CLASS.get(className);
        if (factory == null) {
            throw new TomeException("Unsupported in " + config.origin() + ": the scheduler '" + className
                    + "'; supported: " + String.join(", ", BY_CLASS.keySet())
                    + ". Choose another one by name: " + String.join(", ", names()) + ".");
        }
        return build(factory, config);
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
        Function<Config, Scheduler> factory = BY_NAME.get(name);
        if (factory == null) {
            throw new TomeException(
                    "Unknown scheduler '" + name + "'; the known ones are " + String.join(", ", names()) + ".");
        }
        return build(factory, checkpointConfig);
    }

    /** The names of all schedulers, in the order to show them. */
    public static List<String> names() {
        return List.copyOf(BY_NAME.keySet());
    }

    private static Scheduler build(Function<Config, Scheduler> factory, Config config) {
        config.ignore(KEYS_OF_ANY);
        config.requireAllRead();
        return factory.apply(config);
    }
}
