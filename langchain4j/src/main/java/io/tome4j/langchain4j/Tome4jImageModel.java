package io.tome4j.langchain4j;

import static dev.langchain4j.internal.ValidationUtils.ensureGreaterThanZero;
import static dev.langchain4j.internal.ValidationUtils.ensureNotBlank;
import static dev.langchain4j.internal.ValidationUtils.ensureNotNull;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.spi.ServiceHelper;
import io.tome4j.diffusion.ImageStart;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.Start;
import io.tome4j.langchain4j.spi.Tome4jImageModelBuilderFactory;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Stable Diffusion with token merging as LangChain4j's {@link ImageModel}, in this process.
 *
 * <pre>{@code
 * try (var model = Tome4jImageModel.builder()
 *         .modelName("stable-diffusion-v1-5/stable-diffusion-v1-5")
 *         .merging(ToMeOptions.ratio(0.5))
 *         .build()) {
 *     Image image = model.generate("a red apple").content();
 * }
 * }</pre>
 *
 * <p>Images come as PNG in base64, with their parameters inside. A response's metadata says what they were made with: see
 * {@link #SEED}, {@link #PARAMETERS} and the others. One run at a time: concurrent calls wait for each other.
 */
public final class Tome4jImageModel implements ImageModel, AutoCloseable {
    /** Metadata of one image: its seed, a {@link Long}. */
    public static final String SEED = "seed";

    /** Metadata of several images: their seeds, a list of {@link Long}. */
    public static final String SEEDS = "seeds";

    /** Metadata: what an image was made from, as the web UI writes it, a string; of several images, a list of them. */
    public static final String PARAMETERS = "parameters";

    /** Metadata: what merging did to the tokens, in a line. */
    public static final String MERGING = "merging";

    /** Metadata: how long the run took, a {@link Duration}. */
    public static final String DURATION = "duration";

    private final Supplier<StableDiffusionPipeline> pipeline;
    private final boolean ownsPipeline;
    private final UnaryOperator<Request> settings;
    private final OptionalLong seed;
    private final Optional<Duration> timeout;

    private Tome4jImageModel(Tome4jImageModelBuilder builder) {
        this.settings = builder.settings;
        this.seed = builder.seed;
        this.timeout = builder.timeout;
        Request unused = settings.apply(Request.of("")); // what is out of its range is said before a model is loaded
        this.ownsPipeline = builder.pipeline == null;
        this.pipeline = builder.pipeline == null ? builder.load() : builder.pipeline;
    }

    /** A new builder, or one of the first {@link Tome4jImageModelBuilderFactory} among the services. */
    public static Tome4jImageModelBuilder builder() {
        for (var factory : ServiceHelper.loadFactories(Tome4jImageModelBuilderFactory.class)) {
            return factory.get();
        }
        return new Tome4jImageModelBuilder();
    }

    /**
     * Makes an image.
     *
     * @throws IllegalArgumentException if the prompt is null or blank
     * @throws InvalidRequestException if it cannot be made as it is asked for: the message says why
     * @throws ModelNotFoundException if the pipeline is loaded by this call and cannot be
     * @throws TimeoutException if it takes longer than the builder's time-out
     * @throws CancellationException if the thread is interrupted; it stays so
     */
    @Override
    public Response<Image> generate(String prompt) {
        Run run = run(requestOf(prompt));
        return Response.from(run.image(0), null, FinishReason.STOP, run.metadata());
    }

    /**
     * Makes several images: the first with the seed that a single one would have, the next with one more, and so on, so that
     * each of them can be made again alone.
     *
     * @throws IllegalArgumentException if the prompt is null or blank, or {@code n} is below 1
     * @throws InvalidRequestException as {@link #generate(String)}
     * @throws TimeoutException if all together take longer than the builder's time-out
     */
    @Override
    public Response<List<Image>> generate(String prompt, int n) {
        ensureGreaterThanZero(n, "n");
        Run run = run(several(requestOf(prompt), n));
        return Response.from(run.images(), null, FinishReason.STOP, run.metadataOfAll());
    }

    /**
     * Paints an image anew (image to image); how far it may go from it is the request's option {@code strength}.
     *
     * @param image in base64, or at a {@code data:} or {@code file:} URL; the result has its size, each side rounded down to
     *     a multiple of 8, unless the builder says another
     * @throws IllegalArgumentException if an argument is null, or the prompt blank
     * @throws InvalidRequestException if the image cannot be read, or as {@link #generate(String)}
     * @throws TimeoutException as {@link #generate(String)}
     */
    @Override
    public Response<Image> edit(Image image, String prompt) {
        ensureNotNull(image, "image");
        ensureNotBlank(prompt, "prompt");
        return edited(Start.from(SourceImages.image(image)), prompt);
    }

    /**
     * Repaints a part of an image.
     *
     * @param image as {@link #edit(Image, String)}
     * @param mask of the image's size: what is transparent is repainted, or, where nothing is transparent, what is white
     * @throws IllegalArgumentException if an argument is null, or the prompt blank
     * @throws InvalidRequestException if an image cannot be read, they are of different sizes, or as {@link
     *     #generate(String)}
     * @throws TimeoutException as {@link #generate(String)}
     */
    @Override
    public Response<Image> edit(Image image, Image mask, String prompt) {
        ensureNotNull(image, "image");
        ensureNotNull(mask, "mask");
        ensureNotBlank(prompt, "prompt");
        ImageStart start = Start.from(SourceImages.image(image));
        SourceImage part = SourceImages.mask(mask);
        try {
            return edited(start.repainting(part), prompt);
        } catch (OptionException e) {
            throw new InvalidRequestException(e.getMessage(), e);
        }
    }

    private Response<Image> edited(Start start, String prompt) {
        Run run = run(requestOf(prompt).start(start));
        return Response.from(run.image(0), null, FinishReason.STOP, run.metadata());
    }

    private Request requestOf(String prompt) {
        ensureNotBlank(prompt, "prompt");
        try {
            Request request = settings.apply(Request.of(prompt)).imagesPerPrompt(1);
            return seed.isPresent() ? request.seed(seed.getAsLong()) : request;
        } catch (OptionException e) {
            throw new InvalidRequestException(e.getMessage(), e);
        }
    }

    private static Request several(Request request, int n) {
        try {
            return request.imagesPerPrompt(n).seedPerImage(true);
        } catch (OptionException e) {
            throw new InvalidRequestException(e.getMessage(), e);
        }
    }

    private Run run(Request request) {
        long start = System.nanoTime();
        StableDiffusionPipeline loaded = loaded();
        try {
            Result result =
                    loaded.generate(request, progress -> !Thread.currentThread().isInterrupted() && !isLate(start));
            return new Run(result, Duration.ofNanos(System.nanoTime() - start));
        } catch (CancellationException e) {
            if (isLate(start)) {
                throw new TimeoutException(
                        "The image was not done within " + timeout.orElseThrow()
                                + "; concurrent calls wait for each other",
                        e);
            }
            throw e;
        } catch (TomeException | IllegalArgumentException e) {
            throw new InvalidRequestException(e.getMessage(), e);
        }
    }

    private StableDiffusionPipeline loaded() {
        try {
            return pipeline.get();
        } catch (TomeException e) {
            throw new ModelNotFoundException(e.getMessage(), e);
        }
    }

    private boolean isLate(long start) {
        return timeout.isPresent()
                && Duration.ofNanos(System.nanoTime() - start).compareTo(timeout.get()) > 0;
    }

    /** Frees the pipeline, if this model has loaded it. */
    @Override
    public void close() {
        if (ownsPipeline) {
            pipeline.get().close();
        }
    }

    /** What came of a request, in LangChain4j's terms. */
    private record Run(Result result, Duration duration) {
        Image image(int index) {
            return Image.builder()
                    .base64Data(Base64.getEncoder()
                            .encodeToString(result.images().get(index).png()))
                    .mimeType("image/png")
                    .build();
        }

        List<Image> images() {
            return IntStream.range(0, result.images().size())
                    .mapToObj(this::image)
                    .toList();
        }

        Map<String, Object> metadata() {
            Map<String, Object> metadata = shared();
            metadata.put(SEED, result.request().seed());
            metadata.put(PARAMETERS, result.image().parameters());
            return metadata;
        }

        Map<String, Object> metadataOfAll() {
            long first = result.request().seed();
            Map<String, Object> metadata = shared();
            metadata.put(
                    SEEDS,
                    LongStream.range(0, result.images().size())
                            .mapToObj(index -> first + index)
                            .toList());
            metadata.put(
                    PARAMETERS,
                    result.images().stream()
                            .map(io.tome4j.diffusion.Image::parameters)
                            .toList());
            return metadata;
        }

        private Map<String, Object> shared() {
            Map<String, Object> metadata = new LinkedHashMap<>();
            metadata.put(MERGING, result.merging().summary());
            metadata.put(DURATION, duration);
            return metadata;
        }
    }

    /** Makes {@link Tome4jImageModel}s. A setting that is not made is the pipeline's own, or diffusers' default. */
    public static class Tome4jImageModelBuilder {
        private @Nullable Supplier<StableDiffusionPipeline> pipeline;
        private @Nullable String modelName;
        private PipelineOptions pipelineOptions = PipelineOptions.DEFAULT;
        private UnaryOperator<Request> settings = request -> request;
        private OptionalLong seed = OptionalLong.empty();
        private Optional<Duration> timeout = Optional.empty();

        /** For frameworks that make builders of their own. */
        public Tome4jImageModelBuilder() {}

        /** A pipeline to share; the model does not close it. */
        public Tome4jImageModelBuilder pipeline(StableDiffusionPipeline value) {
            ensureNotNull(value, "pipeline");
            return pipeline(() -> value);
        }

        /** A pipeline to share that is asked for at each call, and so may be loaded by the first. */
        public Tome4jImageModelBuilder pipeline(Supplier<StableDiffusionPipeline> value) {
            pipeline = ensureNotNull(value, "pipeline");
            return this;
        }

        /** A folder in the layout of diffusers, or an id on the Hugging Face hub: loaded by the model, and closed with it. */
        public Tome4jImageModelBuilder modelName(String value) {
            modelName = ensureNotBlank(value, "modelName");
            return this;
        }

        /** How to load it; of no effect with {@link #pipeline}. */
        public Tome4jImageModelBuilder pipelineOptions(PipelineOptions value) {
            pipelineOptions = ensureNotNull(value, "pipelineOptions");
            return this;
        }

        /** Which tokens to merge; otherwise what the pipeline is patched with. */
        public Tome4jImageModelBuilder merging(ToMeOptions value) {
            ensureNotNull(value, "merging");
            return request(request -> request.merging(value));
        }

        /** Denoising steps. */
        public Tome4jImageModelBuilder steps(int value) {
            return request(request -> request.steps(value));
        }

        /** How strongly to follow the prompt. */
        public Tome4jImageModelBuilder guidanceScale(double value) {
            return request(request -> request.guidanceScale(value));
        }

        /** Width and height in pixels, multiples of 8. */
        public Tome4jImageModelBuilder size(int width, int height) {
            return request(request -> request.size(width, height));
        }

        /** One of {@link io.tome4j.diffusion.scheduler.Schedulers#names()}. */
        public Tome4jImageModelBuilder scheduler(String value) {
            ensureNotBlank(value, "scheduler");
            return request(request -> request.scheduler(value));
        }

        /** The seed of each call's first image; otherwise it is drawn at random. */
        public Tome4jImageModelBuilder seed(long value) {
            seed = OptionalLong.of(value);
            return this;
        }

        /** What guidance leads away from. */
        public Tome4jImageModelBuilder negativePrompt(String value) {
            ensureNotNull(value, "negativePrompt");
            return request(request -> request.negativePrompt(value));
        }

        /** Any other option of a request, applied after those set before. */
        public Tome4jImageModelBuilder request(UnaryOperator<Request> value) {
            ensureNotNull(value, "request");
            UnaryOperator<Request> before = settings;
            settings = request -> value.apply(before.apply(request));
            return this;
        }

        /**
         * How long a call may take, the wait for others included; looked at after each step.
         *
         * @throws IllegalArgumentException if it is not positive
         */
        public Tome4jImageModelBuilder timeout(Duration value) {
            ensureNotNull(value, "timeout");
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException("timeout is " + value + ": it must be positive");
            }
            timeout = Optional.of(value);
            return this;
        }

        private Supplier<StableDiffusionPipeline> load() {
            if (modelName == null) {
                throw new IllegalArgumentException("Give a modelName to load, or a pipeline to share");
            }
            try {
                var loaded = StableDiffusionPipeline.fromPretrained(modelName, pipelineOptions);
                return () -> loaded;
            } catch (TomeException e) {
                throw new ModelNotFoundException(e.getMessage(), e);
            }
        }

        /**
         * The model; with a {@link #modelName} it is loaded now.
         *
         * @throws IllegalArgumentException if neither a model's name nor a pipeline is given, or both, or an option is out of
         *     its range
         * @throws ModelNotFoundException if the model cannot be had or loaded
         */
        public Tome4jImageModel build() {
            if (pipeline != null && modelName != null) {
                throw new IllegalArgumentException("Give a modelName to load, or a pipeline to share: not both");
            }
            return new Tome4jImageModel(this);
        }
    }
}
