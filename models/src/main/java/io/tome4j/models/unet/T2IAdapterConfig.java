package io.tome4j.models.unet;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What the {@code config.json} of a T2I-Adapter says.
 *
 * @param type how its convolutions lie
 * @param inChannels channels of the image it sees: 3, or 1 for a grey map
 * @param channels of its features; a light one gives features of the last number once more
 * @param resBlocks residual blocks of each feature
 * @param downscale how many pixels along a side become one position before all convolutions
 */
public record T2IAdapterConfig(Type type, int inChannels, List<Integer> channels, int resBlocks, int downscale) {
    /** How the convolutions of an adapter lie. */
    public enum Type {
        /** As for Stable Diffusion 1.x: each feature half as wide as the one before. */
        FULL_ADAPTER,
        /** As for Stable Diffusion XL: only the third feature is half as wide as the one before. */
        FULL_ADAPTER_XL,
        /** As the first, with fewer channels within. */
        LIGHT_ADAPTER;

        private String title() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A feature that an adapter gives.
     *
     * @param in channels of what it is made from
     * @param out its channels
     * @param pools whether its sides are half of what it is made from
     * @param pixels along a side of the image to one position of it
     */
    record Feature(int in, int out, boolean pools, int pixels) {}

    private static final int MOST_CHANNELS = 1 << 14;
    private static final int MOST_BLOCKS = 1 << 6;

    /** From here on, features of an XL adapter are as the one before. */
    private static final int XL_ALIKE = 3;

    /** Pixels along a side of a latent. */
    private static final int LATENT = 8;

    public T2IAdapterConfig {
        channels = List.copyOf(channels);
    }

    /**
     * Reads a config, strictly.
     *
     * @throws TomeException if it has a setting that is not supported
     */
    public static T2IAdapterConfig of(Config config) {
        String name = config.text("adapter_type", Type.FULL_ADAPTER.title());
        Type type = Arrays.stream(Type.values())
                .filter(known -> known.title().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        config.unsupported("adapter_type", "\"full_adapter\", \"full_adapter_xl\", \"light_adapter\""));
        List<Integer> channels = config.has("channels")
                ? Arrays.stream(config.integers("channels")).boxed().toList()
                : List.of(320, 640, 1280, 1280);
        if (channels.isEmpty() || channels.stream().anyMatch(count -> count < 1 || count > MOST_CHANNELS)) {
            throw config.unsupported("channels", "one or more numbers from 1 to " + MOST_CHANNELS);
        }
        T2IAdapterConfig read = new T2IAdapterConfig(
                type,
                config.integer("in_channels", 3, 1, 3),
                channels,
                config.integer("num_res_blocks", 2, 1, MOST_BLOCKS),
                config.integer("downscale_factor", 8, 1, MOST_CHANNELS));
        if (read.inChannels == 2) {
            throw config.unsupported("in_channels", "3, 1");
        }
        for (int i = XL_ALIKE; type == Type.FULL_ADAPTER_XL && i < channels.size(); i++) {
            if (!channels.get(i).equals(channels.get(i - 1))) {
                throw config.unsupported("channels", "the same number from the third on");
            }
        }
        config.requireAllRead();
        return read;
    }

    /** The features it gives, in their order. */
    List<Feature> features() {
        List<Feature> features = new ArrayList<>();
        int pixels = downscale;
        for (int i = 0; i < channels.size(); i++) {
            boolean pools = type == Type.FULL_ADAPTER_XL ? i == 2 : i > 0;
            pixels *= pools ? 2 : 1;
            boolean widens = type != Type.FULL_ADAPTER_XL || i == 1 || i == 2;
            int before = channels.get(Math.max(0, widens ? i - 1 : i));
            features.add(new Feature(
                    type == Type.LIGHT_ADAPTER && i == 0 ? unshuffled() : before, channels.get(i), pools, pixels));
        }
        if (type == Type.LIGHT_ADAPTER) {
            int last = channels.get(channels.size() - 1);
            features.add(new Feature(last, last, true, 2 * pixels));
        }
        return features;
    }

    /** Channels of the image when {@link #downscale} pixels along a side have become one position. */
    int unshuffled() {
        return inChannels * downscale * downscale;
    }

    /**
     * @param origin what to call the adapter in messages
     * @throws TomeException if its features are not those of the UNet's levels
     */
    public void requireFit(UNetConfig unet, String origin) {
        List<Feature> features = features();
        List<UNetLayout.Block> levels = unet.layout().down();
        for (int level = 0; level < levels.size() && level < features.size(); level++) {
            UNetLayout.Block block = levels.get(level);
            boolean afterHalving = !block.stages().get(0).attends() && block.resamples();
            int pixels = LATENT << (block.level() + (afterHalving ? 1 : 0));
            Feature feature = features.get(level);
            if (feature.out() != block.out() || feature.pixels() != pixels) {
                throw new TomeException("The T2I-Adapter " + origin + " (" + type.title() + ") does not fit the model: "
                        + feature.out() + " channels for every " + feature.pixels()
                        + " pixels along a side are added at"
                        + " level " + (level + 1) + ", where the model has " + block.out() + " for every " + pixels
                        + ". Choose one for " + (unet.textTime().isPresent() ? "SDXL." : "Stable Diffusion 1.x."));
            }
        }
    }
}
