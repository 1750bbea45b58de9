package io.tome4j.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TomeException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The small files of a checkpoint, read with mistrust: each must be a regular file of a sane size, UTF-8, and one JSON
 * object with nothing after it. Works in a thread that was interrupted, too.
 */
public final class JsonFile {
    private static final int MOST_BYTES = 100_000_000;
    private static final byte[] LFS_POINTER =
            "version https://git-lfs.github.com/spec/".getBytes(StandardCharsets.UTF_8);

    static final JsonMapper JSON = JsonMapper.builder()
            // Python writes infinities, and DPM-Solver's default lambda_min_clipped is one.
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonFile() {}

    /**
     * Reads a file that holds a JSON object.
     *
     * @throws TomeException if it is missing, unreadable, a pointer of Git LFS, or not a JSON object
     */
    public static ObjectNode object(Path file) {
        return parse(text(file), file.toString());
    }

    /** @param origin where the text comes from, for messages */
    static ObjectNode parse(String json, String origin) {
        try {
            if (JSON.readTree(json) instanceof ObjectNode object) {
                return object;
            }
            throw new TomeException(origin + " is not a JSON object.");
        } catch (JsonProcessingException e) {
            throw new TomeException(origin + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /**
     * Reads a file of text.
     *
     * @throws TomeException if it is missing, unreadable, a pointer of Git LFS, or not UTF-8
     */
    public static String text(Path file) {
        try {
            requireRegular(file);
            if (Files.size(file) > MOST_BYTES) {
                throw new TomeException("The file " + file + " has " + Files.size(file) + " bytes, where at most "
                        + MOST_BYTES + " are read: it is not what its name says.");
            }
            byte[] bytes;
            try (InputStream in = new FileInputStream(file.toFile())) { // not a channel, which an interrupt closes
                bytes = in.readNBytes(MOST_BYTES);
            }
            requireContent(bytes, file);
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (NoSuchFileException e) {
            throw new TomeException("The file " + file + " is missing: the checkpoint is incomplete.", e);
        } catch (CharacterCodingException e) {
            throw new TomeException("The file " + file + " is not UTF-8 text: it is damaged.", e);
        } catch (IOException e) {
            throw new TomeException("The file " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * Requires a file with content: opening a pipe would wait for a writer, and a device never ends.
     *
     * @throws NoSuchFileException if there is none
     * @throws TomeException if it is something else
     */
    static void requireRegular(Path file) throws NoSuchFileException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        if (!Files.isRegularFile(file)) {
            throw new TomeException((Files.isDirectory(file) ? "The folder " : "The pipe or device ") + file
                    + " lies where a file belongs: the checkpoint is damaged.");
        }
    }

    /**
     * Requires that a file is not what Git leaves in the place of a large file.
     *
     * @param beginning the first bytes of the file, 40 or more where it has as many
     */
    static void requireContent(byte[] beginning, Path file) {
        for (int i = 0; i < LFS_POINTER.length; i++) {
            if (i >= beginning.length || beginning[i] != LFS_POINTER[i]) {
                return;
            }
        }
        throw new TomeException("The file " + file + " is a pointer of Git LFS and not the file itself: the repository"
                + " was cloned without Git LFS. Install it (git lfs install), then run 'git lfs pull' in the"
                + " repository's folder.");
    }
}
