package io.tome4j.server.http;

import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One request and its answer: all that routes know of HTTP. */
public interface Exchange {
    /** In capitals. */
    String method();

    /** Decoded, without the query. */
    String path();

    /** A part of the path that the route names in braces. */
    String pathParameter(String name);

    Optional<String> query(String name);

    Optional<String> header(String name);

    /** The address that it comes from. */
    String client();

    /**
     * All of the body.
     *
     * @throws HttpError 413 if it is too large, 408 if it does not come in time
     */
    byte[] body();

    /**
     * The body as a form of several parts.
     *
     * @throws HttpError 413 if it is too large, 400 if it is no such form
     */
    Form form();

    /** Sets a header of the answer. */
    void answerHeader(String name, String value);

    /** Answers. */
    void answer(int status, String contentType, byte[] body);

    /** Begins an answer whose end is not known; what is written and flushed is sent at once. */
    OutputStream answerInParts(String contentType);

    /**
     * A form of several parts.
     *
     * @param texts the values of each text field, in their order
     * @param files the content of each file field, in their order
     */
    record Form(Map<String, List<String>> texts, Map<String, List<byte[]>> files) {}
}
