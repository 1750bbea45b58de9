package io.tome4j.diffusion;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** One change to a file of a checkpoint, as bad disks, bad programs and bad people make it. */
final class Damage {
    private static final int LENGTH = 8; // of what a safetensors file begins with, its header's length

    private static final String[] VALUES = {
        "null",
        "-1",
        "0",
        "1",
        "2",
        "3",
        "7",
        "16",
        "32",
        "64",
        "77",
        "1e999",
        "-1e999",
        "NaN",
        "-Infinity",
        "1000000000",
        "2147483647",
        "-2147483648",
        "4294967328",
        "9223372036854775807",
        "99999999999999999999999",
        "0.5",
        "1e-320",
        "true",
        "false",
        "\"\"",
        "\"x\"",
        "\"\\u0000\"",
        "\"silu\"",
        "\"gelu\"",
        "[]",
        "{}",
        "[1]",
        "[null]",
        "[[[[[[]]]]]]",
        "{\"a\":{}}",
        "[1000000000,1000000000,1000000000,1000000000]",
        "[0,0,0,0]",
        "[-32,-64,-64,-64]",
        "[32,64,64,4294967360]",
        "[2,2,2,2]",
        "[false,false,false,true]"
    };

    private static final String[] INSERTIONS = {
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\0", "0", "-", "9999999999", "\u00ff", "\n", "null", "[[[[[["
    };

    private final Random random;
    private String description = "";

    Damage(Random random) {
        this.random = random;
    }

    /** The changed content of a file. */
    byte[] of(Path file, byte[] whole) {
        if (file.toString().endsWith(".safetensors")) {
            return ofTensors(whole);
        }
        return file.toString().endsWith(".json") && random.nextInt(3) > 0 ? value(whole) : bytes(whole);
    }

    private byte[] ofTensors(byte[] whole) {
        ByteBuffer buffer = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
        int end = LENGTH + (int) buffer.getLong();
        byte[] length = Arrays.copyOf(whole, LENGTH);
        byte[] header = Arrays.copyOfRange(whole, LENGTH, end);
        byte[] data = Arrays.copyOfRange(whole, end, whole.length);
        switch (random.nextInt(10)) {
            case 0 -> length = bytes(length);
            case 1 -> data = bytes(data);
            case 2, 3, 4 -> header = value(header);
            default -> header = bytes(header);
        }
        if (random.nextInt(3) > 0 && length.length == LENGTH) {
            description += ", with its length";
            ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length);
        }
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        joined.writeBytes(length);
        joined.writeBytes(header);
        joined.writeBytes(data);
        return joined.toByteArray();
    }

    /** Another value in the place of one in JSON. */
    private byte[] value(byte[] json) {
        String text = new String(json, StandardCharsets.UTF_8);
        List<Integer> colons = new ArrayList<>();
        boolean inString = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (inString && c == '\\') {
                i++;
            } else if (c == '"') {
                inString = !inString;
            } else if (c == ':' && !inString) {
                colons.add(i);
            }
        }
        if (colons.isEmpty()) {
            return bytes(json);
        }
        int begin = colons.get(random.nextInt(colons.size())) + 1;
        int end = endOfValue(text, begin);
        String other = VALUES[random.nextInt(VALUES.length)];
        description = "at " + begin + " " + text.substring(Math.max(0, begin - 40), begin) + other;
        return (text.substring(0, begin) + other + text.substring(end)).getBytes(StandardCharsets.UTF_8);
    }

    private static int endOfValue(String text, int begin) {
        int depth = 0;
        boolean inString = false;
        for (int i = begin; i < text.length(); i++) {
            char c = text.charAt(i);
            if (inString && c == '\\') {
                i++;
            } else if (c == '"') {
                inString = !inString;
            } else if (!inString && (c == '[' || c == '{')) {
                depth++;
            } else if (!inString && (c == ']' || c == '}') && depth-- == 0) {
                return i;
            } else if (!inString && c == ',' && depth == 0) {
                return i;
            }
        }
        return text.length();
    }

    /** Bits turned, bytes left out, put in, said twice, drawn at random, or all from one on lost. */
    private byte[] bytes(byte[] whole) {
        if (whole.length == 0) {
            return whole;
        }
        int at = random.nextInt(whole.length);
        int kind = random.nextInt(6);
        int length = Math.min(1 + random.nextInt(kind == 3 ? 60 : 20), whole.length - at);
        byte[] middle = Arrays.copyOfRange(whole, at, at + length);
        switch (kind) {
            case 0 -> middle[0] ^= (byte) (1 << random.nextInt(8));
            case 1 -> middle = new byte[0];
            case 2 ->
                middle = (INSERTIONS[random.nextInt(INSERTIONS.length)]
                                + new String(middle, StandardCharsets.ISO_8859_1))
                        .getBytes(StandardCharsets.ISO_8859_1);
            case 3 -> middle = joined(middle, middle);
            case 4 -> random.nextBytes(middle);
            default -> {
                description = "ends at " + at;
                return Arrays.copyOf(whole, at);
            }
        }
        description = "bytes at " + at + ", kind " + kind + ", " + length;
        return joined(Arrays.copyOf(whole, at), middle, Arrays.copyOfRange(whole, at + length, whole.length));
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            joined.writeBytes(part);
        }
        return joined.toByteArray();
    }

    @Override
    public String toString() {
        return description;
    }
}
