package io.tome4j.models.unet;

import io.tome4j.tensor.Conv2d;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.jspecify.annotations.Nullable;

/**
 * A T2I-Adapter (arXiv 2302.08453): convolutions that make of an image what is added to a UNet's features on its way down, the
 * same in all steps. Computes the same as {@code diffusers.T2IAdapter}.
 */
public final class T2IAdapterModel implements AutoCloseable {
    private final Weights weights;
    private final T2IAdapterConfig config;
    private final @Nullable Conv2d convIn; // a light one has none
    private final List<Block> body = new ArrayList<>();

    private T2IAdapterModel(Weights weights, T2IAdapterConfig config) {
        this.weights = weights;
        this.config = config;
        Weights adapter = weights.scope("adapter");
        boolean light = config.type() == T2IAdapterConfig.Type.LIGHT_ADAPTER;
        this.convIn = light
                ? null
                : Conv2d.of3x3(
                        adapter.scope("conv_in"),
                        config.unshuffled(),
                        config.channels().get(0));
        List<T2IAdapterConfig.Feature> features = config.features();
        for (int i = 0; i < features.size(); i++) {
            body.add(new Block(adapter.scope("body." + i), features.get(i), config.resBlocks(), light));
        }
    }

    /**
     * Builds the model that a config describes.
     *
     * @param source the tensors; the model takes over the view and frees it when it is closed
     * @throws io.tome4j.tensor.TomeException if the tensors do not fit the config
     */
    public static T2IAdapterModel of(Weights source, T2IAdapterConfig config) {
        try {
            T2IAdapterModel model = new T2IAdapterModel(source, config);
            source.requireAllTaken();
            return model;
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    /** What it was built from. */
    public T2IAdapterConfig config() {
        return config;
    }

    /** Bytes of the weights. */
    public long weightBytes() {
        return weights.bytes();
    }

    /** Bytes of what {@link #forward} gives of an image of this size in pixels. */
    public long featureBytes(int width, int height) {
        long elements = 0;
        for (T2IAdapterConfig.Feature feature : config.features()) {
            int pixels = feature.pixels();
            elements += (long) feature.out() * ((width + pixels - 1) / pixels) * ((height + pixels - 1) / pixels);
        }
        return elements * weights.placement().elementSize();
    }

    /**
     * What is added for an image.
     *
     * @param image {@code [1, C, H, W]} in [0, 1], of the config's channels; {@code H} and {@code W} multiples of its downscale
     * @return features for {@link AddedFeatures}, {@code [1, C, H, W]} each, in the open scope
     */
    public List<Tensor> forward(Tensor image) {
        try (var scope = TensorScope.open()) {
            Tensor hidden = torch.pixel_unshuffle(weights.placement().place(image), config.downscale())
                    .contiguous(MemoryFormat.ChannelsLast);
            if (convIn != null) {
                hidden = convIn.forward(hidden);
            }
            List<Tensor> features = new ArrayList<>();
            for (Block block : body) {
                hidden = block.forward(hidden);
                features.add(scope.release(hidden));
            }
            return features;
        }
    }

    @Override
    public void close() {
        weights.close();
    }

    /** What makes one feature of another, {@code AdapterBlock} or {@code LightAdapterBlock}. */
    private static final class Block {
        private final boolean pools;
        private final @Nullable Conv2d inConv; // none where the number of channels stays
        private final List<Conv2d> first = new ArrayList<>();
        private final List<Conv2d> second = new ArrayList<>();
        private final @Nullable Conv2d outConv; // a light one's

        Block(Weights weights, T2IAdapterConfig.Feature feature, int count, boolean light) {
            int within = light ? feature.out() / 4 : feature.out();
            this.pools = feature.pools();
            this.inConv = light || feature.in() != within
                    ? Conv2d.of1x1(weights.scope("in_conv"), feature.in(), within)
                    : null;
            for (int i = 0; i < count; i++) {
                Weights resnet = weights.scope("resnets." + i);
                first.add(Conv2d.of3x3(resnet.scope("block1"), within, within));
                Weights block2 = resnet.scope("block2");
                second.add(light ? Conv2d.of3x3(block2, within, within) : Conv2d.of1x1(block2, within, within));
            }
            this.outConv = light ? Conv2d.of1x1(weights.scope("out_conv"), within, feature.out()) : null;
        }

        Tensor forward(Tensor x) {
            try (var scope = TensorScope.open()) {
                Tensor hidden = pools ? halved(x) : x;
                if (inConv != null) {
                    hidden = inConv.forward(hidden);
                }
                for (int i = 0; i < first.size(); i++) {
                    hidden = second.get(i)
                            .forward(torch.relu_(first.get(i).forward(hidden)))
                            .add_(hidden);
                }
                return scope.release(outConv == null ? hidden : outConv.forward(hidden));
            }
        }

        /** Means of two by two positions; those at an odd edge are of fewer. */
        private static Tensor halved(Tensor x) {
            long[] two = {2, 2};
            return torch.avg_pool2d(x, two, two, new long[] {0, 0}, true, true, new LongOptional());
        }
    }
}
