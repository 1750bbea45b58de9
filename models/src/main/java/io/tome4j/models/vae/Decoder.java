package io.tome4j.models.vae;

import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.GroupNorm;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** From latents to an image. */
final class Decoder {
    private final Conv2d convIn;
    private final MidBlock midBlock;
    private final List<UpDecoderBlock2D> upBlocks = new ArrayList<>();
    private final GroupNorm convNormOut;
    private final Conv2d convOut;

    Decoder(Weights weights, VaeConfig config) {
        int first = config.blockOutChannels().get(0);
        int last = config.blockOutChannels().get(config.levels() - 1);
        this.convIn = Conv2d.of3x3(weights.scope("conv_in"), config.latentChannels(), last);
        this.midBlock = new MidBlock(weights.scope("mid_block"), config, last);
        for (int number = 0; number < config.levels(); number++) {
            upBlocks.add(new UpDecoderBlock2D(weights.scope("up_blocks." + number), config, number));
        }
        this.convNormOut =
                GroupNorm.of(weights.scope("conv_norm_out"), config.normNumGroups(), first, VaeConfig.NORM_EPS);
        this.convOut = Conv2d.of3x3(weights.scope("conv_out"), first, config.outChannels());
    }

    /**
     * @param z latents with the scaling taken back, {@code [B, 4, h, w]}
     * @return {@code [B, 3, 8h, 8w]}
     */
    Tensor forward(Tensor z) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = convIn.forward(z);
            hidden = Freeing.replace(hidden, midBlock.forward(hidden));
            for (UpDecoderBlock2D block : upBlocks) {
                hidden = Freeing.replace(hidden, block.forward(hidden));
            }
            hidden = Freeing.replace(hidden, convNormOut.forward(hidden));
            return scope.release(convOut.forward(torch.silu_(hidden)));
        }
    }

    /** The residual blocks of a level, one more than the encoder has, and the convolution that leads up to the next. */
    private static final class UpDecoderBlock2D {
        private final List<ResnetBlock2D> resnets = new ArrayList<>();
        private final @Nullable Conv2d upsampler; // none at the last level

        UpDecoderBlock2D(Weights weights, VaeConfig config, int number) {
            List<Integer> channels = config.blockOutChannels();
            int level = config.levels() - 1 - number;
            int in = channels.get(Math.min(config.levels() - 1, level + 1));
            int out = channels.get(level);
            for (int resnet = 0; resnet <= config.layersPerBlock(); resnet++) {
                resnets.add(new ResnetBlock2D(weights.scope("resnets." + resnet), config, resnet == 0 ? in : out, out));
            }
            this.upsampler = level == 0 ? null : Conv2d.of3x3(weights.scope("upsamplers.0.conv"), out, out);
        }

        /** On {@code [B, in, H, W]}; returns {@code [B, out, 2H, 2W]}, at the last level undoubled. */
        Tensor forward(Tensor x) {
            try (var scope = TensorScope.open()) {
                Tensor hidden = resnets.get(0).forward(x);
                for (ResnetBlock2D resnet : resnets.subList(1, resnets.size())) {
                    hidden = Freeing.replace(hidden, resnet.forward(hidden));
                }
                if (upsampler != null) {
                    long[] doubled = {2 * hidden.size(2), 2 * hidden.size(3)};
                    hidden = Freeing.replace(hidden, torch.upsample_nearest2d(hidden, doubled));
                    hidden = Freeing.replace(hidden, upsampler.forward(hidden));
                }
                return scope.release(hidden);
            }
        }
    }
}
