package io.tome4j.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * What a safetensors file says about itself: eight bytes with the header's length (little-endian), the header (JSON:
 * name to dtype, shape and offsets), then the data. It is believed only after checking:
 *
 * <ol>
 *   <li>the header lies within the file and within the format's limit of 100 MB, is valid JSON and names no tensor twice;
 *   <li>each tensor's dtype is known, and its shape and dtype make up just the bytes between its offsets;
 *   <li>together the tensors cover the data from its first byte to its last, without overlap or hole.
 * </ol>
 *
 * @param tensors by name, in the order in which their bytes lie in the file
 */
record SafetensorsHeader(Map<String, Entry> tensors, Map<String, String> metadata) {
    /** The format's own limit on the header, in bytes. */
    static final long MAX_LENGTH = 100_000_000;

    /** Bytes that are looked at before any is believed. */
    private static final int BEGINNING = 64;

    static final String METADATA = "__metadata__";

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /**
     * One tensor.
     *
     * @param position the first byte, counted from the start of the file
     * @param length in bytes
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Entry(String name, SafetensorsDType dtype, long[] shape, long position, long length) {
        long end() {
            return position + length;
        }
    }

    /** @throws TomeException naming file and tensor, if anything of the above does not hold */
    static SafetensorsHeader read(FileChannel channel, Path file) throws IOException {
        long size = channel.size();
        byte[] beginning =
                readFully(channel, 0, (int) Math.min(size, BEGINNING)).array();
        JsonFile.requireContent(beginning, file);
        OtherFormats.refuse(beginning, file);
        if (size < 8) {
            throw broken(file, "it has only " + size + " bytes, too few for a header");
        }
        long length = readFully(channel, 0, 8).getLong();
        if (length < 0 || length > MAX_LENGTH) {
            throw broken(
                    file,
                    "it claims a header of " + Long.toUnsignedString(length) + " bytes, where " + MAX_LENGTH
                            + " are allowed: this is probably not a safetensors file");
        }
        if (length > size - 8) {
            throw broken(
                    file,
                    "it claims a header of " + length + " bytes, but only " + (size - 8)
                            + " follow: the file is truncated, or no safetensors file");
        }
        return parse(readFully(channel, 8, (int) length).array(), 8 + length, size, file);
    }

    private static ByteBuffer readFully(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new IOException("the file ended while it was read");
            }
        }
        return buffer.flip();
    }

    private static SafetensorsHeader parse(byte[] json, long dataStart, long size, Path file) {
        if (json.length == 0 || json[0] != '{') {
            throw broken(file, "its header does not begin with '{': this is probably not a safetensors file");
        }
        ObjectNode header;
        try {
            if (!(JSON.readTree(json) instanceof ObjectNode object)) {
                throw broken(file, "its header is not a JSON object");
            }
            header = object;
        } catch (JsonProcessingException e) {
            throw broken(file, "its header is not valid JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw broken(file, "its header cannot be read: " + e.getMessage());
        }
        Map<String, String> metadata = metadata(header.remove(METADATA), file);
        List<Entry> entries = header.properties().stream()
                .map(property -> entry(property.getKey(), property.getValue(), dataStart, size, file))
                .sorted(Comparator.comparingLong(Entry::position).thenComparingLong(Entry::length))
                .toList();
        requireGapless(entries, dataStart, size, file);
        Map<String, Entry> tensors = new LinkedHashMap<>();
        entries.forEach(entry -> tensors.put(entry.name(), entry));
        return new SafetensorsHeader(Collections.unmodifiableMap(tensors), metadata);
    }

    private static Map<String, String> metadata(@org.jspecify.annotations.Nullable JsonNode node, Path file) {
        if (node == null) {
            return Map.of();
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        if (!node.isObject()) {
            throw broken(file, "its " + METADATA + " is not a JSON object");
        }
        for (var property : node.properties()) {
            if (!property.getValue().isTextual()) {
                throw broken(file, "the value of '" + property.getKey() + "' in its " + METADATA + " is not a string");
            }
            metadata.put(property.getKey(), property.getValue().textValue());
        }
        return Collections.unmodifiableMap(metadata);
    }

    private static Entry entry(String name, JsonNode node, long dataStart, long size, Path file) {
        var keys = new TreeSet<String>();
        node.fieldNames().forEachRemaining(keys::add);
        if (!keys.equals(new TreeSet<>(List.of("dtype", "shape", "data_offsets")))) {
            throw broken(file, name, "its description " + node + " has not just dtype, shape and data_offsets");
        }
        SafetensorsDType dtype = SafetensorsDType.named(node.get("dtype").asText());
        if (dtype == null) {
            throw broken(
                    file,
                    name,
                    "its dtype " + node.get("dtype") + " is not one that tome4j reads (" + SafetensorsDType.names()
                            + ")");
        }
        long[] shape = naturals(node.get("shape"), file, name, "shape");
        long[] offsets = naturals(node.get("data_offsets"), file, name, "data_offsets");
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw broken(file, name, "its data_offsets " + Arrays.toString(offsets) + " are not a begin and an end");
        }
        if (offsets[1] > size - dataStart) {
            throw broken(
                    file,
                    name,
                    "its data_offsets " + Arrays.toString(offsets) + " lie beyond the " + (size - dataStart)
                            + " bytes of data in the file, which is perhaps truncated");
        }
        long length = offsets[1] - offsets[0];
        if (!takesBytes(shape, dtype, length)) {
            throw broken(
                    file,
                    name,
                    "its shape " + Arrays.toString(shape) + " of " + dtype + " does not take the " + length
                            + " bytes between its data_offsets " + Arrays.toString(offsets));
        }
        return new Entry(name, dtype, shape, dataStart + offsets[0], length);
    }

    private static boolean takesBytes(long[] shape, SafetensorsDType dtype, long length) {
        try {
            long bytes = dtype.bytes();
            for (long dim : shape) {
                bytes = Math.multiplyExact(bytes, dim);
            }
            return bytes == length;
        } catch (ArithmeticException e) {
            return false;
        }
    }

    private static long[] naturals(JsonNode node, Path file, String name, String key) {
        boolean valid = node.isArray();
        for (JsonNode element : node) {
            valid &= element.isIntegralNumber() && element.canConvertToLong() && element.longValue() >= 0;
        }
        if (!valid) {
            throw broken(file, name, "its " + key + " " + node + " is not a list of integers that are not negative");
        }
        long[] values = new long[node.size()];
        Arrays.setAll(values, i -> node.get(i).longValue());
        return values;
    }

    private static void requireGapless(List<Entry> entries, long dataStart, long size, Path file) {
        long end = dataStart;
        String previous = "the header";
        for (Entry entry : entries) {
            if (entry.position() < end) {
                throw broken(file, entry.name(), "its bytes overlap those of " + previous);
            }
            if (entry.position() > end) {
                throw broken(
                        file,
                        entry.name(),
                        (entry.position() - end) + " bytes between it and " + previous + " belong to no tensor");
            }
            end = entry.end();
            previous = "'" + entry.name() + "'";
        }
        if (end != size) {
            throw broken(file, (size - end) + " bytes at its end, after " + previous + ", belong to no tensor");
        }
    }

    private static TomeException broken(Path file, String what) {
        return new TomeException("The safetensors file " + file + " cannot be used: " + what + ".");
    }

    private static TomeException broken(Path file, String tensor, String what) {
        return new TomeException(
                "The tensor '" + tensor + "' in the safetensors file " + file + " cannot be used: " + what + ".");
    }
}
