package io.tome4j.models.unet;

import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * A ControlNet (arXiv 2302.05543): a copy of a UNet's way down and middle that sees a control image, too, and says what is to
 * be added to the UNet's features. Computes the same as {@code diffusers.ControlNetModel}.
 */
public final class ControlNetModel implements AutoCloseable {
    /** The smallest factor in guess mode, that of the first residual, as a power of ten; the last, of the middle, is 1. */
    private static final double GUESS_FROM = -1;

    private final Weights weights;
    private final ControlNetConfig config;
    private final Conv2d convIn;
    private final TimeEmbedding timeEmbedding;
    private final ConditioningEmbedding imageEmbedding;
    private final List<DownBlock> downBlocks = new ArrayList<>();
    private final MidBlock midBlock;
    private final List<Conv2d> downResiduals = new ArrayList<>();
    private final Conv2d midResidual;
    private final List<BasicTransformerBlock> blocks;

    private ControlNetModel(Weights weights, ControlNetConfig config, AttentionKernel kernel) {
        this.weights = weights;
        this.config = config;
        UNetConfig encoder = config.encoder();
        int first = encoder.blockOutChannels().get(0);
        this.convIn = Conv2d.of3x3(weights.scope("conv_in"), encoder.inChannels(), first);
        this.timeEmbedding = new TimeEmbedding(weights, encoder);
        this.imageEmbedding = new ConditioningEmbedding(weights.scope("controlnet_cond_embedding"), config);
        UNetLayout layout = encoder.layout();
        List<Integer> skips = new ArrayList<>(List.of(first));
        for (UNetLayout.Block block : layout.down()) {
            downBlocks.add(new DownBlock(weights.scope(block.name()), block, encoder, kernel));
            block.stages().forEach(stage -> skips.add(stage.out()));
            if (block.resamples()) {
                skips.add(block.out());
            }
        }
        this.midBlock = new MidBlock(weights.scope(layout.mid().name()), layout.mid(), encoder, kernel);
        for (int i = 0; i < skips.size(); i++) {
            downResiduals.add(Conv2d.of1x1(weights.scope("controlnet_down_blocks." + i), skips.get(i), skips.get(i)));
        }
        int last = skips.get(skips.size() - 1);
        this.midResidual = Conv2d.of1x1(weights.scope("controlnet_mid_block"), last, last);
        this.blocks = blocks();
    }

    /**
     * Builds the model that a config describes.
     *
     * @param source the tensors; the model takes over the view and frees it when it is closed
     * @param kernel how attention is computed
     * @throws io.tome4j.tensor.TomeException if the tensors do not fit the config
     */
    public static ControlNetModel of(Weights source, ControlNetConfig config, AttentionKernel kernel) {
        try {
            ControlNetModel model = new ControlNetModel(source, config, kernel);
            source.requireAllTaken();
            return model;
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /** What it was built from. */
    public ControlNetConfig config() {
        return config;
    }

    /** Bytes of the weights. */
    public long weightBytes() {
        return weights.bytes();
    }

    /** Its transformer blocks, in which tokens can be merged. */
    public List<? extends MergeableBlock> mergeableBlocks() {
        return blocks;
    }

    /**
     * Bytes of what a pass gives, which are there while the UNet's pass runs.
     *
     * @param batch rows of the batch
     */
    public long residualBytes(long batch, TokenGrid latents) {
        double elements = 0;
        for (UNetLayout.Block block : config.encoder().layout().blocks()) {
            if (!block.name().startsWith("up_")) {
                TokenGrid grid = latents.downsample(1 << block.level());
                double tokens = (double) grid.height() * grid.width();
                elements += (block.stages().size() + 1) * tokens * block.out();
            }
        }
        return (long) (batch * elements * weights.placement().elementSize());
    }

    private List<BasicTransformerBlock> blocks() {
        List<BasicTransformerBlock> all = new ArrayList<>();
        downBlocks.forEach(block -> block.attentions().forEach(stage -> all.addAll(stage.blocks())));
        midBlock.attentions().forEach(stage -> all.addAll(stage.blocks()));
        return List.copyOf(all);
    }

    private List<ResnetBlock2D> resnets() {
        List<ResnetBlock2D> resnets = new ArrayList<>();
        downBlocks.forEach(block -> resnets.addAll(block.resnets()));
        resnets.addAll(midBlock.resnets());
        return resnets;
    }

    /**
     * What the model makes of a control image: computed once for a run.
     *
     * @param image {@code [1, 3, H, W]} in [0, 1], red, green, blue
     * @return {@code [1, C, H/8, W/8]}, in the open scope
     */
    public Tensor embed(Tensor image) {
        try (var scope = TensorScope.open()) {
            Tensor seen = config.bgr() ? image.flip(new long[] {1}) : image;
            return scope.release(
                    imageEmbedding.forward(weights.placement().place(seen).contiguous(MemoryFormat.ChannelsLast)));
        }
    }

    /** As {@link UNet2DConditionModel#condition(List, Optional, double...)}, for this model. */
    public Conditioning condition(List<Tensor> texts, Optional<AddedConditioning> added, double... timesteps) {
        return Conditioning.of(
                texts, List.of(), added, 1, timesteps, weights.placement(), blocks, resnets(), timeEmbedding);
    }

    /**
     * One forward pass.
     *
     * @param sample noisy latents as the UNet sees them, {@code [B, C, H, W]}; of more channels than the model has, the first
     * @param timestep one of those that {@code conditioning} was made for
     * @param image what {@link #embed} gave
     * @param conditioning from {@link #condition}, as for the UNet's forward pass
     * @param scale what residuals are multiplied by
     * @param guess whether shallow residuals count less: as diffusers' {@code guess_mode}
     * @param context what its blocks are to merge
     * @return in the open scope
     */
    public ControlResiduals forward(
            Tensor sample,
            double timestep,
            Tensor image,
            Conditioning conditioning,
            double scale,
            boolean guess,
            MergeContext context) {
        Conditioning.Step step = conditioning.at(timestep, sample.size(0));
        int channels = config.encoder().inChannels();
        try (var scope = TensorScope.open()) {
            Tensor latents = sample.size(1) == channels ? sample : sample.narrow(1, 0, channels);
            List<Tensor> skips = new ArrayList<>();
            Tensor hidden = convIn.forward(weights.placement().place(latents).contiguous(MemoryFormat.ChannelsLast))
                    .add_(image);
            skips.add(hidden);
            for (DownBlock block : downBlocks) {
                hidden = block.forward(hidden, step, context, skips, Optional.empty());
            }
            hidden = midBlock.forward(hidden, step, context);
            boolean graded = guess && !config.globalPool();
            List<Tensor> down = new ArrayList<>();
            for (int i = 0; i < skips.size(); i++) {
                double factor = graded ? scale * grade(i, skips.size()) : scale;
                down.add(scope.release(residual(downResiduals.get(i), skips.get(i), factor)));
            }
            return new ControlResiduals(down, scope.release(residual(midResidual, hidden, scale)));
        }
    }

    /** From a tenth for the first of {@code count + 1} residuals to 1 for the last, evenly in powers of ten. */
    private static double grade(int number, int count) {
        return Math.pow(10, GUESS_FROM * (1 - (double) number / count));
    }

    private Tensor residual(Conv2d convolution, Tensor features, double factor) {
        try (var scope = TensorScope.open()) {
            Tensor residual = convolution.forward(features);
            if (config.globalPool()) {
                residual = torch.mean(residual, new long[] {2, 3}, true, new ScalarTypeOptional());
            }
            return scope.release(residual.mul(new Scalar(factor)));
        }
    }

    @Override
    public void close() {
        weights.close();
    }
}
