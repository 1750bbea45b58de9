package io.tome4j.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertPathBuilderException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What the hub's HTTP interface is asked for. Redirects are followed here rather than by {@link HttpClient}, because the
 * token must reach the hub and no one else: large files lie with a content delivery network.
 */
final class HubClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MAX_REDIRECTS = 5;
    private static final int ATTEMPTS = 5;
    private static final int ATTEMPTS_TO_REACH = 3; // the cache may do instead, so do not wait long
    /** As long as Python waits for an answer. */
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    /** After which a user wants to know what is waited for. */
    private static final Duration SLOW = Duration.ofSeconds(3);

    private static final int MOST_OF_ANSWER = 100_000_000; // bytes

    private static final int PROXY_AUTHENTICATION_REQUIRED = 407;

    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    private final HubSettings settings;
    private final DownloadListener listener;
    private final HttpClient http;

    /** @param listener told of a server that is slow to answer */
    HubClient(HubSettings settings, DownloadListener listener) {
        this.settings = settings;
        this.listener = listener;
        this.http = settings.network()
                .newClient()
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(TIMEOUT)
                .build();
    }

    /** A model at a commit, and the names of its files. */
    record Revision(String id, String commit, List<String> files) {}

    /**
     * A file as the hub describes it.
     *
     * @param etag the SHA-256 of its content (64 digits), for small files git's SHA-1 (40 digits)
     * @param size in bytes, or -1 if the hub does not say
     */
    record RemoteFile(Revision revision, String name, String etag, long size) {}

    /** The hub could not be reached, or gave no sensible answer: worth another try. */
    static final class Unreachable extends IOException {
        private static final long serialVersionUID = 1L;

        Unreachable(String message) {
            super(message);
        }
    }

    /**
     * What a revision is now.
     *
     * @throws Unreachable if the hub does not answer
     * @throws TomeException if the hub refuses
     */
    Revision revision(String id, String revision) throws IOException {
        URI uri = uri("/api/models/" + id + "/revision/" + encode(revision));
        return retrying(() -> {
            var response = follow("GET", uri, 0, BodyHandlers.ofInputStream());
            byte[] body = readAnswer(response.body());
            if (response.statusCode() != 200) {
                throw refused(response.statusCode(), response.headers(), id, "the revision '" + revision + "'");
            }
            try {
                JsonNode json = JSON.readTree(new String(body, StandardCharsets.UTF_8));
                List<String> files = new ArrayList<>();
                json.path("siblings")
                        .forEach(file -> files.add(file.path("rfilename").asText()));
                String commit = json.path("sha").asText();
                if (!HubCache.isCommit(commit)) {
                    throw new TomeException("The hub gave '" + commit + "' as the commit of " + id
                            + ", which is none: is " + settings.endpoint() + " a Hugging Face hub?");
                }
                return new Revision(id, commit, List.copyOf(files));
            } catch (JsonProcessingException e) {
                throw new TomeException(
                        "The answer of " + settings.endpoint() + " is not valid JSON: is it a Hugging Face hub?", e);
            }
        });
    }

    private byte[] readAnswer(InputStream body) throws IOException {
        try (body;
                var guard = new StallGuard(body, () -> listener.warning(slow(settings.endpoint())))) {
            byte[] answer = body.readNBytes(MOST_OF_ANSWER + 1);
            if (answer.length > MOST_OF_ANSWER) {
                throw new TomeException(
                        "The answer of " + settings.endpoint() + " has no end: is it a Hugging Face hub?");
            }
            return answer;
        } catch (IOException e) {
            throw unreachable(settings.endpoint(), e);
        }
    }

    /** What the hub says about a file, without its content. */
    RemoteFile describe(Revision revision, String file) throws IOException {
        return retrying(() -> {
            var response = follow("HEAD", uri(revision, file), 0, BodyHandlers.discarding());
            int status = response.statusCode();
            // A redirect to elsewhere is where the content lies; all about it is said here.
            if (status != 200 && !isRedirect(status)) {
                throw refused(status, response.headers(), revision.id(), "the file " + file);
            }
            HttpHeaders headers = response.headers();
            String etag = headers.firstValue("x-linked-etag")
                    .or(() -> headers.firstValue("etag"))
                    .map(value -> value.replaceFirst("^W/", "").replace("\"", ""))
                    .orElse("");
            long size = size(headers, "x-linked-size");
            if (size < 0 && status == 200) {
                size = size(headers, "content-length");
            }
            return new RemoteFile(revision, file, etag, size);
        });
    }

    /** What a header says, or -1 if it says nothing of sense. */
    private static long size(HttpHeaders headers, String name) {
        try {
            return Math.max(-1, headers.firstValueAsLong(name).orElse(-1));
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /**
     * Opens a file's content. The caller retries, because only it knows how far it came.
     *
     * @param from the first byte wanted; the answer's status is 206 if the server begins there, and 200 if it begins at 0
     */
    HttpResponse<InputStream> content(RemoteFile file, long from) throws IOException {
        var response = follow("GET", uri(file.revision(), file.name()), from, BodyHandlers.ofInputStream());
        int status = response.statusCode();
        if (status == 200 || status == 206 || status == 416) {
            return response;
        }
        response.body().close();
        throw refused(status, response.headers(), file.revision().id(), "the file " + file.name());
    }

    interface Attempt<T> {
        T make() throws IOException;
    }

    private <T> T retrying(Attempt<T> attempt) throws IOException {
        for (int failures = 1; ; failures++) {
            try {
                return attempt.make();
            } catch (IOException e) {
                int limit = e instanceof Unreachable ? ATTEMPTS_TO_REACH : ATTEMPTS;
                if (failures == limit || !pauseBeforeRetry(e, failures)) {
                    throw e;
                }
            }
        }
    }

    /** A status that may be another one in a moment. */
    static final class Busy extends IOException {
        private static final long serialVersionUID = 1L;
        private final String message;
        private final Duration retryAfter;

        Busy(String message, Duration retryAfter) {
            super(message);
            this.message = message;
            this.retryAfter = retryAfter;
        }

        @Override
        public String getMessage() {
            return message;
        }
    }

    /**
     * Waits before another attempt: as long as the server asked, or twice as long as the last time.
     *
     * @return whether another attempt makes sense
     */
    boolean pauseBeforeRetry(IOException failure, int failures) {
        Duration pause = settings.retryDelay().multipliedBy(1L << (failures - 1));
        if (failure instanceof Busy busy) {
            if (busy.retryAfter.compareTo(LONGEST_PAUSE) > 0) {
                return false;
            }
            pause = busy.retryAfter.compareTo(pause) > 0 ? busy.retryAfter : pause;
        }
        try {
            Thread.sleep(pause.toMillis());
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TomeException("The download was interrupted.", e);
        }
    }

    private <T> HttpResponse<T> follow(String method, URI start, long from, BodyHandler<T> handler) throws IOException {
        URI uri = start;
        for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
            HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                    .method(method, BodyPublishers.noBody())
                    .timeout(TIMEOUT)
                    .header("Accept-Encoding", "identity")
                    .header("User-Agent", "tome4j");
            if (!settings.token().isEmpty() && isHub(uri)) {
                request.header("Authorization", "Bearer " + settings.token());
            }
            String proxyAuthorization = settings.network().proxyAuthorization(uri);
            if (!proxyAuthorization.isEmpty()) {
                request.header("Proxy-Authorization", proxyAuthorization);
            }
            if (from > 0) {
                request.header("Range", "bytes=" + from + "-");
            }
            HttpResponse<T> response = send(request.build(), handler);
            if (response.statusCode() == PROXY_AUTHENTICATION_REQUIRED) {
                throw settings.network().refusedByProxy(uri); // where it refuses a tunnel, its answer has no body
            }
            if (!isRedirect(response.statusCode())) {
                return response;
            }
            URI target = target(uri, response.headers().firstValue("location").orElse(""));
            if ("HEAD".equals(method)
                    && (!isHub(target)
                            || response.headers().firstValue("x-linked-etag").isPresent())) {
                return response;
            }
            if (response.body() instanceof InputStream body) {
                body.close();
            }
            if ("https".equals(uri.getScheme()) && !"https".equals(target.getScheme())) {
                throw new TomeException("The hub sends us from " + uri.getHost() + " to " + target.getHost()
                        + " without encryption, which is refused.");
            }
            uri = target;
        }
        throw new TomeException("The hub sends us from one address to the next without end: " + start + ".");
    }

    private URI target(URI from, String location) {
        try {
            URI target = from.resolve(location);
            String scheme = String.valueOf(target.getScheme()).toLowerCase(Locale.ROOT);
            if ((scheme.equals("http") || scheme.equals("https")) && target.getHost() != null) {
                return target;
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw new TomeException("The server " + from.getAuthority() + " sends us to an address that is none: is "
                + settings.endpoint() + " a Hugging Face hub?");
    }

    private <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler) throws IOException {
        CompletableFuture<HttpResponse<T>> answer = http.sendAsync(request, handler);
        try {
            try {
                return answer.get(SLOW.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                listener.warning(slow(request.uri()));
                return answer.get();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TomeException known) {
                throw known;
            }
            throw unreachable(request.uri(), e.getCause() == null ? e : e.getCause());
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw new TomeException("The download was interrupted.", e);
        }
    }

    private static String slow(URI server) {
        return "The server " + server.getAuthority() + " has not answered for " + SLOW.toSeconds()
                + " seconds; waiting.";
    }

    private Unreachable unreachable(URI server, Throwable cause) {
        String way = settings.network().describe(server);
        var unreachable = new Unreachable(
                "The server " + server.getAuthority() + " cannot be reached" + way + ": " + reason(cause) + ".");
        unreachable.initCause(cause);
        return unreachable;
    }

    private static String reason(Throwable cause) {
        for (Throwable deeper = cause; deeper != null; deeper = deeper.getCause()) {
            if (deeper instanceof CertPathBuilderException) {
                return "its certificate is not one that is trusted here. If it, or a proxy's on the way, is your own, let"
                        + " SSL_CERT_FILE name the file of certificates (PEM) to trust";
            } else if (deeper instanceof UnresolvedAddressException) {
                return "nobody here knows its name; is there a network, and is a proxy needed (HTTPS_PROXY)?";
            }
        }
        return cause.getMessage() != null
                ? cause.getMessage()
                : cause instanceof ConnectException
                        ? "nothing answers there"
                        : cause.getClass().getSimpleName();
    }

    private static boolean isRedirect(int status) {
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    }

    private boolean isHub(URI uri) {
        URI hub = settings.endpoint();
        return hub.getScheme().equals(uri.getScheme()) && hub.getAuthority().equals(uri.getAuthority());
    }

    private URI uri(Revision revision, String file) {
        StringBuilder path = new StringBuilder("/" + revision.id() + "/resolve/" + revision.commit());
        for (String segment : file.split("/", -1)) {
            path.append('/').append(encode(segment));
        }
        return uri(path.toString());
    }

    private URI uri(String path) {
        return URI.create(settings.endpoint() + path);
    }

    private static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** The error for a status: to throw ({@link TomeException}) or, worth a retry, thrown by itself. */
    private TomeException refused(int status, HttpHeaders headers, String id, String what) throws Busy {
        String code = headers.firstValue("x-error-code").orElse("");
        String page = settings.endpoint() + "/" + id;
        if (status == 429 || status == 408 || status >= 500) {
            Duration pause = Duration.ZERO;
            try {
                pause = Duration.ofSeconds(
                        headers.firstValueAsLong("retry-after").orElse(0));
            } catch (NumberFormatException e) {
                // a date: our own pause will do
            }
            throw new Busy(
                    status == 429
                            ? "The hub refuses further requests for a while (429, too many requests). Try again in some"
                                    + " minutes"
                                    + (settings.token().isEmpty()
                                            ? ", or set HF_TOKEN: who logs in may ask more often."
                                            : ".")
                            : "The hub is in trouble (status " + status + "). Try again later.",
                    pause);
        }
        if (code.equals("GatedRepo") || status == 403) {
            return new TomeException("The model " + id + " is gated (" + status + "): accept its licence at " + page
                    + ", then set HF_TOKEN to a token of the same account"
                    + (settings.token().isEmpty() ? "." : "; the one that is set is not let in."));
        }
        if (status == 401) {
            return new TomeException(
                    settings.token().isEmpty()
                            ? "The hub does not show the model " + id
                                    + " to everyone (401): it does not exist (is the id"
                                    + " right?), or it is private or gated. For those, set HF_TOKEN."
                            : "The hub does not show the model " + id
                                    + " with this token (401): the token is not valid (see"
                                    + " HF_TOKEN), or the model does not exist.");
        }
        if (status == 404 && code.equals("RepoNotFound")) {
            return new TomeException(
                    "There is no model " + id + " on the hub (404), or it is private: see " + page + ".");
        }
        if (status == 404 && code.equals("RevisionNotFound")) {
            return TomeException.about(
                    "revision",
                    "The model " + id + " has not " + what + " on the hub (404), or does not exist: see " + page + ".");
        }
        if (status == 404) {
            return new TomeException(
                    "The model " + id + " has not " + what + " on the hub (404), or does not exist: see " + page + ".");
        }
        return new TomeException(
                "The hub answered with status " + status + " when asked for " + what + " of " + id + ".");
    }
}
