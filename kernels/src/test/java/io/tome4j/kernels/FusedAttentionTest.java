package io.tome4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each library against the formula in double precision. */
@EnabledIf("runsHere")
class FusedAttentionTest {
    /** Rounding weights and results to bf16: 2^-9 of each at most. */
    private static final double ROUNDING = 4e-3;

    static List<LibraryUnderTest> libraries() {
        return LibraryUnderTest.all();
    }

    static boolean runsHere() {
        return !libraries().isEmpty();
    }

    private static void onEach(Consumer<LibraryUnderTest> test) {
        libraries().forEach(test);
    }

    static IntStream sizes() {
        return IntStream.rangeClosed(1, 32).map(n -> 8 * n);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void everyHeadSizeIsComputedForOddNumbersOfQueriesAndKeys(int size) {
        var problem = new HeadProblem(size, 67 + size % 11, 145 + size % 7, size);
        onEach(library -> assertThat(HeadProblem.error(problem.solve(library), problem.expected()))
                .as(library.toString())
                .isLessThan(ROUNDING));
    }

    @ParameterizedTest(name = "{0} queries, {1} keys")
    @CsvSource({
        "1, 1",
        "1, 2",
        "2, 1",
        "5, 6",
        "63, 7",
        "64, 143",
        "65, 144",
        "16, 145",
        "17, 288",
        "128, 289",
        "130, 77"
    })
    void everyNumberOfQueriesAndKeysIsComputed(int rows, int count) {
        var problem = new HeadProblem(rows * 1000L + count, rows, count, 40);
        onEach(library -> assertThat(HeadProblem.error(problem.solve(library), problem.expected()))
                .as(library.toString())
                .isLessThan(ROUNDING));
    }

    /**
     * Beyond 88 an exponential overflows in fp32, below -87 it vanishes. Scores are scaled by powers of two times ln 2,
     * so that the scaled queries need not be rounded, which would change large scores by much.
     */
    @ParameterizedTest(name = "scores times 2^{0}")
    @ValueSource(ints = {-20, 2, 4, 7, 10, 20, 100})
    void scoresMayBeOfAnySize(int power) {
        var problem = new HeadProblem(3, 70, 400, 40).scale(Math.scalb(Math.log(2), power));
        var negative = new HeadProblem(3, 70, 400, 40).scale(-Math.scalb(Math.log(2), power));
        onEach(library -> {
            assertThat(HeadProblem.error(problem.solve(library), problem.expected()))
                    .as(library.toString())
                    .isLessThan(ROUNDING);
            assertThat(HeadProblem.error(negative.solve(library), negative.expected()))
                    .as(library.toString())
                    .isLessThan(ROUNDING);
        });
    }

    /** All keys alike but for a later block, whose scores are far above or below the first block's. */
    @ParameterizedTest(name = "first {0}, then {1}")
    @CsvSource({"0, 50", "0, 500", "0, -500", "-500, 0", "-500, -600", "-500, -400", "500, 600", "500, 400"})
    void aLaterBlockMayHaveQuiteOtherScores(float before, float after) {
        var problem = new HeadProblem(4, 66, 450, 16);
        problem.bias = new float[450];
        Arrays.fill(problem.bias, 0, 200, before);
        Arrays.fill(problem.bias, 200, 450, after);
        onEach(library -> assertThat(HeadProblem.error(problem.solve(library), problem.expected()))
                .as(library.toString())
                .isLessThan(ROUNDING));
    }

    @Test
    void constantInputsGiveTheConstant() {
        var problem = new HeadProblem(5, 65, 77, 40);
        Arrays.fill(problem.queries, 3);
        Arrays.fill(problem.keys, -2);
        Arrays.fill(problem.values, 0.75f);
        onEach(library -> assertThat(problem.solve(library)).containsOnly(0.75f));
    }

    @ParameterizedTest
    @CsvSource({"3e38", "1e38", "1e-30"})
    void valuesNearTheEndsOfTheRangeNeitherOverflowNorVanish(float magnitude) {
        var problem = new HeadProblem(6, 66, 145, 24).scale(4 * Math.log(2));
        for (int i = 0; i < problem.values.length; i++) {
            float share = (float) Math.max(-1, Math.min(1, problem.values[i]));
            problem.values[i] = Float.intBitsToFloat(Float.floatToIntBits(share * magnitude) & 0xffff0000);
        }
        onEach(library -> assertThat(scaled(problem.solve(library), magnitude))
                .usingComparatorWithPrecision(2e-2f)
                .containsExactly(scaled(toFloats(problem.expected()), magnitude)));
    }

    private static float[] toFloats(double[] numbers) {
        float[] floats = new float[numbers.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) numbers[i];
        }
        return floats;
    }

    private static float[] scaled(float[] numbers, float magnitude) {
        float[] scaled = numbers.clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] /= magnitude;
        }
        return scaled;
    }

    @Test
    void maskAndBiasAreAddedToTheScores() {
        var problem = new HeadProblem(7, 77, 150, 64);
        problem.mask = HeadProblem.normal(new Random(8), 77 * 150);
        problem.bias = HeadProblem.normal(new Random(9), 150);
        onEach(library -> assertThat(HeadProblem.error(problem.solve(library), problem.expected()))
                .as(library.toString())
                .isLessThan(ROUNDING));
    }

    @Test
    void whatIsMaskedDoesNotCount() {
        var problem = new HeadProblem(10, 80, 150, 40);
        problem.mask = new float[80 * 150];
        for (int row = 0; row < 80; row++) {
            Arrays.fill(problem.mask, row * 150 + row + 1, (row + 1) * 150, Float.NEGATIVE_INFINITY);
        }
        onEach(library -> assertThat(HeadProblem.error(problem.solve(library), problem.expected()))
                .as(library.toString())
                .isLessThan(ROUNDING));
    }

    @Test
    void aKeyOfWeightZeroDoesNotCount() {
        var problem = new HeadProblem(11, 20, 150, 40);
        problem.bias = new float[150];
        Arrays.fill(problem.bias, 0, 147, Float.NEGATIVE_INFINITY);
        onEach(library -> assertThat(HeadProblem.error(problem.solve(library), problem.expected()))
                .as(library.toString())
                .isLessThan(ROUNDING));
    }

    @Test
    void aRowWithoutAnyKeyIsNotANumberAndOneOfLowestScoresIsTheMean() {
        var problem = new HeadProblem(12, 3, 20, 8);
        problem.mask = new float[60];
        Arrays.fill(problem.mask, 20, 40, Float.NEGATIVE_INFINITY);
        Arrays.fill(problem.mask, 40, 60, -0x1.fep127f); // bf16's lowest
        var mean = new HeadProblem(12, 3, 20, 8).scale(0);
        onEach(library -> {
            float[] actual = problem.solve(library);
            assertThat(Arrays.copyOfRange(actual, 8, 16)).containsOnly(Float.NaN);
            assertThat(Arrays.copyOfRange(actual, 16, 24))
                    .containsExactly(Arrays.copyOfRange(mean.solve(library), 16, 24));
            assertThat(Arrays.copyOf(actual, 8)).doesNotContain(Float.NaN);
        });
    }

    @ParameterizedTest
    @CsvSource({"NaN", "Infinity"})
    void aQueryThatIsNotANumberSpoilsItsRowAlone(float value) {
        var problem = new HeadProblem(13, 70, 150, 40);
        onEach(library -> {
            float[] before = problem.solve(library);
            float good = problem.queries[20 * 40 + 7];
            problem.queries[20 * 40 + 7] = value;
            float[] after = problem.solve(library);
            problem.queries[20 * 40 + 7] = good;
            assertThat(Arrays.copyOfRange(after, 20 * 40, 21 * 40)).containsOnly(Float.NaN);
            System.arraycopy(before, 20 * 40, after, 20 * 40, 40);
            assertThat(HeadProblem.error(after, problem.expected())).isLessThan(ROUNDING);
        });
    }

    @Test
    void aKeyThatIsNotANumberSpoilsAllRowsAndAValueItsColumn() {
        var keys = new HeadProblem(14, 20, 30, 8);
        keys.keys[5 * 8] = Float.NaN;
        var values = new HeadProblem(14, 20, 30, 8);
        values.values[5 * 8 + 3] = Float.NaN;
        onEach(library -> {
            assertThat(keys.solve(library)).containsOnly(Float.NaN);
            float[] columns = values.solve(library);
            for (int i = 0; i < columns.length; i++) {
                assertThat(Float.isNaN(columns[i])).isEqualTo(i % 8 == 3);
            }
        });
    }

    @Test
    void aRangeOfTilesHasTheBitsOfTheWhole() {
        for (double scale : new double[] {0.1, 40}) { // without and with shifts
            var problem = new HeadProblem(15, 200, 301, 40).scale(scale);
            onEach(library -> {
                float[] whole = problem.solve(library);
                assertThat(problem.solve(library)).isEqualTo(whole);
                float[] part = problem.solve(library, 64, 192);
                assertThat(Arrays.copyOfRange(part, 64 * 40, 192 * 40))
                        .isEqualTo(Arrays.copyOfRange(whole, 64 * 40, 192 * 40));
                assertThat(Arrays.copyOf(part, 64 * 40)).containsOnly(0);
                assertThat(Arrays.copyOfRange(part, 192 * 40, 200 * 40)).containsOnly(0);
            });
        }
    }

    @Test
    void theScratchMemoryIsAllThatIsWrittenTo() {
        onEach(library -> {
            for (int size : new int[] {8, 40, 160, 256}) {
                for (int count : new int[] {1, 77, 144, 145}) {
                    long bytes = library.scratchBytes(count, size);
                    var memory = new NativeMemory(
                            bytes + 2L * size * (count + 1) + 3 * NativeMemory.bytesOf(64), library::address);
                    int rows = memory.take(2L * size * (count + 1));
                    int scratch = memory.take(bytes);
                    int behind = memory.take(64);
                    memory.putFp32(behind, 0, 42);
                    Matrix matrix = memory.matrix(rows, size);
                    library.attend(
                            new AttentionHead(matrix, matrix, matrix, matrix, Matrix.NONE, 0, 1, count, size, 1),
                            memory.address(scratch));
                    assertThat(memory.fp32(behind, 0)).isEqualTo(42);
                }
            }
        });
    }

    @Test
    void whatItCannotComputeIsRefused() {
        var attention = new FusedAttention();
        assertThat(List.of(8L, 40L, 256L)).allMatch(attention::takes);
        assertThat(List.of(0L, 4L, 41L, 264L)).noneMatch(attention::takes);
        var head = new AttentionHead(Matrix.NONE, Matrix.NONE, Matrix.NONE, Matrix.NONE, Matrix.NONE, 0, 1, 1, 41, 1);
        assertThatThrownBy(() -> attention.attend(head, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("size=41");
    }
}
