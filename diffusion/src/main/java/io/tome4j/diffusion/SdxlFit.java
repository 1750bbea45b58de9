package io.tome4j.diffusion;

import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.models.unet.UNetConfig.TextTime;
import io.tome4j.models.vae.Autoencoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether the parts of an SDXL checkpoint fit together. */
record SdxlFit(Optional<TextEncoder> first, TextEncoder second, UNet2DConditionModel unet, Autoencoder vae) {
    /** What does not, as the end of a sentence; empty if all does. */
    String misfit() {
        List<TextEncoder> encoders = new ArrayList<>();
        first.ifPresent(encoders::add);
        encoders.add(second);
        int width = encoders.stream()
                .mapToInt(encoder -> encoder.model().hiddenSize())
                .sum();
        if (width != unet.crossAttentionDim()) {
            return "the text encoders give embeddings of size " + width + ", and the UNet's 'cross_attention_dim' is "
                    + unet.crossAttentionDim();
        }
        String channels = StableDiffusion.channelsMisfit(vae.latentChannels(), unet.inChannels());
        if (!channels.isEmpty()) {
            return channels;
        }
        if (unet.outChannels() != vae.latentChannels()) {
            return "the UNet's 'in_channels' is " + unet.inChannels() + ", and its 'out_channels' is "
                    + unet.outChannels();
        }
        if (vae.scale() != Request.PIXELS_PER_LATENT) {
            return "the VAE has " + vae.scale() + " pixels a latent where Stable Diffusion has 8";
        }
        if (!wants(new TimeIds(false)) && !wants(new TimeIds(true))) {
            return "the second text encoder's embedding of a text has the size " + projectionSize()
                    + ", and with 5 or 6 numbers this does not give the UNet's"
                    + " 'projection_class_embeddings_input_dim'";
        }
        return encoders.stream()
                .map(SdxlFit::tokensMisfit)
                .filter(what -> !what.isEmpty())
                .findFirst()
                .orElse("");
    }

    /** The numbers that the UNet was made for: its size tells, whatever the index says. */
    TimeIds timeIds() {
        return new TimeIds(!wants(new TimeIds(false)));
    }

    private boolean wants(TimeIds ids) {
        TextTime textTime = unet.textTime().orElseThrow();
        return projectionSize() + ids.count() * textTime.timeIdSize() == textTime.inputSize();
    }

    private int projectionSize() {
        return second.model().projectionSize().orElseThrow();
    }

    private static String tokensMisfit(TextEncoder encoder) {
        if (encoder.tokenizer().maxLength() > encoder.model().maxPositionEmbeddings()) {
            return "the tokenizer gives " + encoder.tokenizer().maxLength() + " tokens, and the text encoder takes "
                    + encoder.model().maxPositionEmbeddings();
        }
        for (var marker : encoder.tokenizer().markerIds().entrySet()) {
            if (marker.getValue() >= encoder.model().vocabSize()) {
                return "the tokenizer's marker '" + marker.getKey() + "' has the id " + marker.getValue()
                        + ", and the text encoder's 'vocab_size' is "
                        + encoder.model().vocabSize();
            }
        }
        return "";
    }
}
