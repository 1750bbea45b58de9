package io.tome4j.springai;

import io.micrometer.observation.ObservationRegistry;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.Start;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.image.Image;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImageOptions;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.image.ImageResponseMetadata;
import org.springframework.ai.image.observation.DefaultImageModelObservationConvention;
import org.springframework.ai.image.observation.ImageModelObservationContext;
import org.springframework.ai.image.observation.ImageModelObservationConvention;
import org.springframework.ai.image.observation.ImageModelObservationDocumentation;

/**
 * Stable Diffusion with token merging as Spring AI's {@link ImageModel}, in this process.
 *
 * <p>A prompt's messages of weight 1 (or none) are what to draw, those of weight -1 what to lead away from (instead of the
 * options' negative prompt). A medium of theirs is an image to begin with ({@link Request#STRENGTH}); one named {@code mask}
 * says which part is repainted: where it is transparent, or, where nothing is transparent, white. Options are
 * taken from the prompt, then from the model's defaults. Images come as PNG in base64; each has a {@link
 * Tome4jImageGenerationMetadata}, and the response's metadata have {@link #MERGING} and {@link #DROPPED_WORDS}. One run at
 * a time: concurrent calls wait for each other.
 */
public final class Tome4jImageModel implements ImageModel {
    /** What observations call the provider. */
    public static final String PROVIDER = "tome4j";

    /** Key of the response's metadata: what merging did to the tokens, in a line. */
    public static final String MERGING = "merging";

    /** Key of the response's metadata: what of the prompt did not fit into the text encoder; absent where all did. */
    public static final String DROPPED_WORDS = "droppedWords";

    private static final ImageModelObservationConvention DEFAULT_CONVENTION =
            new DefaultImageModelObservationConvention();

    private final Supplier<StableDiffusionPipeline> pipeline;
    private final Tome4jImageOptions defaults;
    private final ObservationRegistry registry;
    private volatile @Nullable ImageModelObservationConvention convention;

    /** A model on a pipeline, which stays its caller's to close. */
    public Tome4jImageModel(StableDiffusionPipeline pipeline, Tome4jImageOptions defaults) {
        this(() -> pipeline, defaults, ObservationRegistry.NOOP);
    }

    /**
     * A model on a pipeline that is asked for at each call, and so may be loaded by the first.
     *
     * @param defaults of what a prompt does not say
     * @param registry is told of each call
     */
    public Tome4jImageModel(
            Supplier<StableDiffusionPipeline> pipeline, Tome4jImageOptions defaults, ObservationRegistry registry) {
        this.pipeline = pipeline;
        this.defaults = defaults;
        this.registry = registry;
    }

    /** What a prompt's options are taken over. */
    public Tome4jImageOptions defaultOptions() {
        return defaults;
    }

    /** Names observations and their keys in another way than Spring AI's. */
    public void setObservationConvention(ImageModelObservationConvention value) {
        convention = value;
    }

    /**
     * Makes the images of a prompt.
     *
     * @throws IllegalArgumentException if there is no prompt, or it asks for what cannot be: the message says why
     * @throws io.tome4j.tensor.TomeException if the model cannot be loaded, or the request not carried out
     * @throws java.util.concurrent.CancellationException if the thread is interrupted; it stays so
     */
    @Override
    public ImageResponse call(@Nullable ImagePrompt prompt) {
        if (prompt == null) {
            throw new IllegalArgumentException("There is no prompt");
        }
        ImageOptions asked = prompt.getOptions();
        Tome4jImageOptions options =
                asked == null ? defaults : Tome4jImageOptions.of(asked).over(defaults);
        Request request = request(prompt.getInstructions(), options);
        ImagePrompt observed = new ImagePrompt(prompt.getInstructions(), options);
        var context = ImageModelObservationContext.builder()
                .imagePrompt(observed)
                .provider(PROVIDER)
                .build();
        return Objects.requireNonNull(ImageModelObservationDocumentation.IMAGE_MODEL_OPERATION
                .observation(convention, DEFAULT_CONVENTION, () -> context, registry)
                .observe(() -> {
                    ImageResponse response = generate(request, options);
                    context.setResponse(response);
                    return response;
                }));
    }

    /** What the messages say, what to draw and what not to, and what they begin with, with the options. */
    private static Request request(@Nullable List<ImageMessage> instructions, Tome4jImageOptions options) {
        List<ImageMessage> messages = instructions == null ? List.of() : instructions;
        List<String> wanted = new ArrayList<>();
        List<String> unwanted = new ArrayList<>();
        for (ImageMessage message : messages) {
            float weight = message.getWeight() == null ? 1 : message.getWeight();
            if (weight != 1 && weight != -1) {
                throw new IllegalArgumentException("A message has the weight " + weight
                        + ": it may be 1, what to draw, or -1, what to lead away from");
            }
            if (message.getText() != null && !message.getText().isBlank()) {
                (weight > 0 ? wanted : unwanted).add(message.getText());
            }
        }
        if (wanted.isEmpty()) {
            throw new IllegalArgumentException("The prompt says nothing to draw");
        }
        Request request = options.applyTo(Request.of(String.join(", ", wanted)));
        if (!unwanted.isEmpty()) {
            request = request.negativePrompt(String.join(", ", unwanted));
        }
        Optional<Start> start = PromptImages.start(messages);
        if (start.isPresent()) {
            request = request.start(start.get());
        }
        return request.images() == 1 ? request : request.seedPerImage(true);
    }

    private ImageResponse generate(Request request, Tome4jImageOptions options) {
        StableDiffusionPipeline loaded = pipeline.get();
        String model = options.getModel();
        if (model != null && !model.equals(loaded.modelName()) && !model.equals(defaults.getModel())) {
            throw new IllegalArgumentException(
                    "The prompt asks for the model '" + model + "', and this one is " + loaded.modelName());
        }
        Result result =
                loaded.generate(request, progress -> !Thread.currentThread().isInterrupted());
        List<ImageGeneration> generations = new ArrayList<>();
        for (int i = 0; i < result.images().size(); i++) {
            io.tome4j.diffusion.Image image = result.images().get(i);
            generations.add(new ImageGeneration(
                    new Image(null, Base64.getEncoder().encodeToString(image.png())),
                    new Tome4jImageGenerationMetadata(
                            result.request().seed() + i, image.parameters(), result.merging(), result.timings())));
        }
        ImageResponseMetadata metadata = new ImageResponseMetadata();
        metadata.put(MERGING, result.merging().summary());
        String dropped = String.join(" ", result.droppedWords()).strip();
        if (!dropped.isEmpty()) {
            metadata.put(DROPPED_WORDS, dropped);
        }
        return new ImageResponse(generations, metadata);
    }
}
