package io.tome4j.diffusion;

/** Whether an image is decoded in overlapping tiles, which takes less memory and gives nearly the same image. */
public enum VaeTiling {
    /** As a whole where there is memory for it, else in tiles; where nobody knows, in tiles above 1024x1024 pixels. */
    AUTO,
    ON,
    OFF
}
