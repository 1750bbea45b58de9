package io.tome4j.diffusion;

import io.tome4j.tensor.TomeException;

/** Memory ran out during a run: not the request is wrong, but what this machine has left. */
public final class MemoryRanOutException extends TomeException {
    private static final long serialVersionUID = 1L;

    MemoryRanOutException(String message, Throwable cause) {
        super(message, cause);
    }
}
