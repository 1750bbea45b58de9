package io.tome4j.server.http;

import io.tome4j.server.http.Exchange.Form;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.http.MultiPart;
import org.eclipse.jetty.http.MultiPartFormData;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.Blocker;

/** A body that is a form of several parts (RFC 7578), which is all in memory: nothing of it goes to the disk. */
final class FormBody {
    private static final int MOST_PARTS = 64;

    private FormBody() {}

    /** @throws HttpError 400 if it is no such form, or has too many parts */
    static Form read(String contentType, byte[] body) {
        String boundary = MultiPart.extractBoundary(contentType);
        if (boundary == null || boundary.isEmpty()) {
            throw none();
        }
        MultiPartFormData.Parser parser = new MultiPartFormData.Parser(boundary);
        parser.setMaxMemoryFileSize(-1); // any size stays there
        parser.setMaxParts(MOST_PARTS);
        Map<String, List<String>> texts = new LinkedHashMap<>();
        Map<String, List<byte[]>> files = new LinkedHashMap<>();
        Content.Source source = Content.Source.from(ByteBuffer.wrap(body));
        try (MultiPartFormData.Parts parts = Blocker.blockWithPromise(promise -> parser.parse(source, promise))) {
            for (MultiPart.Part part : parts) {
                if (part.getName() == null) {
                    throw none();
                }
                byte[] content = new byte[Math.toIntExact(part.getLength())];
                Content.Source.asByteBuffer(part.getContentSource()).get(content);
                if (part.getFileName() == null) {
                    texts.computeIfAbsent(part.getName(), name -> new ArrayList<>())
                            .add(new String(content, StandardCharsets.UTF_8));
                } else {
                    files.computeIfAbsent(part.getName(), name -> new ArrayList<>())
                            .add(content);
                }
            }
        } catch (IOException | RuntimeException e) { // Jetty throws all sorts of a form that is damaged
            throw String.valueOf(e.getMessage()).contains("max parts")
                    ? HttpError.of(400, "The form has more than " + MOST_PARTS + " parts")
                    : none();
        }
        return new Form(texts, files);
    }

    private static HttpError none() {
        return HttpError.of(400, "The body is no form of several parts (multipart/form-data)");
    }
}
