package io.tome4j.models.unet;

import io.tome4j.checkpoint.Config;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What the {@code config.json} of a ControlNet says.
 *
 * @param encoder the UNet whose way down and middle it copies; its way up is not there
 * @param conditioningChannels channels of the control image, usually 3
 * @param embeddingChannels channels of the convolutions that take the control image to the size of the latents; each after
 *     the first halves its sides
 * @param bgr whether it sees blue, green, red instead of red, green, blue
 * @param globalPool whether its residuals become their means over all positions
 */
public record ControlNetConfig(
        UNetConfig encoder,
        int conditioningChannels,
        List<Integer> embeddingChannels,
        boolean bgr,
        boolean globalPool) {
    private static final String EMBEDDING = "conditioning_embedding_out_channels";
    private static final String CHANNELS = "conditioning_channels";
    private static final String ORDER = "controlnet_conditioning_channel_order";
    private static final String POOL = "global_pool_conditions";
    private static final List<Integer> USUAL = List.of(16, 32, 96, 256);
    private static final int MOST_CHANNELS = 1 << 14;

    /** Latents are an eighth of the image: so many halvings. */
    private static final int HALVINGS = 3;

    public ControlNetConfig {
        embeddingChannels = List.copyOf(embeddingChannels);
    }

    /**
     * Reads a config, strictly.
     *
     * @throws io.tome4j.tensor.TomeException if it has a setting that is not supported
     */
    public static ControlNetConfig of(Config config) {
        List<Integer> embedding = new ArrayList<>();
        if (config.has(EMBEDDING)) {
            for (int channels : config.integers(EMBEDDING)) {
                embedding.add(channels);
            }
        } else {
            embedding.addAll(USUAL);
        }
        if (embedding.size() != HALVINGS + 1
                || embedding.stream().anyMatch(channels -> channels < 1 || channels > MOST_CHANNELS)) {
            throw config.unsupported(EMBEDDING, "four numbers of channels, such as " + USUAL);
        }
        String order = config.text(ORDER, "rgb");
        if (!order.equals("rgb") && !order.equals("bgr")) {
            throw config.unsupported(ORDER, "\"rgb\", \"bgr\"");
        }
        int channels = config.integer(CHANNELS, 3);
        if (channels != 3) {
            throw config.unsupported(CHANNELS, "3");
        }
        return new ControlNetConfig(
                UNetConfig.of(asUNet(config)), channels, embedding, order.equals("bgr"), config.flag(POOL, false));
    }

    /** The config of a UNet with that way down: its way up is the mirror image, and what a ControlNet alone has is gone. */
    private static Config asUNet(Config config) {
        List<String> up = new ArrayList<>();
        for (String down : config.texts("down_block_types")) {
            up.add(down.replace("Down", "Up"));
        }
        Collections.reverse(up);
        Config unet = config.with("up_block_types", up);
        for (String own : List.of(EMBEDDING, CHANNELS, ORDER, POOL)) {
            unet = unet.without(own);
        }
        return unet;
    }
}
