package io.tome4j.server.http;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How to listen, and to whom.
 *
 * @param host the address to listen at
 * @param port 0 for any that is free
 * @param token what a client has to know; empty if all are served
 * @param allowedHosts names that clients may call this machine by, besides those of the loopback address; all if it
 *     listens elsewhere and this is empty
 * @param allowedOrigins origins of web pages that may use the API from a browser
 * @param maxBody bytes of a request's body, at most
 * @param grace how long answers may take that are under way when it stops
 */
public record HttpSettings(
        String host,
        int port,
        Optional<String> token,
        List<String> allowedHosts,
        List<String> allowedOrigins,
        long maxBody,
        Duration grace) {

    /** Whether only this machine can reach an address. */
    public static boolean isLoopback(String host) {
        return Guard.isLoopback(host);
    }
}
