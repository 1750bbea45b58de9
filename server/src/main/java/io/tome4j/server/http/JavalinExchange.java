package io.tome4j.server.http;

import io.javalin.http.Context;
import jakarta.servlet.MultipartConfigElement;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.Part;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** An exchange in Javalin. */
final class JavalinExchange implements Exchange {
    private static final long LONGEST_BODY_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int CHUNK = 1 << 16;
    private static final int MOST_PARTS = 64;

    /** Where Jetty looks for the limits of a form. */
    private static final String MULTIPART = "org.eclipse.jetty.multipartConfig";

    private final Context context;
    private final long maxBody;

    JavalinExchange(Context context, long maxBody) {
        this.context = context;
        this.maxBody = maxBody;
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
        long end = System.nanoTime() + LONGEST_BODY_NANOS;
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
        if (context.req().getContentLengthLong() > maxBody) {
            throw tooLarge();
        }
        int limit = (int) Math.min(maxBody, Integer.MAX_VALUE);
        context.req() // nothing is kept on disk
                .setAttribute(MULTIPART, new MultipartConfigElement("", maxBody, maxBody, limit));
        Map<String, List<String>> texts = new LinkedHashMap<>();
        Map<String, List<byte[]>> files = new LinkedHashMap<>();
        try {
            var parts = context.req().getParts();
            if (parts.size() > MOST_PARTS) {
                throw HttpError.of(400, "The form has " + parts.size() + " parts; it may have " + MOST_PARTS);
            }
            for (Part part : parts) {
                byte[] content;
                try (InputStream in = part.getInputStream()) {
                    content = in.readAllBytes();
                }
                if (part.getSubmittedFileName() == null) {
                    texts.computeIfAbsent(part.getName(), name -> new ArrayList<>())
                            .add(new String(content, StandardCharsets.UTF_8));
                } else {
                    files.computeIfAbsent(part.getName(), name -> new ArrayList<>())
                            .add(content);
                }
            }
        } catch (IOException e) {
            throw unreadable(e);
        } catch (ServletException | RuntimeException e) { // Jetty throws all sorts of a form that is damaged
            if (e instanceof HttpError error) {
                throw error;
            }
            boolean large = String.valueOf(e.getMessage()).contains("exceed")
                    || String.valueOf(e.getMessage()).contains("max");
            throw large ? tooLarge() : HttpError.of(400, "The body is no form of several parts (multipart/form-data)");
        }
        return new Form(texts, files);
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
