package io.tome4j.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Tensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.Tensor;

/** The golden fixtures that {@code reference/} makes. */
public final class Fixtures {
    private Fixtures() {}

    public static Path path(String name) {
        return Path.of(System.getProperty("tome4j.fixtures")).resolve(name);
    }

    /** Copies a pipeline's folder, but for the files that are not wanted. */
    static void copy(String pipeline, Path target, Predicate<Path> wanted) {
        Path source = path(pipeline);
        try (var files = Files.walk(source)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path relative = source.relativize(file);
                if (wanted.test(relative)) {
                    Path copy = target.resolve(relative.toString());
                    Files.createDirectories(copy.resolveSibling("."));
                    Files.copy(file, copy);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The list under {@code cases} of a fixture's JSON. */
    public static List<JsonNode> cases(String name) {
        try {
            JsonNode cases = new ObjectMapper().readTree(path(name).toFile()).get("cases");
            return StreamSupport.stream(cases.spliterator(), false).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Options as the fixtures name them, with tomesd's defaults for those absent, to behave exactly as tomesd. */
    public static ToMeOptions tomesdOptions(JsonNode node) {
        ToMeOptions d = ToMeOptions.ratio(0.5);
        return ToMeOptions.ratio(node.path("ratio").asDouble(d.ratio()))
                .maxDownsample(node.path("max_downsample").asInt(d.maxDownsample()))
                .stride(node.path("sx").asInt(d.sx()), node.path("sy").asInt(d.sy()))
                .useRand(node.path("use_rand").asBoolean(d.useRand()))
                .mergeAttn(node.path("merge_attn").asBoolean(d.mergeAttn()))
                .mergeCrossattn(node.path("merge_crossattn").asBoolean(d.mergeCrossattn()))
                .mergeMlp(node.path("merge_mlp").asBoolean(d.mergeMlp()))
                .mode(ToMeOptions.Mode.TOMESD);
    }

    /** The largest absolute difference of two tensors of the same shape. */
    public static double maxDifference(Tensor actual, Tensor expected) {
        float[] a = Tensors.floats(actual);
        float[] b = Tensors.floats(expected);
        if (!java.util.Arrays.equals(Tensors.shape(actual), Tensors.shape(expected))) {
            throw new AssertionError("The shape is " + java.util.Arrays.toString(Tensors.shape(actual)) + ", not "
                    + java.util.Arrays.toString(Tensors.shape(expected)));
        }
        double most = 0;
        for (int i = 0; i < a.length; i++) {
            double difference = Math.abs(a[i] - (double) b[i]);
            most = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(most, difference);
        }
        return most;
    }
}
