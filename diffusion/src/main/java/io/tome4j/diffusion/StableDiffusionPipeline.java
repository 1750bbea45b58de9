package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointKind;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.diffusion.DenoisingLoop.Denoised;
import io.tome4j.diffusion.Result.Timings;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.diffusion.prompt.ScheduledText.Steps;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ProtectedTokens;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMePatch;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Text to image with a Stable Diffusion checkpoint: the same images for the same seed as
 * {@code diffusers.StableDiffusionPipeline}.
 *
 * <pre>{@code
 * try (var pipeline = StableDiffusionPipeline.fromPretrained("stable-diffusion-v1-5/stable-diffusion-v1-5")) {
 *     var request = Request.of("a photo of an astronaut").seed(42).merging(ToMeOptions.ratio(0.5));
 *     pipeline.generate(request).image().save(Path.of("astronaut.png"));
 * }
 * }</pre>
 *
 * <p>Owns its models' memory until it is closed. One run at a time: a second thread waits.
 */
public final class StableDiffusionPipeline implements MergeableModel, AutoCloseable {
    private final Stages stages;
    private final FewStepAdvice fewSteps;
    private final UsedFiles files;
    private final MemoryGuard memory;
    private final GuideNetworks guides;
    private final PipelineLoras loras;
    private @Nullable LatentPreview preview; // once it was asked for
    private int running; // a listener may generate in its turn
    private boolean closed;

    StableDiffusionPipeline(Stages stages, UsedFiles files) {
        this.stages = stages;
        this.fewSteps = new FewStepAdvice(stages);
        this.files = files;
        this.guides = new GuideNetworks(stages);
        this.loras = new PipelineLoras(stages);
        this.memory = new MemoryGuard(stages, guides);
    }

    /** As {@link #fromPretrained(String, PipelineOptions)}, all chosen automatically. */
    public static StableDiffusionPipeline fromPretrained(String model) {
        return fromPretrained(model, PipelineOptions.DEFAULT);
    }

    /**
     * Loads a checkpoint.
     *
     * @param model a folder in the layout of {@code diffusers}, a single safetensors file, or a model's id on the Hugging
     *     Face hub
     * @throws io.tome4j.tensor.TomeException if it cannot be had or loaded; the message says what is wrong with which
     *     file
     */
    public static StableDiffusionPipeline fromPretrained(String model, PipelineOptions options) {
        return fromPretrained(model, options, DownloadListener.SILENT);
    }

    /** As {@link #fromPretrained(String, PipelineOptions)}, and tells of downloads. */
    public static StableDiffusionPipeline fromPretrained(
            String model, PipelineOptions options, DownloadListener listener) {
        return new StableDiffusionPipeline(PipelineLoader.load(model, options, listener), UsedFiles.of(model, options));
    }

    /** Which checkpoints it can be made from. */
    public static List<CheckpointKind> checkpointKinds() {
        return ModelFamily.kinds();
    }

    /** Where and in what the models compute. */
    public Placement placement() {
        return stages.placement();
    }

    /** What the model is called: its id on the hub, or its folder's name. */
    public String modelName() {
        return stages.modelName();
    }

    @Override
    public List<? extends MergeableBlock> mergeableBlocks() {
        return stages.denoiser().mergeableBlocks();
    }

    /** Rows and columns of the latents that the model was trained at. */
    @Override
    public TokenGrid nominalGrid() {
        return stages.denoiser().nominalGrid();
    }

    /** What requests get that do not say how to merge; a run reads it once, when it starts. */
    @Override
    public ToMePatch patch() {
        return stages.denoiser().patch();
    }

    /**
     * The request with what the model's family chooses where it does not: the guidance scale, and the strength where it begins
     * with an image.
     */
    public Request withDefaults(Request request) {
        return stages.withDefaults(request);
    }

    /** As {@link #generate(Request, StepListener)}, to the end. */
    public Result generate(Request request) {
        return generate(request, StepListener.NONE);
    }

    /**
     * Carries out a request.
     *
     * <ol>
     *   <li>The request's LoRAs are added to the models, and those of requests before are taken away.
     *   <li>The prompts, and the negative one, become what the denoiser is conditioned on.
     *   <li>The request's {@link Start} gives the first latents, and says where the scheduler's run begins.
     *   <li>The {@link DenoisingLoop} takes them from noise to an image's.
     *   <li>With hires, its result is enlarged, and a second pass begins with that.
     *   <li>The decoder turns latents into images.
     * </ol>
     *
     * @throws IllegalArgumentException if nothing would be merged by what the request says, guidance ends before it begins,
     *     the model has no such branch to reuse, initial latents do not have the request's shape, or an image leaves no step
     *     to run
     * @throws io.tome4j.tensor.TomeException if the scheduler is unknown or does not allow so many steps, memory would not
     *     do, or what the model computes is not a number
     * @throws CancellationException if the listener stopped the run; the pipeline can be used again
     */
    public synchronized Result generate(Request request, StepListener listener) {
        if (closed) {
            throw new IllegalStateException("This pipeline is closed");
        }
        List<Lora> outer = loras.added();
        running++;
        try {
            Request complete = stages.withDefaults(request);
            if (stages.refiner().isEmpty() && request.isChosen(Request.REFINER_START)) {
                throw new OptionException("{refiner_start} is " + request.refinerStart()
                        + ", and there is no refiner that could begin there: name one with {refiner}");
            }
            return request.seedPerImage()
                    ? new SeedPerImage(this::run).generate(withMerging(complete), listener)
                    : run(complete, listener);
        } finally {
            running--;
            if (running > 0 && !loras.added().equals(outer)) {
                loras.add(outer); // the run around this one goes on with its own
            }
            closeWhenDone();
        }
    }

    /** A request that says how to merge, with what the pipeline is patched with now where it did not. */
    private Request withMerging(Request request) {
        return request.merging(request.merging().orElseGet(() -> ToMe.patchedWith(this)));
    }

    private Result run(Request request, StepListener listener) {
        Scheduler scheduler = stages.scheduler(request);
        TokenGrid grid = request.latentGrid(nominalGrid());
        TokenGrid largest = request.hiresGrid(grid);
        requireNoRefiner(request);
        Upscaler.require(request); // one that cannot be used is said before the first pass
        Adapters.Added added = loras.add(request.loras());
        Request sized = sized(request, grid)
                .scheduler(scheduler.name())
                .loras(added.loras())
                .embeddings(Embeddings.hashed(request));
        request.guides().requireImages();
        Protection.require(request, grid, request.merging().orElseGet(() -> ToMe.patchedWith(this)));
        GuideNetworks.Opened networks = guides.open(request);
        networks.requireFit(sized);
        networks.requireFit(sized(sized, largest));
        try (var scope = TensorScope.open();
                Generator noise = Tensors.generator(request.seed())) {
            memory.require(sized(sized, largest)); // before any of it is begun
            try {
                PreparedStart start = request.start().prepare(sized, grid);
                PassListener counting = new PassListener(listener, request.stepsToRun(), request.hiresStepsToRun());
                Steps steps = new Steps(request.steps(), 0);
                Pass pass = pass(sized, steps, start, scheduler, grid, networks, noise, counting.first());
                Request resolved = pass.request();
                if (request.hires() > 1) {
                    Pass second = pass(
                            sized(sized.withHiresMerging(resolved), largest),
                            new Steps(request.hiresStepsToRun(), request.steps()),
                            hires(request, pass.denoised().latents(), grid, largest),
                            scheduler,
                            largest,
                            networks,
                            noise,
                            counting.second());
                    pass = pass.then(second);
                }
                return result(pass, request, resolved, start, largest, warnings(added, request));
            } catch (RuntimeException e) {
                throw memory.explained(e, sized);
            }
        }
    }

    /** That of the model that has the latents last. */
    private ImageDecoder decoder() {
        return stages.refiner().orElse(stages).decoder();
    }

    private void requireNoRefiner(Request request) {
        boolean masked = request.repaints();
        if (stages.refiner().isPresent() && (request.hires() > 1 || masked)) {
            throw new OptionException((masked ? "{mask}" : "{hires}")
                    + " does not go with a refiner, which draws all of the image in one pass: leave one of both out");
        }
    }

    private static Request sized(Request request, TokenGrid grid) {
        return request.size(grid.width() * Request.PIXELS_PER_LATENT, grid.height() * Request.PIXELS_PER_LATENT)
                .strength(request.start() instanceof ImageStart ? request.strengthToRun() : request.strength());
    }

    /**
     * Latents once through the denoising loop.
     *
     * @param steps those that a prompt's changes count
     */
    private Pass pass(
            Request request,
            Steps steps,
            PreparedStart start,
            Scheduler scheduler,
            TokenGrid grid,
            GuideNetworks.Opened networks,
            Generator noise,
            StepListener listener) {
        boolean told = stages.denoiser().isToldGuidance();
        Guidance guidance = told ? Guidance.OFF : Guidance.of(request);
        Denoiser guided = stages.denoiser().guided(request.guidanceScale());
        try (var scope = TensorScope.open();
                MergeRun unprotected = MergeRun.of(
                        networks.merged(this, request),
                        request.merging(),
                        request.seed(),
                        guidance.copies(),
                        listener::onMerge);
                MergeRun run = unprotected.protecting(
                        Protection.of(request, start.repainted(), unprotected.options(), grid))) {
            Request resolved = request.merging(run.options());
            ProtectedTokens kept = run.kept();
            Optional<RefinerPass> refinerPass =
                    RefinerPass.of(stages, resolved, request.merging(), ToMe.patchedWith(this), kept);
            PatchReport merging = merging(ToMe.report(this, run.options(), grid, kept), refinerPass);
            try (Trajectory trajectory = start.trajectory(scheduler);
                    RefinerPass.Course course = RefinerPass.course(refinerPass, trajectory, listener)) {
                long begin = System.nanoTime();
                PromptEncoder.Encoded text = stages.prompts().encode(resolved, guidance, steps);
                Duration textEncoding = since(begin);
                Beginning beginning = start.begin(new PreparedStart.Context(
                        request.images(),
                        grid,
                        stages.denoiser(),
                        trajectory,
                        stages.decoder().encoder(),
                        memory.decodesInTiles(grid),
                        noise));
                int ofFirst = stages.refiner().isPresent() ? course.baseCalls() : request.stepsToRun();
                Denoiser denoiser = networks.steer(
                        guided,
                        resolved,
                        text.conditioning(),
                        steps.before() > 0 ? steps.count() : ofFirst,
                        trajectory.timesteps().length);
                Denoised denoised = new DenoisingLoop(denoiser, guidance, ReuseSchedule.of(request))
                        .run(
                                beginning,
                                text.conditioning(),
                                trajectory,
                                course.baseCalls(),
                                noise,
                                run,
                                new Finite(course.baseListener()));
                denoised = course.refined(denoised, guidance, noise);
                scope.release(denoised.latents());
                return new Pass(resolved, merging, text.droppedWords(), textEncoding, denoised);
            }
        }
    }

    /** With a note on what the refiner merges, too. */
    private static PatchReport merging(PatchReport ofBase, Optional<RefinerPass> refinerPass) {
        return refinerPass
                .filter(pass -> ofBase.merges())
                .map(pass -> ofBase.withNote(
                        "refiner: " + pass.report(ofBase.input()).summary()))
                .orElse(ofBase);
    }

    /**
     * The images of latents, such as those that a run had come to when it was stopped.
     *
     * @param latents {@code [B, 4, H, W]}, as {@link StepListener.Progress} has them
     * @param request what they come from: it is what the images' parameters say, and has as many images
     * @throws io.tome4j.tensor.TomeException if what the decoder computes is not a number
     */
    public synchronized List<Image> decode(Latents latents, Request request) {
        if (closed) {
            throw new IllegalStateException("This pipeline is closed");
        }
        long[] shape = latents.shape();
        TokenGrid grid = new TokenGrid(Math.toIntExact(shape[2]), Math.toIntExact(shape[3]));
        Request resolved = withMerging(stages.withDefaults(request))
                .scheduler(stages.scheduler(request).name())
                .size(grid.width() * Request.PIXELS_PER_LATENT, grid.height() * Request.PIXELS_PER_LATENT);
        try (var scope = TensorScope.open()) {
            return named(
                    stages.refiner().orElse(stages).decoder().decode(latents.tensor(), memory.decodesInTiles(grid)),
                    request,
                    resolved);
        }
    }

    /**
     * What a request asks of a model that is made for few steps, or of a LoRA that makes it so, that it was not made for, and
     * what it asks of guidance that it does not have; so that it can be said before the work. A {@link Result} has it among
     * its warnings.
     *
     * @return sentences; none where nothing is amiss
     */
    public List<String> advice(Request request) {
        Request complete = stages.withDefaults(request);
        List<String> advice = new ArrayList<>(fewSteps.of(complete));
        GuidanceAdvice.of(complete).ifPresent(advice::add);
        return List.copyOf(advice);
    }

    private List<String> warnings(Adapters.Added added, Request request) {
        List<String> warnings = new ArrayList<>(advice(request));
        warnings.addAll(added.warnings());
        warnings.addAll(Embeddings.warnings(request));
        return List.copyOf(warnings);
    }

    /** The second pass's beginning: the first one's latents, or its images, enlarged to the size of the second. */
    private HiresStart hires(Request request, Tensor latents, TokenGrid grid, TokenGrid larger) {
        Optional<Upscaler> known = Upscaler.named(request.hiresUpscaler());
        if (known.isPresent() && known.get().pixels().isEmpty()) {
            return new HiresStart(request, latents, List.of());
        }
        int width = larger.width() * Request.PIXELS_PER_LATENT;
        int height = larger.height() * Request.PIXELS_PER_LATENT;
        List<Pixels> images = decoder().decode(latents, memory.decodesInTiles(grid)).stream()
                .map(Pixels::of)
                .toList();
        if (known.isPresent()) {
            Resampling resampling = known.get().pixels().orElseThrow();
            return new HiresStart(
                    request,
                    latents,
                    images.stream()
                            .map(image -> resampling.resize(image, width, height))
                            .toList());
        }
        try (ImageUpscaler upscaler = ImageUpscaler.open(Path.of(request.hiresUpscaler()), placement())) {
            return new HiresStart(
                    request,
                    latents,
                    images.stream()
                            .map(image -> upscaler.enlarge(image, width, height))
                            .toList());
        }
    }

    private Result result(
            Pass pass, Request request, Request resolved, PreparedStart start, TokenGrid grid, List<String> warnings) {
        long begin = System.nanoTime();
        boolean tiled = memory.decodesInTiles(grid);
        Tensor latents = pass.denoised().latents();
        // diffusers' pipelines for inpainting encode without the VAE's means; those with ControlNets decode so, too,
        // and so
        // do those with T2I-Adapters, whatever the run began with.
        boolean uncentred = (request.repaints() && !request.controls().isEmpty())
                || !request.t2iAdapters().isEmpty();
        List<BufferedImage> decoded = decoder().decode(uncentred ? decoder().uncentred(latents) : latents, tiled);
        List<Image> images = named(decoded.stream().map(start::finish).toList(), request, resolved);
        return new Result(
                images,
                Latents.of(pass.denoised().latents()),
                resolved,
                pass.merging(),
                new Timings(pass.textEncoding(), pass.denoised().steps(), since(begin)),
                pass.droppedWords(),
                warnings,
                tiled);
    }

    /**
     * What came of a pass, or of two.
     *
     * @param request with how it merged
     */
    private record Pass(
            Request request, PatchReport merging, List<String> droppedWords, Duration textEncoding, Denoised denoised) {
        /** This one and the next, which has the latents and, as it has most tokens, the report of merging. */
        Pass then(Pass next) {
            List<Duration> steps = new ArrayList<>(denoised.steps());
            steps.addAll(next.denoised.steps());
            return new Pass(
                    request,
                    next.merging,
                    droppedWords,
                    textEncoding.plus(next.textEncoding),
                    new Denoised(next.denoised.latents(), List.copyOf(steps)));
        }
    }

    /** The images with what each was made from. */
    private List<Image> named(List<BufferedImage> decoded, Request request, Request resolved) {
        GenerationParameters parameters = files.addTo(GenerationParameters.of(resolved.scheduler(request.scheduler())))
                .model(modelName())
                .refiner(stages.refiner().map(Stages::modelName).orElse(""))
                .scheduler(resolved.scheduler())
                .attention(stages.options().attention())
                .dtype(placement().dtype())
                .version(GenerationParameters.thisVersion());
        List<Image> images = new ArrayList<>();
        for (int i = 0; i < decoded.size(); i++) {
            images.add(new Image(decoded.get(i), parameters.index(i).toText()));
        }
        return List.copyOf(images);
    }

    /**
     * How much memory a request needs, about.
     *
     * @param request its size may be left to the model
     */
    public MemoryEstimate memoryEstimate(Request request) {
        return memory.estimate(request);
    }

    /** See {@link LatentPreview#of}. */
    synchronized LatentPreview preview() {
        if (closed) {
            throw new IllegalStateException("This pipeline is closed");
        }
        LatentPreview there = preview;
        if (there == null) {
            there = stages.previews().isPresent()
                    ? new DecodedPreview(this)
                    : stages.decoder().preview();
            preview = there;
        }
        return there;
    }

    /**
     * What {@link DecodedPreview} shows.
     *
     * @param latents {@code [B, 4, H, W]}
     */
    synchronized List<BufferedImage> decodedPreview(Tensor latents) {
        if (closed && running == 0) {
            throw new IllegalStateException("This pipeline is closed");
        }
        LinearPreview.requireShape(latents, stages.denoiser().latentChannels());
        TokenGrid grid = new TokenGrid(Math.toIntExact(latents.size(2)), Math.toIntExact(latents.size(3)));
        return stages.previews().orElseThrow().decodeAnyhow(latents, memory.decodesInTiles(grid));
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }

    /** Frees the models, or, if a listener calls it, has the run do so when it ends. Closing twice does no harm. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            closeWhenDone();
        }
    }

    private void closeWhenDone() {
        if (closed && running == 0) {
            guides.close();
            stages.close();
        }
    }
}
