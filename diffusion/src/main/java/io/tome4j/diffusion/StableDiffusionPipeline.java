package io.tome4j.diffusion;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.diffusion.Result.Timings;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.unet.Conditioning;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.models.vae.AutoencoderKL;
import io.tome4j.models.vae.VaeTiling;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceMemory;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Text to image with a Stable Diffusion 1.x or 2.x checkpoint: the same images for the same seed as
 * {@code diffusers.StableDiffusionPipeline}.
 *
 * <pre>{@code
 * try (var pipeline = StableDiffusionPipeline.fromPretrained("stable-diffusion-v1-5/stable-diffusion-v1-5")) {
 *     ToMe.applyPatch(pipeline, ToMeOptions.ratio(0.5));
 *     pipeline.generate(Request.of("a photo of an astronaut").seed(42)).image().save(Path.of("astronaut.png"));
 * }
 * }</pre>
 *
 * <p>Owns its models' memory until it is closed. One run at a time: a second thread waits.
 */
public final class StableDiffusionPipeline implements MergeableModel, AutoCloseable {
    /** The models and settings of a checkpoint, loaded. */
    record Components(
            String modelName,
            PipelineOptions options,
            Placement placement,
            ClipTokenizer tokenizer,
            ClipTextModel textEncoder,
            UNet2DConditionModel unet,
            AutoencoderKL vae,
            Config schedulerConfig)
            implements AutoCloseable {

        @Override
        public void close() {
            unet.close();
            vae.close();
            textEncoder.close();
            tokenizer.close();
        }
    }

    private final Components components;
    private boolean closed;

    StableDiffusionPipeline(Components components) {
        this.components = components;
    }

    /** As {@link #fromPretrained(String, PipelineOptions)}, all chosen automatically. */
    public static StableDiffusionPipeline fromPretrained(String model) {
        return fromPretrained(model, PipelineOptions.DEFAULT);
    }

    /**
     * Loads a checkpoint.
     *
     * @param model a folder in the layout of {@code diffusers}, or a model's id on the Hugging Face hub
     * @throws io.tome4j.tensor.TomeException if it cannot be had or loaded; the message says what is wrong with which
     *     file
     */
    public static StableDiffusionPipeline fromPretrained(String model, PipelineOptions options) {
        return fromPretrained(model, options, DownloadListener.SILENT);
    }

    /** As {@link #fromPretrained(String, PipelineOptions)}, and tells of downloads. */
    public static StableDiffusionPipeline fromPretrained(
            String model, PipelineOptions options, DownloadListener listener) {
        return new StableDiffusionPipeline(PipelineLoader.load(model, options, listener));
    }

    /** Where and in what the models compute. */
    public Placement placement() {
        return components.placement();
    }

    /** What the model is called: its id on the hub, or its folder's name. */
    public String modelName() {
        return components.modelName();
    }

    @Override
    public List<MergeableBlock> mergeableBlocks() {
        return components.unet().mergeableBlocks();
    }

    /** Rows and columns of the latents that the model was trained at. */
    @Override
    public TokenGrid nominalGrid() {
        return components.unet().nominalGrid();
    }

    /** As {@link #generate(Request, StepListener)}, to the end. */
    public Result generate(Request request) {
        return generate(request, StepListener.NONE);
    }

    /**
     * Carries out a request.
     *
     * <ol>
     *   <li>The prompts, and the negative one, become text embeddings.
     *   <li>Latents are drawn from the seed's generator, or taken from the request.
     *   <li>At each of the scheduler's timesteps the UNet predicts the noise, with and without the prompt; guidance goes
     *       beyond the difference (arXiv 2207.12598); the scheduler takes the latents a step on.
     *   <li>The decoder turns latents into images.
     * </ol>
     *
     * @throws IllegalArgumentException if initial latents do not have the request's shape
     * @throws io.tome4j.tensor.TomeException if the scheduler is unknown or does not allow so many steps
     * @throws CancellationException if the listener stopped the run; the pipeline can be used again
     */
    public synchronized Result generate(Request request, StepListener listener) {
        if (closed) {
            throw new IllegalStateException("This pipeline is closed");
        }
        Scheduler scheduler = scheduler(request.scheduler());
        TokenGrid grid = request.latentGrid(nominalGrid());
        Request resolved = request.scheduler(scheduler.name())
                .size(grid.width() * Request.PIXELS_PER_LATENT, grid.height() * Request.PIXELS_PER_LATENT);
        if (components.options().memoryCheck()) {
            memoryCheck().require(resolved, this::availableMemory);
        }
        try (var scope = TensorScope.open();
                Trajectory trajectory = scheduler.start(request.steps())) {
            long start = System.nanoTime();
            List<String> dropped = new ArrayList<>();
            Tensor text = encode(request, dropped); // [images or 2 * images, 77, D]
            Duration textEncoding = since(start);

            Generator generator = Tensors.generator(request.seed());
            Tensor latents = initialLatents(request, grid, generator).mul(new Scalar(trajectory.initNoiseSigma()));
            List<Duration> steps = new ArrayList<>();
            latents = denoise(request, text, latents, trajectory, generator, listener, steps);

            start = System.nanoTime();
            List<Image> images = decode(latents, request, resolved);
            return new Result(
                    images,
                    Latents.of(latents),
                    resolved,
                    new Timings(textEncoding, List.copyOf(steps), since(start)),
                    List.copyOf(dropped));
        } catch (RuntimeException e) {
            throw memoryIsOut(e) ? outOfMemory(resolved, e) : e;
        }
    }

    /**
     * How much memory a request needs, about.
     *
     * @param request its size may be left to the model
     */
    public MemoryEstimate memoryEstimate(Request request) {
        return memoryEstimate(request, components.options().attention());
    }

    private MemoryEstimate memoryEstimate(Request request, AttentionKernel kernel) {
        TokenGrid grid = request.latentGrid(nominalGrid());
        long rows = (request.isGuided() ? 2L : 1L) * request.images();
        return new MemoryEstimate(
                components.unet().weightBytes()
                        + components.vae().weightBytes()
                        + components.textEncoder().weightBytes(),
                components.unet().forwardBytes(rows, grid, kernel),
                components.vae().decodeBytes(grid.height(), grid.width(), tiling(grid)));
    }

    private MemoryCheck memoryCheck() {
        return new MemoryCheck(this::memoryEstimate, request -> memoryEstimate(request, AttentionKernel.EFFICIENT));
    }

    /** Tiles, even where the image would not need any for its size, if it would otherwise not fit into memory. */
    private VaeTiling tiling(TokenGrid grid) {
        long whole = components.vae().decodeBytes(grid.height(), grid.width(), VaeTiling.AUTO);
        OptionalLong free = availableMemory(whole);
        return free.isPresent() && whole > free.getAsLong() ? VaeTiling.ON : VaeTiling.AUTO;
    }

    /**
     * On the CPU alone: CUDA refuses an allocation that does not fit, and keeps what it once had for later.
     *
     * @param needed bytes; if there are less, what malloc keeps for later is given back first
     */
    private OptionalLong availableMemory(long needed) {
        if (placement().device() != ComputeDevice.CPU) {
            return OptionalLong.empty();
        }
        DeviceMemory memory = DeviceMemory.of(placement());
        OptionalLong free = memory.available();
        if (free.isPresent() && free.getAsLong() < needed) {
            memory.releaseUnused();
            free = memory.available();
        }
        return free;
    }

    private static boolean memoryIsOut(RuntimeException e) {
        String message = String.valueOf(e.getMessage());
        return !(e instanceof TomeException)
                && (message.contains("out of memory") || message.contains("can't allocate memory"));
    }

    private TomeException outOfMemory(Request request, RuntimeException e) {
        return new TomeException(
                String.format(
                        Locale.ROOT,
                        "Memory ran out; about %.1f GB besides the model were expected to do. A smaller size, fewer images"
                                + " at a time or attention 'efficient' need less. (%s)",
                        memoryEstimate(request).beyondWeights() / (double) (1 << 30),
                        Engine.firstLine(String.valueOf(e.getMessage()))),
                e);
    }

    /**
     * As diffusers' pipeline does, whatever the file says: timesteps are offset by one, and the predicted image is not
     * clipped. Old checkpoints rely on it. Another scheduler takes over only what the file itself says.
     */
    private Scheduler scheduler(String name) {
        Config config = components.schedulerConfig();
        if (name.equals(Request.CHECKPOINTS_OWN)) {
            return Schedulers.fromConfig(config.with("steps_offset", 1).with("clip_sample", false));
        }
        Config said = config.has("steps_offset") ? config.with("steps_offset", 1) : config;
        return Schedulers.named(name, said.has("clip_sample") ? said.with("clip_sample", false) : said);
    }

    /**
     * @param dropped takes, for each prompt, the words that were cut off
     * @return {@code [images, 77, D]}, with guidance {@code [2 * images, 77, D]}: first the negative half
     */
    private Tensor encode(Request request, List<String> dropped) {
        List<long[]> ids = new ArrayList<>(); // each text once
        List<Long> rows = new ArrayList<>(); // which text belongs to each row of the batch
        if (request.isGuided()) {
            ids.add(components.tokenizer().encode(request.negativePrompt()).ids());
            rows.addAll(Collections.nCopies(request.images(), 0L));
        }
        for (String prompt : request.prompts()) {
            var encoded = components.tokenizer().encode(prompt);
            dropped.add(encoded.dropped());
            rows.addAll(Collections.nCopies(request.imagesPerPrompt(), (long) ids.size()));
            ids.add(encoded.ids());
        }
        try (var scope = TensorScope.open()) {
            Tensor embeddings = components.textEncoder().forward(ids.toArray(long[][]::new));
            Tensor index = Tensors.of(rows.stream().mapToLong(Long::longValue).toArray(), rows.size());
            return scope.release(embeddings.index_select(0, index.to(embeddings.device(), ScalarType.Long)));
        }
    }

    private Tensor initialLatents(Request request, TokenGrid grid, Generator generator) {
        long[] shape = {request.images(), components.unet().inChannels(), grid.height(), grid.width()};
        if (request.latents().isEmpty()) {
            return Tensors.randn(generator, shape);
        }
        Latents given = request.latents().get();
        if (!Arrays.equals(given.shape(), shape)) {
            throw new IllegalArgumentException("The initial latents have the shape " + Arrays.toString(given.shape())
                    + " where this request needs " + Arrays.toString(shape));
        }
        return given.tensor();
    }

    private Tensor denoise(
            Request request,
            Tensor text,
            Tensor initial,
            Trajectory trajectory,
            Generator generator,
            StepListener listener,
            List<Duration> durations) {
        double[] timesteps = trajectory.timesteps();
        long begin = System.nanoTime();
        try (var scope = TensorScope.open();
                var run = MergeRun.of(request.seed(), request.isGuided() ? 2 : 1)) {
            // Each step's latents outlive its scope and are freed by the next: a run of any length holds two.
            Conditioning conditioning = components.unet().condition(text, timesteps);
            Tensor latents = scope.retain(initial);
            try {
                for (int i = 0; i < timesteps.length; i++) {
                    long start = System.nanoTime();
                    Tensor previous = latents;
                    try (var step = TensorScope.open()) {
                        Tensor input = trajectory.scaleModelInput(latents, i);
                        MergeContext context = run.step(i);
                        Tensor prediction = predict(request, input, timesteps[i], conditioning, context);
                        latents = step.retain(trajectory.step(prediction, i, latents, generator));
                    }
                    previous.close();
                    durations.add(since(start));
                    if (!listener.onStep(
                            new StepListener.Progress(i + 1, timesteps.length, timesteps[i], latents, since(begin)))) {
                        throw new CancellationException("Stopped after step " + (i + 1) + " of " + timesteps.length);
                    }
                }
                return scope.release(new Tensor(latents));
            } finally {
                latents.close();
            }
        }
    }

    /**
     * @param input {@code [images, 4, H, W]} fp32
     * @return {@code [images, 4, H, W]} fp32
     */
    private Tensor predict(
            Request request, Tensor input, double timestep, Conditioning conditioning, MergeContext context) {
        try (var scope = TensorScope.open()) {
            if (!request.isGuided()) {
                Tensor prediction = components.unet().forward(input, timestep, conditioning, context);
                return scope.release(Placement.CPU_FP32.place(prediction));
            }
            Tensor both = Placement.CPU_FP32.place(
                    components.unet().forward(Tensors.cat(0, input, input), timestep, conditioning, context));
            Tensor unconditional = Tensors.slice(both, 0, 0, request.images());
            Tensor conditional = Tensors.slice(both, 0, request.images(), 2L * request.images());
            return scope.release(conditional
                    .sub(unconditional)
                    .mul_(new Scalar(request.guidanceScale()))
                    .add_(unconditional));
        }
    }

    private List<Image> decode(Tensor latents, Request request, Request resolved) {
        List<Image> images = new ArrayList<>();
        List<ToMeOptions> merging = ToMe.patchedWith(this).stream().toList();
        VaeTiling tiling = tiling(resolved.latentGrid(nominalGrid()));
        for (int i = 0; i < resolved.images(); i++) {
            try (var scope = TensorScope.open()) {
                Tensor decoded =
                        components.vae().decode(Tensors.slice(latents, 0, i, i + 1L), tiling); // [1, 3, 8H, 8W]
                images.add(Image.of(
                        decoded.select(0, 0),
                        new GenerationParameters(
                                        resolved.scheduler(request.scheduler()),
                                        merging,
                                        i,
                                        request.latents().isPresent(),
                                        modelName(),
                                        resolved.scheduler(),
                                        components.options().attention(),
                                        DTypeChoice.valueOf(placement().dtype().name()),
                                        GenerationParameters.thisVersion())
                                .toText()));
            }
        }
        return List.copyOf(images);
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }

    /** Frees the models. Closing twice does no harm. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            components.close();
        }
    }
}
