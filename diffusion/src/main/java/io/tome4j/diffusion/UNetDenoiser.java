package io.tome4j.diffusion;

import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.ToMePatch;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.AddedFeatures;
import io.tome4j.models.unet.Conditioning;
import io.tome4j.models.unet.FeatureReuse;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * A UNet as the denoiser; whoever made the UNet closes it.
 */
public final class UNetDenoiser implements Denoiser {
    private final UNet2DConditionModel unet;
    private final Steering steering;
    private final double guidanceScale; // what a network is told that wants to know; 1 is no guidance

    private UNetDenoiser(UNet2DConditionModel unet, Steering steering, double guidanceScale) {
        this.unet = unet;
        this.steering = steering;
        this.guidanceScale = guidanceScale;
    }

    /** @param unet the network */
    public UNetDenoiser(UNet2DConditionModel unet) {
        this(unet, Steering.NONE, 1);
    }

    @Override
    public Denoiser steered(Steering others) {
        return new UNetDenoiser(unet, others, guidanceScale);
    }

    @Override
    public Optional<UNetConfig> unetConfig() {
        return Optional.of(unet.config());
    }

    @Override
    public Conditioned condition(TextConditioning text, double... timesteps) {
        Conditioning conditioning =
                unet.condition(text.embeddings(), steering.images(), text.added(), guidanceScale, timesteps);
        Controls.Conditioned control = steering.controls().condition(text, timesteps);
        return (latents, timestep, context, pass) -> {
            try (var scope = TensorScope.open()) {
                Tensor noisy = Tensors.slice(latents, 1, 0, latentChannels()); // what shows a mask is the UNet's alone
                AddedFeatures added = new AddedFeatures(
                        control.at(noisy, timestep, context),
                        steering.adapters().at(context.step()));
                return scope.release(
                        Placement.CPU_FP32.place(unet.forward(latents, timestep, conditioning, context, pass, added)));
            }
        };
    }

    @Override
    public boolean isToldGuidance() {
        return unet.isToldGuidance();
    }

    @Override
    public Denoiser guided(double scale) {
        return new UNetDenoiser(unet, steering, scale);
    }

    @Override
    public FeatureReuse reuse(int branch) {
        return unet.reuse(branch);
    }

    @Override
    public List<? extends MergeableBlock> mergeableBlocks() {
        return unet.mergeableBlocks();
    }

    @Override
    public TokenGrid nominalGrid() {
        return unet.nominalGrid();
    }

    @Override
    public ToMePatch patch() {
        return unet.patch();
    }

    @Override
    public int latentChannels() {
        return unet.outChannels();
    }

    @Override
    public int inputChannels() {
        return unet.inChannels();
    }

    @Override
    public long weightBytes() {
        return unet.weightBytes();
    }

    @Override
    public long forwardBytes(long batch, TokenGrid latents, AttentionKernel kernel) {
        return unet.forwardBytes(batch, latents, kernel);
    }
}
