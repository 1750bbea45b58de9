package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.RenamedWeights;
import io.tome4j.models.upscale.RrdbConfig;
import io.tome4j.models.upscale.RrdbNet;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An ESRGAN in a file, under any of the names that its tensors have had: those of the first files ({@code model.1.sub.0.RDB1}),
 * of the authors' later ones ({@code RRDB_trunk}), and of Real-ESRGAN ({@code body.0.rdb1}). Its shape is told by them.
 */
public final class UpscalerFile {
    private static final String OPTION = "hires_upscaler";

    /** What some programs put before all names. */
    private static final Pattern PREFIX = Pattern.compile("^(params_ema|params|module|netG)\\.");

    private static final Pattern FIRST_NAMES = Pattern.compile("model\\.(\\d+)\\.(weight|bias)");
    private static final Pattern FIRST_BLOCKS =
            Pattern.compile("model\\.1\\.sub\\.(\\d+)\\.RDB(\\d)\\.conv(\\d)\\.0\\.(weight|bias)");
    private static final Pattern FIRST_AFTER = Pattern.compile("model\\.1\\.sub\\.\\d+\\.(weight|bias)");
    private static final Pattern LATER_BLOCKS = Pattern.compile("RRDB_trunk\\.(\\d+)\\.RDB(\\d)\\.(.*)");
    private static final Map<String, String> LATER =
            Map.of("trunk_conv.", "conv_body.", "upconv", "conv_up", "HRconv.", "conv_hr.");

    private final Weights.Source tensors;
    private final RrdbConfig config;

    private UpscalerFile(Weights.Source tensors, RrdbConfig config) {
        this.tensors = tensors;
        this.config = config;
    }

    /**
     * Reads what a file holds; its weights are read by {@link #load}.
     *
     * @throws TomeException if it is no safetensors file, or no ESRGAN, saying what it is
     */
    public static UpscalerFile of(Path path) {
        FileContents contents = FileContents.of(path);
        if (contents.kind() != FileKind.UPSCALER) {
            throw TomeException.about(
                    OPTION,
                    path + " is " + contents.kind().title()
                            + ", and no ESRGAN, which is the kind of upscaler that can be used.");
        }
        StoredTensors file = contents.tensors();
        Map<String, String> names = newNames(file);
        Map<String, long[]> shapes = new HashMap<>();
        names.forEach((stored, name) -> shapes.put(name, file.shape(stored)));
        return new UpscalerFile(RenamedWeights.of(file, names::get), config(path, shapes));
    }

    /** How many times wider and higher images become. */
    public int scale() {
        return config.scale();
    }

    /** Reads the weights. */
    public RrdbNet load(Placement placement) {
        return RrdbNet.of(Weights.of(tensors, placement), config);
    }

    private static RrdbConfig config(Path path, Map<String, long[]> shapes) {
        long[] first = shape(path, shapes, "conv_first.weight");
        long[] growing = shape(path, shapes, "body.0.rdb1.conv1.weight");
        int blocks = 1;
        while (shapes.containsKey("body." + blocks + ".rdb1.conv1.weight")) {
            blocks++;
        }
        int doublings = 0;
        while (shapes.containsKey("conv_up" + (doublings + 1) + ".weight")) {
            doublings++;
        }
        int folded =
                switch ((int) first[1]) {
                    case 3 -> 1;
                    case 12 -> 2;
                    case 48 -> 4;
                    default ->
                        throw TomeException.about(
                                OPTION,
                                "The upscaler " + path + " takes in " + first[1]
                                        + " channels: only those for images of three colours can be used.");
                };
        if (1 << doublings < folded) {
            throw TomeException.about(OPTION, "The upscaler " + path + " makes images smaller instead of larger.");
        }
        return new RrdbConfig((int) first[0], (int) growing[0], blocks, folded, doublings);
    }

    private static long[] shape(Path path, Map<String, long[]> shapes, String name) {
        long[] shape = shapes.get(name);
        if (shape == null || shape.length != 4) {
            throw TomeException.about(
                    OPTION,
                    "The upscaler " + path + " lacks the convolution '" + name
                            + "' (under Real-ESRGAN's names): it is damaged, or of another kind than ESRGAN.");
        }
        return shape;
    }

    /** By each stored name the one in Real-ESRGAN. */
    private static Map<String, String> newNames(StoredTensors file) {
        int last = 0; // of the first files' numbered layers
        for (String name : file.names()) {
            Matcher numbered = FIRST_NAMES.matcher(PREFIX.matcher(name).replaceFirst(""));
            last = numbered.matches() ? Math.max(last, Integer.parseInt(numbered.group(1))) : last;
        }
        Map<String, String> names = new HashMap<>();
        for (String name : file.names()) {
            names.put(name, newName(PREFIX.matcher(name).replaceFirst(""), last));
        }
        return names;
    }

    private static String newName(String name, int last) {
        Matcher block = FIRST_BLOCKS.matcher(name);
        if (block.matches()) {
            return "body." + block.group(1) + ".rdb" + block.group(2) + ".conv" + block.group(3) + "." + block.group(4);
        }
        Matcher after = FIRST_AFTER.matcher(name);
        if (after.matches()) {
            return "conv_body." + after.group(1);
        }
        Matcher numbered = FIRST_NAMES.matcher(name);
        if (numbered.matches()) {
            return layer(Integer.parseInt(numbered.group(1)), last, name) + "." + numbered.group(2);
        }
        Matcher later = LATER_BLOCKS.matcher(name);
        if (later.matches()) {
            return "body." + later.group(1) + ".rdb" + later.group(2) + "." + later.group(3);
        }
        return LATER.entrySet().stream()
                .filter(entry -> name.startsWith(entry.getKey()))
                .map(entry -> entry.getValue() + name.substring(entry.getKey().length()))
                .findFirst()
                .orElse(name);
    }

    /** The first files count all layers: each doubling is three of them, and activations stand between the last two. */
    private static String layer(int number, int last, String name) {
        if (number == 0) {
            return "conv_first";
        } else if (number == last) {
            return "conv_last";
        } else if (number == last - 2) {
            return "conv_hr";
        }
        return number % 3 == 0 ? "conv_up" + number / 3 : name;
    }
}
