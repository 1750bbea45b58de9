package io.tome4j.models.vae;

import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.GroupNorm;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** From an image to the moments of its latents. */
final class Encoder {
    private final Conv2d convIn;
    private final List<DownEncoderBlock2D> downBlocks = new ArrayList<>();
    private final MidBlock midBlock;
    private final GroupNorm convNormOut;
    private final Conv2d convOut;

    Encoder(Weights weights, VaeConfig config) {
        List<Integer> channels = config.blockOutChannels();
        int last = channels.get(config.levels() - 1);
        this.convIn = Conv2d.of3x3(weights.scope("conv_in"), config.inChannels(), channels.get(0));
        for (int level = 0; level < config.levels(); level++) {
            downBlocks.add(new DownEncoderBlock2D(weights.scope("down_blocks." + level), config, level));
        }
        this.midBlock = new MidBlock(weights.scope("mid_block"), config, last);
        this.convNormOut =
                GroupNorm.of(weights.scope("conv_norm_out"), config.normNumGroups(), last, VaeConfig.NORM_EPS);
        this.convOut = Conv2d.of3x3(weights.scope("conv_out"), last, 2L * config.latentChannels());
    }

    /**
     * @param x {@code [B, 3, 8h, 8w]}
     * @return {@code [B, 8, h, w]}
     */
    Tensor forward(Tensor x) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = convIn.forward(x);
            for (DownEncoderBlock2D block : downBlocks) {
                hidden = Freeing.replace(hidden, block.forward(hidden));
            }
            hidden = Freeing.replace(hidden, midBlock.forward(hidden));
            return scope.release(convOut.forward(torch.silu_(convNormOut.forward(hidden))));
        }
    }

    /** The residual blocks of a level, and the convolution that leads down to the next. */
    private static final class DownEncoderBlock2D {
        private final List<ResnetBlock2D> resnets = new ArrayList<>();
        private final @Nullable Conv2d downsampler; // none at the last level

        DownEncoderBlock2D(Weights weights, VaeConfig config, int level) {
            List<Integer> channels = config.blockOutChannels();
            int in = channels.get(Math.max(0, level - 1));
            int out = channels.get(level);
            for (int number = 0; number < config.layersPerBlock(); number++) {
                resnets.add(new ResnetBlock2D(weights.scope("resnets." + number), config, number == 0 ? in : out, out));
            }
            this.downsampler = level == config.levels() - 1
                    ? null
                    : Conv2d.of(weights.scope("downsamplers.0.conv"), out, out, 3, 2, 0);
        }

        /** On {@code [B, in, H, W]}, with even sizes; returns {@code [B, out, H/2, W/2]}, at the last level unhalved. */
        Tensor forward(Tensor x) {
            try (var scope = TensorScope.open()) {
                Tensor hidden = resnets.get(0).forward(x);
                for (ResnetBlock2D resnet : resnets.subList(1, resnets.size())) {
                    hidden = Freeing.replace(hidden, resnet.forward(hidden));
                }
                if (downsampler != null) {
                    // The padding is one-sided, as it was in the program that trained the model.
                    Tensor padded = torch.constant_pad_nd(hidden, new long[] {0, 1, 0, 1}, new Scalar(0));
                    hidden = Freeing.replace(hidden, downsampler.forward(padded));
                }
                return scope.release(hidden);
            }
        }
    }
}
