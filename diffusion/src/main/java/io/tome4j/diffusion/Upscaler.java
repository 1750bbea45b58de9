package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.Resampling;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.singlefile.UpscalerFile;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.InterpolateFuncOptions;
import org.bytedeco.pytorch.InterpolateMode;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.LongVectorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.kBicubic;
import org.bytedeco.pytorch.kBilinear;
import org.bytedeco.pytorch.kNearest;
import org.bytedeco.pytorch.kNearestExact;

/** How an image is enlarged between two passes: its latents, or its pixels, which are decoded and encoded again. */
public enum Upscaler {
    LATENT("Latent"),
    LATENT_ANTIALIASED("Latent (antialiased)"),
    LATENT_BICUBIC("Latent (bicubic)"),
    LATENT_BICUBIC_ANTIALIASED("Latent (bicubic antialiased)"),
    LATENT_NEAREST("Latent (nearest)"),
    LATENT_NEAREST_EXACT("Latent (nearest-exact)"),
    LANCZOS("Lanczos"),
    BICUBIC("Bicubic"),
    BILINEAR("Bilinear"),
    BOX("Box"),
    NEAREST("Nearest");

    private final String title;

    Upscaler(String title) {
        this.title = title;
    }

    /** What A1111's web UI calls it. */
    public String title() {
        return title;
    }

    /** What {@link Request#HIRES_UPSCALER} calls it. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** That of an id, however it is written, or of the web UI's name; empty if there is none. */
    public static Optional<Upscaler> named(String text) {
        String id = text.strip().toLowerCase(Locale.ROOT).replace(' ', '_').replace('-', '_');
        return Arrays.stream(values())
                .filter(each -> each.id().equals(id) || each.title().equalsIgnoreCase(text.strip()))
                .findFirst();
    }

    /** Id or file as {@link Request#HIRES_UPSCALER} has it. */
    static String canonical(String text) {
        return named(text).map(Upscaler::id).orElse(text);
    }

    /**
     * What an image's parameters call it: the web UI's name; of a network its file's, without folder and ending.
     *
     * @param text id or file
     */
    static String shown(String text) {
        Optional<Upscaler> known = named(text);
        if (known.isPresent()) {
            return known.get().title();
        }
        String file = text.substring(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1);
        String stem = file.replaceFirst("\\.safetensors$", "");
        return named(stem).isPresent() ? file : stem;
    }

    /**
     * Checks that a request's second pass, if it has one, has an upscaler that can be used: one of these, or a network's file,
     * of which only the header is read.
     *
     * @throws io.tome4j.tensor.TomeException if the file is no ESRGAN
     * @throws OptionException if it is neither one of these nor a file
     */
    public static void require(Request request) {
        String text = request.hiresUpscaler();
        if (request.hires() == 1 || named(text).isPresent()) {
            return;
        }
        if (!isFile(text)) {
            throw new OptionException("{hires_upscaler} is '" + OptionException.literal(text)
                    + "', and there is no such file; there are "
                    + Arrays.stream(values()).map(Upscaler::id).collect(Collectors.joining(", "))
                    + ", and any ESRGAN in a safetensors file");
        }
        UpscalerFile.of(Path.of(text));
    }

    private static boolean isFile(String text) {
        try {
            return Files.exists(Path.of(text));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /** How pixels are enlarged; empty for latents. */
    Optional<Resampling> pixels() {
        return switch (this) {
            case LANCZOS -> Optional.of(Resampling.LANCZOS);
            case BICUBIC -> Optional.of(Resampling.BICUBIC);
            case BILINEAR -> Optional.of(Resampling.BILINEAR);
            case BOX -> Optional.of(Resampling.BOX);
            case NEAREST -> Optional.of(Resampling.NEAREST);
            default -> Optional.empty();
        };
    }

    /**
     * Enlarged latents.
     *
     * @param latents as the denoiser has them, {@code [B, 4, H, W]} fp32
     * @param grid rows and columns of the result
     * @return {@code [B, 4, grid]}, in the open scope
     * @throws IllegalStateException if it is pixels that this enlarges
     */
    Tensor latents(Tensor latents, TokenGrid grid) {
        try (var scope = TensorScope.open()) {
            LongVector size = new LongVector(2);
            size.put(0, grid.height()).put(1, grid.width());
            InterpolateFuncOptions options = new InterpolateFuncOptions();
            options.size().put(new LongVectorOptional(size));
            options.mode().put(mode());
            if (this != LATENT_NEAREST && this != LATENT_NEAREST_EXACT) {
                options.align_corners().put(new BoolOptional(false));
                options.antialias().put(this == LATENT_ANTIALIASED || this == LATENT_BICUBIC_ANTIALIASED);
            }
            return scope.release(torch.interpolate(latents, options));
        }
    }

    private InterpolateMode mode() {
        return switch (this) {
            case LATENT, LATENT_ANTIALIASED -> new InterpolateMode(new kBilinear());
            case LATENT_BICUBIC, LATENT_BICUBIC_ANTIALIASED -> new InterpolateMode(new kBicubic());
            case LATENT_NEAREST -> new InterpolateMode(new kNearest());
            case LATENT_NEAREST_EXACT -> new InterpolateMode(new kNearestExact());
            default -> throw new IllegalStateException(this + " enlarges pixels");
        };
    }
}
