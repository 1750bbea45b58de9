package io.tome4j.server.http;

/** Answers a request. */
@FunctionalInterface
public interface Handler {
    /**
     * @throws HttpError if the request cannot be answered as it wants
     * @throws java.io.IOException if the client has gone
     */
    void handle(Exchange exchange) throws Exception;
}
