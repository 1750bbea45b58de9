package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import java.util.List;

/** Finds a scheduler by a checkpoint's config, or by name. */
@SuppressWarnings("DoNotCallSuggester")
public final class Schedulers {
    private Schedulers() {}

    /**
     * The scheduler that a checkpoint's {@code scheduler_config.json} asks for by its {@code _class_name}.
     *
     * @throws TomeException if the class, a key or a value is not supported; the message names it
     */
    public static Scheduler fromConfig(Config config) {
        throw new UnsupportedOperationException("not yet");
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
        throw new UnsupportedOperationException("not yet");
    }

    /** The names of all schedulers, in the order to show them. */
    public static List<String> names() {
        return List.of(
                "pndm", "ddim", "euler", "euler_a", "dpmpp_2m", "dpmpp_2m_karras", "lms", "heun", "unipc", "lcm");
    }
}
