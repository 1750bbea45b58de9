package io.tome4j.spark;

import io.tome4j.diffusion.Request;
import io.tome4j.tensor.Option;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/** One row of the prompts. */
final class PromptRow {
    private final Row row;

    PromptRow(Row row) {
        this.row = row;
    }

    /** Its key; never null, for rows without one are refused before. */
    String key() {
        return String.valueOf(value(Columns.KEY));
    }

    /**
     * The request it stands for. Its seed is the row's, or drawn from its key: wherever it is made, it is the same image.
     *
     * @throws IllegalArgumentException if it has no prompt, or a value that cannot be
     */
    Request request(BatchSettings settings) {
        Object prompt = value(Columns.PROMPT);
        if (prompt == null) {
            throw new IllegalArgumentException("There is no prompt");
        }
        Request request = settings.request(prompt.toString()).seed(seedOf(key()));
        for (String name : row.schema().fieldNames()) {
            Option<?> option = Columns.option(name).orElse(null);
            Object value = value(name);
            if (option != null && value != null) {
                request = request.withText(option, text(option, value));
            }
        }
        return request;
    }

    /** A cell as an option's text: tables hold whole numbers as 20.0, too. */
    private static String text(Option<?> option, Object value) {
        boolean whole = option.defaultValue() instanceof Integer || option.defaultValue() instanceof Long;
        if (whole && value instanceof Number cell && !(value instanceof Long)) {
            double number = cell.doubleValue();
            if (number == Math.rint(number) && Math.abs(number) < 1L << 53) {
                return Long.toString((long) number);
            }
        }
        return value.toString();
    }

    private @Nullable Object value(String column) {
        return row.get(row.fieldIndex(column));
    }

    /** A seed of 32 bits: the first of the key's SHA-256. */
    static long seedOf(String key) {
        return Integer.toUnsignedLong(ByteBuffer.wrap(sha256(key)).getInt());
    }

    /** A key's SHA-256, in hexadecimal. */
    static String hash(String key) {
        return HexFormat.of().formatHex(sha256(key));
    }

    private static byte[] sha256(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }
}
