package io.tome4j.models.vae;

/** Whether an image is coded whole or in overlapping tiles, which takes less memory and gives nearly the same image. */
public enum VaeTiling {
    /** Tiles where the latents are larger than 128x128 (an image of 1024x1024). */
    AUTO {
        @Override
        boolean applies(long height, long width) {
            return height * width > LARGEST_WHOLE * LARGEST_WHOLE;
        }
    },
    /** Tiles wherever the latents are larger than one tile of 64x64. */
    ON {
        @Override
        boolean applies(long height, long width) {
            return true;
        }
    },
    /** Always whole. */
    OFF {
        @Override
        boolean applies(long height, long width) {
            return false;
        }
    };

    private static final long LARGEST_WHOLE = 128;

    /** Whether latents of this size are to be coded in tiles. */
    abstract boolean applies(long height, long width);
}
