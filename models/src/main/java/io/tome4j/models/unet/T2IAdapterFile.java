package io.tome4j.models.unet;

import io.tome4j.checkpoint.RenamedWeights;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A T2I-Adapter in one file without a config: under diffusers' names, or those of the first T2I-Adapters.
 *
 * @param tensors by diffusers' names
 * @param config read off the shapes
 */
public record T2IAdapterFile(Weights.Source tensors, T2IAdapterConfig config) {
    private static final String PREFIX = "adapter.";
    private static final String CONV_IN = PREFIX + "conv_in.weight";
    private static final String BODY = PREFIX + "body.";

    /** Where the first adapters have a residual block: all in one list, or, light ones, in a list of each feature. */
    private static final Pattern FLAT = Pattern.compile("body\\.(\\d{1,3})\\.(block[12]|in_conv)\\.(weight|bias)");

    private static final Pattern NESTED =
            Pattern.compile("body\\.(\\d{1,3})\\.body\\.(\\d{1,3})\\.(block[12])\\.(weight|bias)");

    /** Features of the first adapters. */
    private static final int FEATURES = 4;

    /**
     * Reads what a file holds.
     *
     * @throws TomeException if it is no T2I-Adapter
     */
    public static T2IAdapterFile of(StoredTensors file) {
        Map<String, String> names = newNames(file);
        Map<String, long[]> shapes = new HashMap<>();
        names.forEach((stored, name) -> shapes.put(name, file.shape(stored)));
        return new T2IAdapterFile(RenamedWeights.of(file, names::get), config(shapes, file));
    }

    /** Whether the tensors are those of a T2I-Adapter. */
    public static boolean isOne(StoredTensors file) {
        return file.names().stream()
                .anyMatch(name -> name.startsWith(BODY)
                        || name.startsWith("body.0.resnets.")
                        || name.startsWith("body.0.block1.")
                        || name.startsWith("body.0.in_conv."));
    }

    /** @throws TomeException if the tensors are not those of a T2I-Adapter */
    public static void requireKind(StoredTensors file) {
        if (!isOne(file)) {
            throw new TomeException(file.origin("") + " is no T2I-Adapter: it has no tensor such as '" + BODY
                    + "0.resnets.0.block1.weight'.");
        }
    }

    /** By each stored name the one in diffusers. */
    private static Map<String, String> newNames(StoredTensors file) {
        requireKind(file);
        boolean isFlat = file.names().contains("body.0.block1.weight");
        int blocks = 0;
        for (String name : file.names()) {
            Matcher flat = FLAT.matcher(name);
            blocks = isFlat && flat.matches() ? Math.max(blocks, Integer.parseInt(flat.group(1)) + 1) : blocks;
        }
        int each = Math.max(1, blocks / FEATURES);
        Map<String, String> names = new HashMap<>();
        for (String name : file.names()) {
            Matcher nested = NESTED.matcher(name);
            Matcher flat = FLAT.matcher(name);
            if (nested.matches()) {
                names.put(
                        name,
                        BODY + nested.group(1) + ".resnets." + nested.group(2) + "." + nested.group(3) + "."
                                + nested.group(4));
            } else if (isFlat && flat.matches()) {
                int number = Integer.parseInt(flat.group(1));
                String within = flat.group(2).equals("in_conv") ? "" : "resnets." + number % each + ".";
                names.put(name, BODY + number / each + "." + within + flat.group(2) + "." + flat.group(3));
            } else {
                names.put(name, name.startsWith(PREFIX) ? name : PREFIX + name);
            }
        }
        return names;
    }

    private static T2IAdapterConfig config(Map<String, long[]> shapes, StoredTensors file) {
        boolean light = !shapes.containsKey(CONV_IN);
        String first = light ? BODY + "0.in_conv.weight" : CONV_IN;
        int resBlocks = count(shapes, BODY + "0.resnets.", ".block1.weight");
        int features = count(shapes, BODY, ".resnets.0.block1.weight");
        long[] sees = shapes.get(first);
        if (sees == null || sees.length != 4 || resBlocks == 0 || features == 0) {
            throw new TomeException("The T2I-Adapter " + file.origin("") + " is incomplete: it has no convolution '"
                    + (sees == null ? first : BODY + "0.resnets.0.block1.weight") + "'.");
        }
        List<Integer> channels = new ArrayList<>();
        for (int i = 0; i < (light ? features - 1 : features); i++) {
            String wide = BODY + i + (light ? ".out_conv.weight" : ".resnets.0.block1.weight");
            channels.add((int) shapes.getOrDefault(wide, sees)[0]);
        }
        for (T2IAdapterConfig.Type type : light
                ? List.of(T2IAdapterConfig.Type.LIGHT_ADAPTER)
                : List.of(T2IAdapterConfig.Type.FULL_ADAPTER, T2IAdapterConfig.Type.FULL_ADAPTER_XL)) {
            int downscale = type == T2IAdapterConfig.Type.FULL_ADAPTER_XL ? 16 : 8;
            for (int in : new int[] {3, 1}) {
                if (sees[1] == (long) in * downscale * downscale) {
                    return new T2IAdapterConfig(type, in, channels, resBlocks, downscale);
                }
            }
        }
        throw new TomeException(
                "The T2I-Adapter " + file.origin("") + " sees " + sees[1] + " values a position: those of"
                        + " images of 3 channels or 1, 8 or 16 pixels along a side, can be read without a config.");
    }

    private static int count(Map<String, long[]> shapes, String before, String after) {
        int count = 0;
        while (shapes.containsKey(before + count + after)) {
            count++;
        }
        return count;
    }
}
