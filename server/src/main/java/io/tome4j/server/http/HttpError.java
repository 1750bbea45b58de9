package io.tome4j.server.http;

import java.util.LinkedHashMap;
import java.util.Map;

/** A request that cannot be answered as it wants; each API says so in a shape of its own. */
public final class HttpError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String field;
    private final String code;
    private final transient Map<String, String> headers;

    private HttpError(int status, String message, String field, String code, Map<String, String> headers) {
        super(message);
        this.status = status;
        this.field = field;
        this.code = code;
        this.headers = Map.copyOf(headers);
    }

    /** @param message for the one who asked */
    public static HttpError of(int status, String message) {
        return new HttpError(status, message, "", "", Map.of());
    }

    /** A field of the request is wrong: status 422, which APIs that know only 400 say in their way. */
    public static HttpError field(String field, String message) {
        return new HttpError(422, message, field, "", Map.of());
    }

    /** There is no room for the request now. */
    public static HttpError tooMany(String message, int retryAfterSeconds) {
        return of(429, message).header("Retry-After", String.valueOf(retryAfterSeconds));
    }

    /** The same with a word for programs: {@code model_not_found}. */
    public HttpError code(String value) {
        return new HttpError(status, message(), field, value, headers);
    }

    /** The same about a field. */
    public HttpError about(String value) {
        return new HttpError(status, message(), value, code, headers);
    }

    /** The same with a header. */
    public HttpError header(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new HttpError(status, message(), field, code, more);
    }

    public int status() {
        return status;
    }

    public String message() {
        return String.valueOf(getMessage());
    }

    /** The field that is wrong; empty if it is none, or not known. */
    public String field() {
        return field;
    }

    /** A word for programs; may be empty. */
    public String code() {
        return code;
    }

    public Map<String, String> headers() {
        return headers;
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this; // it is an answer, not a failure
    }
}
