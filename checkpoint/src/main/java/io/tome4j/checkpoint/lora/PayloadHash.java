package io.tome4j.checkpoint.lora;

import io.tome4j.tensor.TomeException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What web UIs know a LoRA by: SHA-256 of all that comes after a safetensors file's header, so that a change of its
 * metadata leaves it the same.
 */
final class PayloadHash {
    private static final int PIECE = 1 << 20;

    private PayloadHash() {}

    /** All 64 digits. */
    static String of(Path file) {
        try (DataInputStream in =
                new DataInputStream(new BufferedInputStream(new FileInputStream(file.toFile()), PIECE))) {
            in.skipNBytes(Long.reverseBytes(in.readLong()));
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            byte[] piece = new byte[PIECE];
            for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
                sha256.update(piece, 0, read);
            }
            return HexFormat.of().formatHex(sha256.digest());
        } catch (IOException e) {
            throw new TomeException("The file " + file + " cannot be read: " + e.getMessage(), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }
}
