package io.tome4j.server.http;

import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.tome4j.server.http.Api.ErrorAnswer;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** Listens, and has routes answer: all that knows which HTTP library that is. */
public final class HttpServer {
    /** Each request that waits for its image holds one. */
    private static final int THREADS = 300;

    private static final Duration IDLE = Duration.ofSeconds(30);
    private static final int MAX_HEADERS = 16 << 10;
    private static final String STARTED = "tome4j.started";
    private static final String ROUTE = "tome4j.route";

    /** What every answer carries. */
    private static final Map<String, String> HEADERS = Map.of(
            "Content-Security-Policy",
            "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self';"
                    + " frame-ancestors 'none'",
            "X-Content-Type-Options",
            "nosniff",
            "Referrer-Policy",
            "no-referrer",
            "Cache-Control",
            "no-store");

    private final HttpSettings settings;
    private final List<Api> apis;
    private final RequestLog log;
    private final Guard guard;
    private final Javalin javalin;

    /** @param apis whose path is nobody's is the first one's */
    public HttpServer(HttpSettings settings, List<Api> apis, RequestLog log) {
        this.settings = settings;
        this.apis = List.copyOf(apis);
        this.log = log;
        this.guard = new Guard(settings);
        if (settings.token().isEmpty() && !Guard.isLoopback(settings.host())) {
            throw new TomeException("The address " + settings.host()
                    + " can be reached from other machines: a token is needed, which clients have to know.");
        }
        this.javalin = Javalin.create(this::configure);
    }

    /**
     * Begins to listen.
     *
     * @return the port
     * @throws TomeException if the address cannot be listened at
     */
    public int start() {
        try {
            javalin.start(settings.host(), settings.port());
            return javalin.port();
        } catch (RuntimeException e) {
            throw new TomeException(
                    "Cannot listen at " + settings.host() + ", port " + settings.port()
                            + ": the port is in use, or the address is none of this machine's. Choose another one.",
                    e);
        }
    }

    /** Stops listening, and lets the answers under way go out. */
    public void stop() {
        javalin.stop();
    }

    private void configure(JavalinConfig config) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.http.maxRequestSize = settings.maxBody();
        config.http.prefer405over404 = true;
        config.jetty.threadPool = new QueuedThreadPool(THREADS, 8, 60_000);
        config.jetty.modifyServer(this::modify);
        config.jetty.modifyHttpConfiguration(HttpServer::modify);
        config.routes.before(this::enter);
        for (Api api : apis) {
            api.routes()
                    .forEach(route -> config.routes.addHttpHandler(
                            HandlerType.findOrCreate(route.method()), route.path(), context -> handle(context, route)));
        }
        for (int status : new int[] {404, 405}) {
            config.routes.error(status, context -> {
                if (context.attribute(ROUTE) == null) { // else a route said so itself
                    answer(context, HttpError.of(status, status == 404 ? "Not Found" : "Method Not Allowed"));
                }
            });
        }
        config.routes.exception(HttpError.class, (error, context) -> answer(context, error));
        config.routes.exception(IOException.class, (error, context) -> {}); // the client has gone
        config.routes.exception(Exception.class, (error, context) -> fail(context, error));
        config.router.javaLangErrorHandler((response, error) -> response.setStatus(500));
        config.requestLogger.http((context, millis) -> logged(context));
    }

    private void modify(Server server) {
        server.setStopTimeout(settings.grace().toMillis());
        server.insertHandler(new GracefulHandler()); // waits for what is under way, which Javalin's own handlers do not
    }

    private static void modify(HttpConfiguration http) {
        http.setSendServerVersion(false);
        http.setIdleTimeout(IDLE.toMillis());
        http.setRequestHeaderSize(MAX_HEADERS);
    }

    private void enter(Context context) {
        context.attribute(STARTED, System.nanoTime());
        HEADERS.forEach(context::header);
        if (guard.admit(new JavalinExchange(context, settings), isOpen(context))) {
            context.attribute(ROUTE, "OPTIONS");
            context.skipRemainingHandlers();
        }
    }

    private boolean isOpen(Context context) {
        return apis.stream()
                .flatMap(api -> api.routes().stream())
                .anyMatch(route -> route.open() && route.path().equals(context.path()));
    }

    private void handle(Context context, Route route) throws Exception {
        context.attribute(ROUTE, route.path());
        route.handler().handle(new JavalinExchange(context, settings));
    }

    private void fail(Context context, Exception failure) {
        log.failed(context.req().getMethod(), route(context), failure);
        answer(context, HttpError.of(500, "An unexpected failure of the server; its log says more"));
    }

    private void answer(Context context, HttpError error) {
        if (context.attribute(ROUTE) == null) {
            context.attribute(ROUTE, "");
        }
        Api api = apis.stream()
                .filter(each -> each.owns(context.path()))
                .findFirst()
                .orElse(apis.get(0));
        ErrorAnswer answer = api.answer(error);
        error.headers().forEach(context::header);
        context.status(answer.status())
                .contentType("application/json")
                .result(answer.body().toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String route(Context context) {
        return Optional.ofNullable(context.<String>attribute(ROUTE)).orElse("");
    }

    private void logged(Context context) {
        Long started = context.attribute(STARTED);
        log.answered(
                context.req().getMethod(),
                route(context),
                context.res().getStatus(),
                started == null ? 0 : System.nanoTime() - started,
                context.ip());
    }
}
