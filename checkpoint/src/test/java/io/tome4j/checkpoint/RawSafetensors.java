package io.tome4j.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes safetensors files byte by byte, right or wrong, so that the reader is not tested against our own writer. */
final class RawSafetensors {
    private RawSafetensors() {}

    static Path write(Path file, String header, byte... data) {
        return write(file, header.getBytes(StandardCharsets.UTF_8).length, header, data);
    }

    static Path write(Path file, long claimedLength, String header, byte... data) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(claimedLength).put(json).put(data);
        try {
            Files.createDirectories(file.getParent());
            return Files.write(file, bytes.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A file with one F32 tensor of the shape [1]. */
    static Path one(Path file, String name, float value) {
        byte[] data = ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .array();
        String header = "{\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        return write(file, header + " ".repeat(8 - header.length() % 8), data); // aligned, as others write it
    }
}
