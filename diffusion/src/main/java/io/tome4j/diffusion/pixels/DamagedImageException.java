package io.tome4j.diffusion.pixels;

import java.io.IOException;

/** An image that cannot be decoded; the message goes on after "it cannot be read:". */
final class DamagedImageException extends IOException {
    private static final long serialVersionUID = 1;

    DamagedImageException(String message) {
        super(message);
    }
}
