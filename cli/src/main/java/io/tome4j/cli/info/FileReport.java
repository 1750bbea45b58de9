package io.tome4j.cli.info;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.cli.session.ReportJson;
import io.tome4j.cli.session.Shown;
import io.tome4j.models.singlefile.BaseModel;
import io.tome4j.models.singlefile.FileContents;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What a file of weights is, as text and as JSON. */
final class FileReport {
    /** Metadata of trainers runs to pages: the beginning of each value will do. */
    private static final int MOST_SHOWN = 100;

    private static final int INPAINTING_CHANNELS = 9;

    private FileReport() {}

    /** Whether a file is one of weights rather than an image: by its name, or by how a safetensors file or a pickle begins. */
    static boolean isOfWeights(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        for (String end : new String[] {".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf"}) {
            if (name.endsWith(end)) {
                return true;
            }
        }
        try (InputStream in = Files.isRegularFile(file) ? Files.newInputStream(file) : InputStream.nullInputStream()) {
            byte[] beginning = in.readNBytes(9);
            String text = new String(beginning, StandardCharsets.ISO_8859_1);
            return (beginning.length == 9 && beginning[8] == '{' && beginning[7] == 0) || text.startsWith("GGUF");
        } catch (IOException e) {
            return false; // it is said when the file is read
        }
    }

    static void print(FileContents contents, PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s: %s (%.1f MB, %d tensors, %s)%n",
                contents.path(),
                contents.kind().title(),
                contents.bytes() / 1e6,
                contents.count(),
                String.join(", ", contents.dtypes()));
        contents.base().ifPresent(base -> out.println("Family: " + base.title() + variety(contents)));
        contents.predictionType()
                .ifPresent(type -> out.println("Predicts: " + (type.equals("epsilon") ? "noise (epsilon)" : type)));
        contents.base().ifPresent(base -> out.println("Size: " + base.side() + "x" + base.side() + " pixels"));
        if (!contents.components().isEmpty()) {
            out.println("Parts: " + String.join(", ", contents.components()));
        }
        if (!contents.fits().isEmpty()) {
            out.println("Fits: " + contents.fits());
        }
        out.println("Use: " + contents.kind().use());
        contents.metadata()
                .forEach((key, value) ->
                        out.println("Metadata: " + Shown.harmless(key) + ": " + Shown.harmless(abbreviated(value))));
    }

    private static String variety(FileContents contents) {
        return (contents.inChannels() == INPAINTING_CHANNELS ? ", for inpainting" : "")
                + (contents.isConsistencyModel() ? ", a latent consistency model" : "");
    }

    private static String abbreviated(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= MOST_SHOWN ? line : line.substring(0, MOST_SHOWN) + " ...";
    }

    static ObjectNode json(FileContents contents) {
        ObjectNode json = ReportJson.object();
        json.put("file", contents.path().toString());
        json.put("kind", contents.kind().name().toLowerCase(Locale.ROOT));
        json.put("description", contents.kind().title());
        json.put("use", contents.kind().use());
        json.put("bytes", contents.bytes());
        json.put("tensors", contents.count());
        add(json.putArray("dtypes"), contents.dtypes());
        add(json.putArray("components"), contents.components());
        contents.base().map(BaseModel::id).ifPresent(id -> json.put("base", id));
        contents.base().ifPresent(base -> json.put("family", base.title()).put("size", base.side()));
        contents.predictionType().ifPresent(type -> json.put("prediction_type", type));
        if (contents.inChannels() > 0) {
            json.put("in_channels", contents.inChannels());
        }
        if (!contents.fits().isEmpty()) {
            json.put("fits", contents.fits());
        }
        ObjectNode metadata = json.putObject("metadata");
        contents.metadata().forEach(metadata::put);
        return json;
    }

    private static void add(ArrayNode array, Iterable<String> values) {
        values.forEach(array::add);
    }
}
