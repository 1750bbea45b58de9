package io.tome4j.models.singlefile;

import io.tome4j.tensor.OptionException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What a model in a single file was trained from: it says what the file itself does not, such as its scheduler. Settings
 * are those of the published folders.
 */
public enum BaseModel {
    /** Stable Diffusion 1.x. */
    SD15("sd15", "Stable Diffusion 1.x", Kind.SD1, 64, "epsilon", Schedules.PNDM),
    /** Stable Diffusion 2.x at 512 pixels. */
    SD21_BASE("sd21-base", "Stable Diffusion 2.x (base)", Kind.SD2, 64, "epsilon", Schedules.PNDM),
    /** Stable Diffusion 2.x at 768 pixels. */
    SD21("sd21", "Stable Diffusion 2.x", Kind.SD2, 96, "v_prediction", Schedules.DDIM),
    /** Stable Diffusion XL. */
    SDXL("sdxl", "Stable Diffusion XL", Kind.SDXL, 128, "epsilon", Schedules.EULER),
    /** The refiner of Stable Diffusion XL. */
    SDXL_REFINER("sdxl-refiner", "Stable Diffusion XL refiner", Kind.REFINER, 128, "epsilon", Schedules.EULER),
    /** SDXL Turbo: its files look like SDXL's. */
    SDXL_TURBO("sdxl-turbo", "SDXL Turbo", Kind.SDXL, 64, "epsilon", Schedules.TURBO),
    /** SDXL Lightning: its files look like SDXL's. */
    SDXL_LIGHTNING("sdxl-lightning", "SDXL Lightning", Kind.SDXL, 128, "epsilon", Schedules.LIGHTNING);

    /** What files can be told apart by. */
    enum Kind {
        SD1(768, 0.18215),
        SD2(1024, 0.18215),
        SDXL(2048, 0.13025),
        REFINER(1280, 0.13025);

        private final int textSize;
        private final double latentScale;

        Kind(int textSize, double latentScale) {
            this.textSize = textSize;
            this.latentScale = latentScale;
        }

        /** Size of the text embedding that the UNet sees. */
        int textSize() {
            return textSize;
        }

        /** The VAE's {@code scaling_factor}: its file does not tell. */
        double latentScale() {
            return latentScale;
        }

        boolean isXl() {
            return this == SDXL || this == REFINER;
        }
    }

    /** {@code scheduler_config.json}, without the prediction type. */
    private static final class Schedules {
        private static final String BETAS =
                """
                "num_train_timesteps": 1000, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
                """;
        static final String PNDM = "\"_class_name\": \"PNDMScheduler\", " + BETAS
                + "\"clip_sample\": false, \"set_alpha_to_one\": false, \"skip_prk_steps\": true, \"steps_offset\": 1";
        static final String DDIM = "\"_class_name\": \"DDIMScheduler\", " + BETAS
                + "\"clip_sample\": false, \"set_alpha_to_one\": false, \"steps_offset\": 1";
        static final String EULER = "\"_class_name\": \"EulerDiscreteScheduler\", " + BETAS
                + "\"interpolation_type\": \"linear\", \"timestep_spacing\": \"leading\", \"steps_offset\": 1";
        static final String TURBO = "\"_class_name\": \"EulerAncestralDiscreteScheduler\", " + BETAS
                + "\"timestep_spacing\": \"trailing\", \"steps_offset\": 1";
        static final String LIGHTNING = "\"_class_name\": \"EulerDiscreteScheduler\", " + BETAS
                + "\"interpolation_type\": \"linear\", \"timestep_spacing\": \"trailing\", \"steps_offset\": 1";
        static final String LCM = "\"_class_name\": \"LCMScheduler\", " + BETAS
                + "\"clip_sample\": false, \"set_alpha_to_one\": true, \"steps_offset\": 0,"
                + " \"original_inference_steps\": 50, \"timestep_scaling\": 10.0";
    }

    private static final int PIXELS_PER_LATENT = 8;

    private final String id;
    private final String title;
    private final Kind kind;
    private final int sampleSize;
    private final String predictionType;
    private final String scheduler;

    BaseModel(String id, String title, Kind kind, int sampleSize, String predictionType, String scheduler) {
        this.id = id;
        this.title = title;
        this.kind = kind;
        this.sampleSize = sampleSize;
        this.predictionType = predictionType;
        this.scheduler = scheduler;
    }

    /** What users call it, such as {@code sd15}. */
    public String id() {
        return id;
    }

    /** Its name in sentences, such as {@code Stable Diffusion 1.x}. */
    public String title() {
        return title;
    }

    Kind kind() {
        return kind;
    }

    /** Latents along a side of the images it was trained at. */
    int sampleSize() {
        return sampleSize;
    }

    /** Pixels along a side of the images it was trained at. */
    public int side() {
        return sampleSize * PIXELS_PER_LATENT;
    }

    String predictionType() {
        return predictionType;
    }

    /**
     * The scheduler's settings as JSON.
     *
     * @param lcm whether the UNet has the guidance scale as an input, as distilled consistency models have
     */
    String schedulerJson(boolean lcm, String prediction, boolean zeroTerminalSnr) {
        return "{"
                + (lcm ? Schedules.LCM : zeroTerminalSnr ? scheduler.replace("\"leading\"", "\"trailing\"") : scheduler)
                + (zeroTerminalSnr && !lcm ? ", \"rescale_betas_zero_snr\": true" : "") + ", \"prediction_type\": \""
                + prediction + "\"}";
    }

    /**
     * The one of an {@linkplain #id() id}.
     *
     * @throws OptionException if there is none
     */
    public static BaseModel of(String id) {
        return Arrays.stream(values())
                .filter(base -> base.id.equals(id.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() ->
                        new OptionException("{base} is '" + OptionException.literal(id) + "'; there are: " + ids()));
    }

    /** All ids, separated by commas. */
    public static String ids() {
        return Arrays.stream(values()).map(BaseModel::id).collect(Collectors.joining(", "));
    }
}
