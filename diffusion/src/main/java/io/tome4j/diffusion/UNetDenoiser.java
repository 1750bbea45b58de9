package io.tome4j.diffusion;

import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.ToMePatch;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.Conditioning;
import io.tome4j.models.unet.FeatureReuse;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import java.util.List;

/**
 * A UNet as the denoiser; whoever made the UNet closes it.
 *
 * @param unet the network
 */
public record UNetDenoiser(UNet2DConditionModel unet) implements Denoiser {
    @Override
    public Conditioned condition(TextConditioning text, double... timesteps) {
        Conditioning conditioning = unet.condition(text.embeddings(), text.added(), timesteps);
        return (latents, timestep, context, pass) -> {
            try (var scope = TensorScope.open()) {
                return scope.release(
                        Placement.CPU_FP32.place(unet.forward(latents, timestep, conditioning, context, pass)));
            }
        };
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
