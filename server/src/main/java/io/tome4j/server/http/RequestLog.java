package io.tome4j.server.http;

/** Told of each request when it has been answered; nothing of what it or the answer held. */
@FunctionalInterface
public interface RequestLog {
    /**
     * @param method in capitals
     * @param route the route's path; empty if there is none
     * @param status of the answer
     * @param nanos it took
     */
    void answered(String method, String route, int status, long nanos, String client);

    /** An answer failed for a reason that is the server's. */
    default void failed(String method, String route, Throwable failure) {}
}
