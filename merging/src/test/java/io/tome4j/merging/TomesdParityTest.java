package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares with what {@code tomesd.merge.bipartite_soft_matching_random2d} gave: see {@code reference/}. */
class TomesdParityTest {
    private static final Path FIXTURES = Path.of(System.getProperty("tome4j.fixtures"), "merging");

    static Stream<Arguments> cases() throws IOException {
        JsonNode cases = new ObjectMapper()
                .readTree(FIXTURES.resolve("cases.json").toFile())
                .get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .map(c -> Arguments.of(
                        c.get("name").textValue() + " " + c.get("height") + "x" + c.get("width") + " ratio "
                                + c.get("ratio"),
                        c));
    }

    @Test
    void thereAreCasesOfEveryKind() throws IOException {
        var all = cases().map(a -> (JsonNode) a.get()[1]).toList();
        assertThat(all).hasSizeGreaterThan(30);
        assertThat(all).anyMatch(c -> c.get("ties").booleanValue());
        assertThat(all).anyMatch(c -> c.get("no_rand").booleanValue());
        assertThat(all).anyMatch(c -> c.get("height").intValue() % c.get("sy").intValue() != 0);
        assertThat(all).anyMatch(c -> c.get("batch").intValue() == 3);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void matchesMergesAndUnmergesAsTomesdDoes(String title, JsonNode c) {
        String name = c.get("name").textValue();
        var grid = new TokenGrid(c.get("height").intValue(), c.get("width").intValue());
        DestinationDraw draw = c.get("no_rand").booleanValue()
                ? DestinationDraw.TOP_LEFT
                : DestinationDraw.seeded(c.get("seed").longValue());
        int sx = c.get("sx").intValue();
        int sy = c.get("sy").intValue();
        SafetensorsFile file = SafetensorsFile.open(FIXTURES.resolve("cases.safetensors"));
        try (var scope = TensorScope.open()) {
            if (!c.get("no_rand").booleanValue()) {
                assertThat(draw.draw(grid.destinations(sx, sy), sx * sy))
                        .isEqualTo(Tensors.longs(file.load(name + ".draws")));
            }
            TokenMerge merge = BipartiteSoftMatching.random2d(
                    file.load(name + ".metric"), grid, sx, sy, c.get("r").longValue(), draw, Precision.INPUT);
            Tensor x = file.load(name + ".x");
            assertThat(merge.merge(x).size(1)).isEqualTo(c.get("merged_tokens").longValue());
            Tensor unmerged = merge.unmerge(merge.merge(x));
            if (c.get("ties").booleanValue()) {
                // Which of several equal tokens is taken is the sort's whim; that groups keep their mean is not.
                assertThat(Tensors.floats(unmerged.sum(1)))
                        .usingComparatorWithPrecision(1e-4f)
                        .containsExactly(Tensors.floats(x.sum(1)));
                assertThat(Tensors.floats(unmerged)).isNotEqualTo(Tensors.floats(x));
                return;
            }
            assertThat(Tensors.floats(unmerged))
                    .usingComparatorWithPrecision(1e-6f)
                    .containsExactly(Tensors.floats(file.load(name + ".unmerged")));
            if (merge instanceof MergePlan plan) {
                assertThat(owners(plan, grid, x.size(0))).isEqualTo(Tensors.longs(file.load(name + ".owner")));
            } else {
                assertThat(c.get("r").longValue()).isZero();
            }
        }
    }

    /** The token that each token was merged into, or itself: of a group the one that is a destination. */
    private static long[] owners(MergePlan plan, TokenGrid grid, long batch) {
        Tensor numbers = Tensors.of(
                java.util.stream.LongStream.range(0, batch * grid.tokens())
                        .map(i -> i % grid.tokens())
                        .toArray(),
                batch,
                grid.tokens(),
                1);
        return Tensors.longs(plan.unmerge(plan.keep(numbers)));
    }
}
