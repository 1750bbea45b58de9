package io.tome4j.models.unet;

import io.tome4j.checkpoint.Config;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.ToMePatch;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.FeatureReuse.Pass;
import io.tome4j.models.unet.UNetLayout.Cut;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.GroupNorm;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * The UNet of Stable Diffusion 1.x, 2.x and XL: predicts, from noisy latents, a timestep and text embeddings, the noise (or
 * what else the scheduler says it predicts). Computes the same as {@code diffusers.UNet2DConditionModel}.
 */
public final class UNet2DConditionModel implements MergeableModel, AutoCloseable {
    private final Weights weights;
    private final UNetConfig config;
    private final Conv2d convIn;
    private final TimeEmbedding timeEmbedding;
    private final List<DownBlock> downBlocks = new ArrayList<>();
    private final MidBlock midBlock;
    private final List<UpBlock> upBlocks = new ArrayList<>();
    private final GroupNorm convNormOut;
    private final Conv2d convOut;
    private final List<BasicTransformerBlock> blocks;
    private final ToMePatch patch = new ToMePatch();

    private UNet2DConditionModel(Weights weights, UNetConfig config, AttentionKernel kernel) {
        this.weights = weights;
        this.config = config;
        int first = config.blockOutChannels().get(0);
        this.convIn = Conv2d.of3x3(weights.scope("conv_in"), config.inChannels(), first);
        this.timeEmbedding = new TimeEmbedding(weights, config);
        UNetLayout layout = config.layout();
        for (UNetLayout.Block block : layout.down()) {
            downBlocks.add(new DownBlock(weights.scope(block.name()), block, config, kernel));
        }
        this.midBlock = new MidBlock(weights.scope(layout.mid().name()), layout.mid(), config, kernel);
        for (UNetLayout.Block block : layout.up()) {
            upBlocks.add(new UpBlock(weights.scope(block.name()), block, config, kernel));
        }
        this.convNormOut =
                GroupNorm.of(weights.scope("conv_norm_out"), config.normNumGroups(), first, config.normEps());
        this.convOut = Conv2d.of3x3(weights.scope("conv_out"), first, config.outChannels());
        this.blocks = blocks();
    }

    /**
     * Builds the model that a config describes.
     *
     * @param source the tensors; the model takes over the view and frees it when it is closed
     * @param config {@code unet/config.json}
     * @param kernel how attention is computed
     * @throws io.tome4j.tensor.TomeException if the config has a setting that is not supported, or the tensors do not
     *     fit it
     */
    public static UNet2DConditionModel of(Weights source, Config config, AttentionKernel kernel) {
        try {
            UNet2DConditionModel model = new UNet2DConditionModel(source, UNetConfig.of(config), kernel);
            source.requireAllTaken();
            return model;
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /** Channels of the latents. */
    public int inChannels() {
        return config.inChannels();
    }

    /** Channels of the prediction. */
    public int outChannels() {
        return config.outChannels();
    }

    /** What it was built from. */
    public UNetConfig config() {
        return config;
    }

    /** What is added to the time embedding; empty for nothing. */
    public Optional<UNetConfig.TextTime> textTime() {
        return config.textTime();
    }

    /** Size of a text embedding. */
    public int crossAttentionDim() {
        return config.crossAttentionDim();
    }

    /**
     * Opens the reuse of deep features in a run; whoever opens it closes it.
     *
     * @param branch where they are cut off, as {@link UNetLayout#cut} counts
     * @throws io.tome4j.tensor.OptionException if this model has no such branch
     */
    public FeatureReuse reuse(int branch) {
        return FeatureReuse.beyond(config.layout().cut(branch));
    }

    /** Bytes of the weights. */
    public long weightBytes() {
        return weights.bytes();
    }

    /**
     * Bytes that a forward pass needs besides the weights, as {@link UNetMemory#ofForward} estimates them.
     *
     * @param kernel how attention would be computed
     */
    public long forwardBytes(long batch, TokenGrid latents, AttentionKernel kernel) {
        return UNetMemory.ofForward(config, batch, latents, weights.placement(), kernel);
    }

    /** Rows and columns of the latents that the model was trained at. */
    @Override
    public TokenGrid nominalGrid() {
        return config.sampleSize();
    }

    @Override
    public List<? extends MergeableBlock> mergeableBlocks() {
        return blocks;
    }

    @Override
    public ToMePatch patch() {
        return patch;
    }

    private List<BasicTransformerBlock> blocks() {
        List<BasicTransformerBlock> all = new ArrayList<>();
        downBlocks.forEach(block -> block.attentions().forEach(stage -> all.addAll(stage.blocks())));
        midBlock.attentions().forEach(stage -> all.addAll(stage.blocks()));
        upBlocks.forEach(block -> block.attentions().forEach(stage -> all.addAll(stage.blocks())));
        return List.copyOf(all);
    }

    private List<ResnetBlock2D> resnets() {
        List<ResnetBlock2D> resnets = new ArrayList<>();
        downBlocks.forEach(block -> resnets.addAll(block.resnets()));
        resnets.addAll(midBlock.resnets());
        upBlocks.forEach(block -> resnets.addAll(block.resnets()));
        return resnets;
    }

    /**
     * Computes once what all steps of a run have in common: the keys and values of the text (4 MB a row of the batch at
     * the size of Stable Diffusion 1.5, in half precision), and what each residual block makes of each timestep.
     *
     * @param text text embeddings, {@code [B, M, D]}
     * @param timesteps each in [0, the number of training steps)
     * @return for {@link #forward(Tensor, double, Conditioning, MergeContext)}; it belongs to the open scope
     */
    public Conditioning condition(Tensor text, double... timesteps) {
        return condition(List.of(text), Optional.empty(), timesteps);
    }

    /** Whether the model is told the guidance scale, and needs no second prediction without the prompt. */
    public boolean isToldGuidance() {
        return config.guidanceSize() > 0;
    }

    /**
     * As {@link #condition(Tensor, double...)}, for a model that wants more than text embeddings.
     *
     * @param text text embeddings, {@code [B, M, D]}
     * @param added what is added to the time embedding, of {@code B} rows
     * @throws IllegalArgumentException if the model has no use for it, or wants other sizes
     */
    public Conditioning condition(Tensor text, AddedConditioning added, double... timesteps) {
        return condition(List.of(text), Optional.of(added), timesteps);
    }

    /**
     * As {@link #condition(Tensor, AddedConditioning, double...)}, where rows may have texts of different lengths.
     *
     * @param texts text embeddings, each {@code [B, M, D]}: of the first rows, of those that follow, and so on
     * @param added what is added to the time embedding, of as many rows as there are in all; empty for nothing
     */
    public Conditioning condition(List<Tensor> texts, Optional<AddedConditioning> added, double... timesteps) {
        return condition(texts, added, 1, timesteps);
    }

    /**
     * As {@link #condition(List, Optional, double...)}, for a model that {@linkplain #isToldGuidance is told} how strongly to
     * follow the text.
     *
     * @param guidanceScale as for classifier-free guidance: 1 is none; the others pay no heed to it
     */
    public Conditioning condition(
            List<Tensor> texts, Optional<AddedConditioning> added, double guidanceScale, double... timesteps) {
        return condition(texts, List.of(), added, guidanceScale, timesteps);
    }

    /**
     * As {@link #condition(List, Optional, double, double...)}, with images as prompts beside the text.
     *
     * @param images each with an adapter that was loaded for this model
     */
    public Conditioning condition(
            List<Tensor> texts,
            List<ImagePrompt> images,
            Optional<AddedConditioning> added,
            double guidanceScale,
            double... timesteps) {
        return Conditioning.of(
                texts, images, added, guidanceScale, timesteps, weights.placement(), blocks, resnets(), timeEmbedding);
    }

    /**
     * One forward pass.
     *
     * @param sample noisy latents, {@code [B, 4, H, W]}, in any dtype; no size is too odd
     * @param timestep in [0, the number of training steps), the same for the whole batch
     * @param text text embeddings, {@code [B, M, D]}
     * @param context what its blocks are to merge
     * @return the prediction, {@code [B, 4, H, W]}, in the model's dtype
     */
    public Tensor forward(Tensor sample, double timestep, Tensor text, MergeContext context) {
        try (var scope = TensorScope.open()) {
            return scope.release(forward(sample, timestep, condition(text, timestep), context));
        }
    }

    /** As {@link #forward(Tensor, double, Conditioning, MergeContext, Pass)}, as a whole. */
    public Tensor forward(Tensor sample, double timestep, Conditioning conditioning, MergeContext context) {
        return forward(sample, timestep, conditioning, context, Pass.WHOLE);
    }

    /**
     * One forward pass of a run.
     *
     * @param timestep one of those that {@code conditioning} was made for
     * @param conditioning from {@link #condition}, of a text with as many rows as {@code sample} has; of one with more, the
     *     last so many rows are used
     * @param pass whether deep features of a pass before are used, or kept for later ones
     * @return as {@link #forward(Tensor, double, Tensor, MergeContext)}
     * @throws IllegalArgumentException if the conditioning is another model's, or for other timesteps
     */
    public Tensor forward(Tensor sample, double timestep, Conditioning conditioning, MergeContext context, Pass pass) {
        return forward(sample, timestep, conditioning, context, pass, AddedFeatures.NONE);
    }

    /**
     * As {@link #forward(Tensor, double, Conditioning, MergeContext, Pass)}, with what other networks add. A pass that uses deep
     * features of one before adds to those skip connections that it makes itself; what was added to the others then lies in the
     * features.
     */
    public Tensor forward(
            Tensor sample,
            double timestep,
            Conditioning conditioning,
            MergeContext context,
            Pass pass,
            AddedFeatures added) {
        Conditioning.Step step = conditioning.at(timestep, sample.size(0));
        try (var scope = TensorScope.open()) {
            Tensor latents = weights.placement().place(sample).contiguous(MemoryFormat.ChannelsLast);
            List<Tensor> skips = new ArrayList<>();
            Tensor hidden = convIn.forward(latents);
            skips.add(hidden);
            Optional<Tensor> kept = pass.kept(sample.size(0));
            hidden = kept.isPresent()
                    ? around(hidden, kept.get(), pass.cut().orElseThrow(), step, context, skips, added)
                    : through(hidden, pass, step, context, skips, added);
            return scope.release(convOut.forward(torch.silu_(convNormOut.forward(hidden))));
        }
    }

    /** The blocks, of which all run; what goes into the cut's stage on the way up is kept. */
    private Tensor through(
            Tensor x,
            Pass pass,
            Conditioning.Step step,
            MergeContext context,
            List<Tensor> skips,
            AddedFeatures added) {
        Tensor hidden = x;
        for (int level = 0; level < downBlocks.size(); level++) {
            hidden = downBlocks.get(level).forward(hidden, step, context, skips, added.toLevel(level));
        }
        add(added.control(), skips);
        if (config.middle() != UNetConfig.Middle.NONE) {
            hidden = added.adapted(midBlock.forward(hidden, step, context), downBlocks.size());
        }
        if (added.control().isPresent()) {
            hidden = hidden.add(added.control().get().mid());
        }
        for (UpBlock block : upBlocks) {
            int from = 0;
            if (pass.cut().filter(cut -> block == upBlock(cut)).isPresent()) {
                from = pass.cut().get().upStage();
                hidden = from > 0 ? block.stages(hidden, from, step, context, skips) : hidden;
                pass.keep(hidden);
            }
            hidden = block.forward(hidden, from, step, context, skips);
        }
        return hidden;
    }

    /** The blocks without what lies beyond the cut, in whose place the kept features stand. */
    private Tensor around(
            Tensor x,
            Tensor kept,
            Cut cut,
            Conditioning.Step step,
            MergeContext context,
            List<Tensor> skips,
            AddedFeatures added) {
        Tensor hidden = x;
        for (int level = 0; level < cut.level(); level++) {
            hidden = downBlocks.get(level).forward(hidden, step, context, skips, added.toLevel(level));
        }
        downBlocks.get(cut.level()).stages(hidden, cut.downStages(), step, context, skips, added.toLevel(cut.level()));
        add(added.control(), skips);
        hidden = upBlock(cut).forward(kept, cut.upStage(), step, context, skips);
        for (UpBlock block : upBlocks.subList(upBlocks.size() - cut.level(), upBlocks.size())) {
            hidden = block.forward(hidden, 0, step, context, skips);
        }
        return hidden;
    }

    /** Adds residuals to the skip connections there are; not in place, because the last goes on as it is. */
    private static void add(Optional<ControlResiduals> control, List<Tensor> skips) {
        for (int i = 0; control.isPresent() && i < skips.size(); i++) {
            skips.set(i, skips.get(i).add(control.get().down().get(i)));
        }
    }

    private UpBlock upBlock(Cut cut) {
        return upBlocks.get(upBlocks.size() - 1 - cut.level());
    }

    @Override
    public void close() {
        weights.close();
    }
}
