package io.tome4j.server.http;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** How to listen, and to whom. Immutable: each method that takes a value gives other settings. */
public final class HttpSettings {
    private static final long USUAL_BODY = 32L << 20;
    private static final Duration USUAL_GRACE = Duration.ofSeconds(30);
    private static final Duration USUAL_PATIENCE = Duration.ofSeconds(60);

    private String host;
    private int port;
    private Optional<String> token = Optional.empty();
    private List<String> allowedHosts = List.of();
    private List<String> allowedOrigins = List.of();
    private long maxBody = USUAL_BODY;
    private Duration grace = USUAL_GRACE;
    private Duration patience = USUAL_PATIENCE;

    private HttpSettings(String host, int port) {
        this.host = host;
        this.port = port;
    }

    /**
     * Listens to everybody who can reach an address; bodies may have 32 MB and take a minute, and stopping may take 30 seconds.
     *
     * @param host the address to listen at
     * @param port 0 for any that is free
     */
    public static HttpSettings at(String host, int port) {
        return new HttpSettings(host, port);
    }

    private HttpSettings copy() {
        HttpSettings copy = new HttpSettings(host, port);
        copy.token = token;
        copy.allowedHosts = allowedHosts;
        copy.allowedOrigins = allowedOrigins;
        copy.maxBody = maxBody;
        copy.grace = grace;
        copy.patience = patience;
        return copy;
    }

    /** Whether only this machine can reach an address. */
    public static boolean isLoopback(String host) {
        return Guard.isLoopback(host);
    }

    /** The address to listen at. */
    public String host() {
        return host;
    }

    public HttpSettings host(String value) {
        HttpSettings copy = copy();
        copy.host = value;
        return copy;
    }

    /** Where to listen; 0 for any that is free. */
    public int port() {
        return port;
    }

    /** What a client has to know; empty if all are served. */
    public Optional<String> token() {
        return token;
    }

    /** Serves only who knows a secret; an empty one serves all. */
    public HttpSettings token(String value) {
        HttpSettings copy = copy();
        copy.token = Optional.of(value).filter(text -> !text.isEmpty());
        return copy;
    }

    /**
     * Names that clients may call this machine by, besides those of the loopback address; all if it listens elsewhere and
     * this is empty.
     */
    public List<String> allowedHosts() {
        return allowedHosts;
    }

    public HttpSettings allowedHosts(List<String> value) {
        HttpSettings copy = copy();
        copy.allowedHosts = List.copyOf(value);
        return copy;
    }

    /** Origins of web pages that may use the API from a browser. */
    public List<String> allowedOrigins() {
        return allowedOrigins;
    }

    public HttpSettings allowedOrigins(List<String> value) {
        HttpSettings copy = copy();
        copy.allowedOrigins = List.copyOf(value);
        return copy;
    }

    /** Bytes of a request's body, at most. */
    public long maxBody() {
        return maxBody;
    }

    public HttpSettings maxBody(long value) {
        HttpSettings copy = copy();
        copy.maxBody = value;
        return copy;
    }

    /** How long answers may take that are under way when it stops. */
    public Duration grace() {
        return grace;
    }

    public HttpSettings grace(Duration value) {
        HttpSettings copy = copy();
        copy.grace = value;
        return copy;
    }

    /** How long the body of a request may take to come. */
    public Duration patience() {
        return patience;
    }

    public HttpSettings patience(Duration value) {
        HttpSettings copy = copy();
        copy.patience = value;
        return copy;
    }
}
