package io.tome4j.evaluation.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.WholeFile;
import io.tome4j.evaluation.Differences;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finished cells, in a file of one JSON object a line, so that a benchmark can go on where it was cut off. The first line
 * says what was measured on which machine; to a file of another one nothing is added. A line that was cut off while it was
 * written is forgotten.
 */
final class ResultLog {
    private static final String SETTINGS = "settings";
    private static final String MACHINE = "machine";

    private final Optional<Path> file;
    private final Map<Cell, CellResult> results = new LinkedHashMap<>();

    private ResultLog(Optional<Path> file) {
        this.file = file;
    }

    /** Remembers as long as the process lives. */
    static ResultLog inMemory() {
        return new ResultLog(Optional.empty());
    }

    /**
     * Reads what a file has, or begins it.
     *
     * @throws TomeException if it belongs to other settings or another machine (the message says what differs), or cannot
     *     be read or written
     */
    static ResultLog open(Path file, BenchSettings settings, Machine machine) {
        ResultLog log = new ResultLog(Optional.of(file));
        ObjectNode header = Json.MAPPER.createObjectNode();
        header.set(SETTINGS, Json.of(settings));
        header.set(MACHINE, Json.of(machine));
        try {
            List<String> lines = completeLines(file);
            if (lines.isEmpty()) {
                write(file, header + "\n", StandardOpenOption.TRUNCATE_EXISTING);
            } else {
                log.read(lines, header, file);
            }
        } catch (IOException e) {
            throw new TomeException(
                    "The results in " + file + " cannot be read or written: " + WholeFile.reason(e) + ".", e);
        }
        return log;
    }

    /** Cuts off what follows the last end of line, so that what is added begins a line of its own. */
    private static List<String> completeLines(Path file) throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        byte[] text = Files.readAllBytes(file);
        int end = text.length;
        while (end > 0 && text[end - 1] != '\n') {
            end--;
        }
        if (end < text.length) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(end);
            }
        }
        return new String(text, 0, end, StandardCharsets.UTF_8).lines().toList(); // what is no UTF-8 is no JSON either
    }

    private void read(List<String> lines, ObjectNode expected, Path file) {
        int number = 0;
        try {
            for (String line : lines) {
                JsonNode json = Json.MAPPER.readTree(line);
                number++;
                if (number == 1) {
                    requireSame(json, expected, file);
                } else {
                    CellResult result = Json.result(json);
                    results.put(result.cell(), result);
                }
            }
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new TomeException(
                    "Line " + (number + 1) + " of " + file + " is no result of a benchmark: delete the file, or choose"
                            + " another one.",
                    e);
        }
    }

    private static void requireSame(JsonNode found, ObjectNode expected, Path file) {
        List<String> differences = new ArrayList<>();
        for (String part : List.of(SETTINGS, MACHINE)) {
            differences.addAll(Differences.between(texts(found.path(part)), texts(expected.path(part))));
        }
        if (!differences.isEmpty()) {
            throw new TomeException("The results in " + file + " are those of another benchmark: "
                    + String.join("; ", differences)
                    + ". Choose another file, delete this one, or use the same settings to go on.");
        }
    }

    /** As texts, for a number that was read is of another class than one that was put. */
    private static Map<String, String> texts(JsonNode part) {
        Map<String, String> texts = new LinkedHashMap<>();
        part.properties()
                .forEach(entry -> texts.put(entry.getKey(), entry.getValue().toString()));
        return texts;
    }

    Optional<CellResult> find(Cell cell) {
        return Optional.ofNullable(results.get(cell));
    }

    List<CellResult> finished() {
        return List.copyOf(results.values());
    }

    /** Keeps results; when this returns they are on the disk. */
    void add(List<CellResult> more) {
        more.forEach(result -> results.put(result.cell(), result));
        if (file.isPresent() && !more.isEmpty()) {
            StringBuilder lines = new StringBuilder();
            more.forEach(result -> lines.append(Json.of(result)).append('\n'));
            try {
                write(file.get(), lines.toString(), StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new TomeException("The results in " + file.get() + " cannot be written: " + e, e);
            }
        }
    }

    private static void write(Path file, String text, StandardOpenOption how) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, how)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }
}
