package io.tome4j.server.generate;

import io.tome4j.server.http.HttpError;
import io.tome4j.server.queue.QueueClosedException;
import io.tome4j.server.queue.QueueFullException;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.util.function.UnaryOperator;

/** Says in HTTP's words what went wrong in the library. */
public final class Errors {
    private static final int SOON_SECONDS = 5;

    private Errors() {}

    /**
     * Runs what may fail.
     *
     * @param names what the API calls the library's options
     * @throws HttpError in place of whatever says that the request is wrong or cannot be carried out now
     */
    public static <T> T explaining(UnaryOperator<String> names, Attempt<T> attempt) throws InterruptedException {
        try {
            return attempt.run();
        } catch (RuntimeException e) {
            throw explained(e, names);
        }
    }

    /** What can be tried. */
    @FunctionalInterface
    public interface Attempt<T> {
        T run() throws InterruptedException;
    }

    /** An {@link HttpError} where the exception is no failure of the server; else the exception. */
    public static RuntimeException explained(RuntimeException e, UnaryOperator<String> names) {
        if (e instanceof HttpError) {
            return e;
        } else if (e instanceof QueueFullException full) {
            return HttpError.tooMany(String.valueOf(e.getMessage()), full.retryAfterSeconds())
                    .code("rate_limit_exceeded");
        } else if (e instanceof QueueClosedException) {
            return stopping();
        } else if (e instanceof OptionException option) {
            return HttpError.field(names.apply(option.option()), option.message(names));
        } else if (e instanceof TomeException failure) {
            String message = String.valueOf(failure.getMessage());
            return failure.option().isEmpty()
                    ? HttpError.of(422, message)
                    : HttpError.field(names.apply(failure.option()), message);
        } else if (e instanceof IllegalArgumentException) {
            return HttpError.of(422, String.valueOf(e.getMessage()));
        }
        return e;
    }

    /** The server is about to stop. */
    public static HttpError stopping() {
        return HttpError.of(503, "The server is stopping").header("Retry-After", String.valueOf(SOON_SECONDS));
    }
}
