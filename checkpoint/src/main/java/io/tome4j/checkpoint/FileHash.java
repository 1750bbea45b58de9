package io.tome4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * SHA-256 hashes of large files, kept in a file beside other caches: a file is read again only when its size or the time it
 * was changed is another.
 */
public final class FileHash {
    private static final String NAME = "tome4j-hashes.json";
    private static final int PIECE = 1 << 20;

    private FileHash() {}

    /**
     * The hash of a file, in 64 hexadecimal digits; from the cache where it is there.
     *
     * @param cache the folder of the cache; where it cannot be written to, nothing is kept
     * @throws IOException if the file cannot be read
     */
    public static String sha256(Path file, Path cache) throws IOException {
        String key = file.toRealPath().toString();
        String state = Files.size(file) + " bytes of " + Files.getLastModifiedTime(file);
        Path kept = cache.resolve(NAME);
        JsonNode known = read(kept).path(key);
        if (known.path("file").asText().equals(state)) {
            return known.path("sha256").asText();
        }
        String hash = compute(file);
        try {
            Files.createDirectories(cache);
            ObjectNode all = read(kept); // once more: hashing takes its time, and others write, too
            all.putObject(key).put("file", state).put("sha256", hash);
            WholeFile.replace(kept, part -> Files.writeString(part, all.toString(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            // then it is computed again next time
        }
        return hash;
    }

    private static ObjectNode read(Path kept) {
        try {
            return Files.exists(kept) ? JsonFile.object(kept) : JsonFile.JSON.createObjectNode();
        } catch (TomeException e) {
            return JsonFile.JSON.createObjectNode(); // damaged: begun anew
        }
    }

    private static String compute(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] piece = new byte[PIECE];
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                digest.update(piece, 0, count);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }
}
