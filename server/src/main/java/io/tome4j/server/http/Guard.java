package io.tome4j.server.http;

import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Lets in who may come in: who knows the token; to a server that listens at the loopback address alone, requests that call
 * it by that (a page of another site whose name suddenly points here does not); from web pages, those of this server and of
 * the origins allowed.
 */
final class Guard {
    private static final Pattern PORT = Pattern.compile(":\\d{1,5}$");
    private static final Pattern HEADER_NAMES = Pattern.compile("[A-Za-z0-9, -]{1,1000}");
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

    private final Optional<Token> token;
    private final boolean checksHost;
    private final Set<String> hosts = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    private final Set<String> origins;

    Guard(HttpSettings settings) {
        this.token = settings.token().map(Token::new);
        this.checksHost =
                isLoopback(settings.host()) || !settings.allowedHosts().isEmpty();
        this.hosts.addAll(LOOPBACK);
        this.hosts.addAll(settings.allowedHosts());
        this.hosts.add(settings.host().contains(":") ? "[" + settings.host() + "]" : settings.host());
        this.origins = Set.copyOf(settings.allowedOrigins());
    }

    /** Whether only this machine can reach an address. */
    static boolean isLoopback(String host) {
        return host.equalsIgnoreCase("localhost")
                || host.equals("::1")
                || host.equals("[::1]")
                || host.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }

    /**
     * @param open whether the route is answered without the token
     * @return whether it is to be answered no further: it was a browser's question whether a page may ask
     * @throws HttpError 401, 403 or 421 if it may not come in
     */
    boolean admit(Exchange exchange, boolean open) {
        String host = exchange.header("Host").orElse("");
        if (checksHost && !hosts.contains(PORT.matcher(host).replaceFirst(""))) {
            throw HttpError.of(
                    421,
                    "This server does not answer to the host name of this request; start it with --allow-host NAME");
        }
        Optional<String> origin = exchange.header("Origin");
        boolean allowed = origin.filter(origins::contains).isPresent();
        if (allowed) {
            exchange.answerHeader("Access-Control-Allow-Origin", origin.orElseThrow());
            exchange.answerHeader("Access-Control-Expose-Headers", "Retry-After");
            exchange.answerHeader("Vary", "Origin");
        }
        if (allowed && exchange.method().equals("OPTIONS")) {
            exchange.answerHeader("Access-Control-Allow-Methods", "GET, POST");
            exchange.answerHeader(
                    "Access-Control-Allow-Headers",
                    exchange.header("Access-Control-Request-Headers") // clients add some of their own
                            .filter(names -> HEADER_NAMES.matcher(names).matches())
                            .orElse("Authorization, Content-Type"));
            exchange.answerHeader("Access-Control-Max-Age", "600");
            exchange.answer(204, "text/plain", new byte[0]);
            return true;
        }
        if (token.isPresent() && !open && !token.get().isIn(exchange.header("Authorization"))) {
            throw HttpError.of(401, "Incorrect username or password")
                    .code("invalid_api_key")
                    .header("WWW-Authenticate", "Basic realm=\"tome4j\", charset=\"UTF-8\"");
        }
        boolean changes = !exchange.method().equals("GET") && !exchange.method().equals("HEAD");
        if (changes && !allowed && origin.isPresent() && !isOwn(origin.get(), host)) {
            throw HttpError.of(
                    403, "Web pages of this origin may not use this server; start it with --cors-allow-origins ORIGIN");
        }
        return false;
    }

    private static boolean isOwn(String origin, String host) {
        return origin.equalsIgnoreCase("http://" + host) || origin.equalsIgnoreCase("https://" + host);
    }
}
