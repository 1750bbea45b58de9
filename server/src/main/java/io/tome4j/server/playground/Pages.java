package io.tome4j.server.playground;

import io.tome4j.server.http.Route;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The files that the page consists of. There are no others: nothing that a client asks for is looked up anywhere. */
final class Pages {
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml");

    private static final List<String> FILES = List.of(
            "index.html",
            "style.css",
            "app.js",
            "api.js",
            "begin.js",
            "compare-slider.js",
            "form.js",
            "report.js",
            "icon.svg");

    private final Map<String, byte[]> contents = new LinkedHashMap<>();

    private Pages() {}

    /** @throws TomeException if one of them is missing */
    static Pages load() {
        Pages pages = new Pages();
        for (String file : FILES) {
            try (InputStream in = Pages.class.getResourceAsStream(file)) {
                if (in == null) {
                    throw new TomeException("The resource " + file + " of the playground is missing.");
                }
                pages.contents.put(path(file), in.readAllBytes());
            } catch (IOException e) {
                throw new TomeException("The resource " + file + " of the playground cannot be read.", e);
            }
        }
        return pages;
    }

    private static String path(String file) {
        return file.equals("index.html") ? "/" : "/" + file;
    }

    boolean has(String path) {
        return contents.containsKey(path);
    }

    List<Route> routes() {
        return contents.entrySet().stream()
                .map(file -> Route.get(
                        file.getKey(), exchange -> exchange.answer(200, type(file.getKey()), file.getValue())))
                .toList();
    }

    private static String type(String path) {
        return TYPES.getOrDefault(path.equals("/") ? "html" : path.substring(path.lastIndexOf('.') + 1), "text/plain");
    }
}
