package io.tome4j.diffusion.pixels;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.fixtures.Fixtures;
import java.util.Base64;
import java.util.List;

/** What PIL made: see {@code reference/parts/resampling.py}. */
final class PixelFixtures {
    static final List<JsonNode> ARITHMETIC = Fixtures.cases("pixels/arithmetic.json");

    private PixelFixtures() {}

    /** The only one of a kind. */
    static Pixels the(String what) {
        return pixels(all(what).get(0));
    }

    static List<JsonNode> all(String what) {
        return ARITHMETIC.stream()
                .filter(c -> c.get("what").textValue().equals(what))
                .toList();
    }

    static Pixels pixels(JsonNode c) {
        return new Pixels(
                c.get("width").intValue(),
                c.get("height").intValue(),
                c.get("bands").intValue(),
                Base64.getDecoder().decode(c.get("values").textValue()));
    }

    /** The largest difference of two values. */
    static int difference(Pixels a, Pixels b) {
        int most = 0;
        for (int i = 0; i < a.array().length; i++) {
            most = Math.max(most, Math.abs((a.array()[i] & 0xff) - (b.array()[i] & 0xff)));
        }
        return most;
    }

    static double meanDifference(Pixels a, Pixels b) {
        double sum = 0;
        for (int i = 0; i < a.array().length; i++) {
            sum += Math.abs((a.array()[i] & 0xff) - (b.array()[i] & 0xff));
        }
        return sum / a.array().length;
    }
}
