package io.tome4j.server.http;

import io.javalin.http.Context;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/** An exchange in Javalin. */
final class JavalinExchange implements Exchange {
    private static final int CHUNK = 1 << 16;

    private final Context context;
    private final long maxBody;
    private final Duration patience;

    JavalinExchange(Context context, HttpSettings settings) {
        this.context = context;
        this.maxBody = settings.maxBody();
        this.patience = settings.patience();
    }

    @Override
    public String method() {
        return context.req().getMethod();
    }

    @Override
    public String path() {
        return context.path();
    }

    @Override
    public String pathParameter(String name) {
        return context.pathParam(name);
    }

    @Override
    public Optional<String> query(String name) {
        return Optional.ofNullable(context.queryParam(name));
    }

    @Override
    public Optional<String> header(String name) {
        return Optional.ofNullable(context.header(name));
    }

    @Override
    public String client() {
        return context.ip();
    }

    @Override
    public byte[] body() {
        long announced = context.req().getContentLengthLong();
        if (announced > maxBody) {
            throw tooLarge();
        }
        long end = System.nanoTime() + patience.toNanos();
        ByteArrayOutputStream all = new ByteArrayOutputStream((int) Math.max(CHUNK, Math.min(announced, 1 << 20)));
        byte[] chunk = new byte[CHUNK];
        try (InputStream in = context.req().getInputStream()) {
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                all.write(chunk, 0, read);
                if (all.size() > maxBody) {
                    throw tooLarge();
                }
                if (System.nanoTime() > end) {
                    throw HttpError.of(408, "The body did not come in time").header("Connection", "close");
                }
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
        return all.toByteArray();
    }

    private HttpError tooLarge() {
        return HttpError.of(413, "The body has more than " + maxBody + " bytes")
                .header("Connection", "close"); // nobody is to send, or read, the rest
    }

    private static HttpError unreadable(Exception e) {
        boolean late = e.getCause() instanceof TimeoutException || e instanceof java.io.InterruptedIOException;
        return HttpError.of(late ? 408 : 400, "The body could not be read").header("Connection", "close");
    }

    @Override
    public Form form() {
        return FormBody.read(header("Content-Type").orElse(""), body());
    }

    @Override
    public void answerHeader(String name, String value) {
        context.header(name, value);
    }

    @Override
    public void answer(int status, String contentType, byte[] body) {
        context.status(status).contentType(contentType).result(body);
    }

    @Override
    public OutputStream answerInParts(String contentType) {
        context.res().setStatus(200);
        context.res().setContentType(contentType);
        context.res().setHeader("Cache-Control", "no-store");
        context.res().setHeader("X-Accel-Buffering", "no");
        try {
            return context.res().getOutputStream();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
