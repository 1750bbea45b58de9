package io.tome4j.diffusion;

import io.tome4j.merging.TokenGrid;
import io.tome4j.models.vae.Autoencoder;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/**
 * Latents to images. Owns the VAE.
 *
 * @param vae the network
 */
record ImageDecoder(Autoencoder vae) implements AutoCloseable {
    /**
     * @param latents {@code [images, 4, H, W]}
     * @param tiled whether in tiles, which is nearly the same image
     * @return one image each, of {@code 8H} rows and {@code 8W} columns
     * @throws io.tome4j.tensor.TomeException if a decoded image is not made of finite numbers
     */
    List<BufferedImage> decode(Tensor latents, boolean tiled) {
        return decode(latents, tiled, decoded -> Finite.requireDecoded(decoded, vae.dtype()));
    }

    /** As {@link #decode}, whatever numbers they are made of: a preview is not to end a run. */
    List<BufferedImage> decodeAnyhow(Tensor latents, boolean tiled) {
        return decode(latents, tiled, decoded -> {});
    }

    private List<BufferedImage> decode(Tensor latents, boolean tiled, Consumer<Tensor> check) {
        List<BufferedImage> images = new ArrayList<>();
        for (long i = 0; i < latents.size(0); i++) {
            try (var scope = TensorScope.open()) {
                Tensor decoded = vae.decode(Tensors.slice(latents, 0, i, i + 1), tiled); // [1, 3, 8H, 8W]
                check.accept(decoded);
                images.add(Image.pixels(decoded.select(0, 0)));
            }
        }
        return List.copyOf(images);
    }

    /**
     * Latents that are decoded by the scaling factor alone, as those that {@link ImageEncoder#uncentred} gives.
     *
     * @param latents {@code [B, 4, H, W]}
     * @return the same for {@link #decode}, in the open scope
     */
    Tensor uncentred(Tensor latents) {
        return vae.centred(latents);
    }

    /** The other direction, by the same network. */
    ImageEncoder encoder() {
        return new ImageEncoder(vae, true);
    }

    /** Small images of latents without decoding them. */
    LinearPreview preview() {
        return LinearPreview.of(vae);
    }

    /** Bytes of the weights. */
    long weightBytes() {
        return vae.weightBytes();
    }

    /** Bytes that decoding one image needs besides the weights, about. */
    long bytes(TokenGrid latents, boolean tiled) {
        return vae.decodeBytes(latents.height(), latents.width(), tiled);
    }

    @Override
    public void close() {
        vae.close();
    }
}
