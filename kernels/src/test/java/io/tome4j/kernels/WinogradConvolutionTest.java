package io.tome4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each library against the definition in double precision. */
@EnabledIf("runsHere")
class WinogradConvolutionTest {
    /** The rounding of weights, pixels and results: 0.4% of random numbers, of which a result's alone is 0.17%. */
    private static final double ROUNDING = 5.5e-3;

    static boolean runsHere() {
        return FusedAttentionTest.runsHere();
    }

    private static void onEach(Consumer<LibraryUnderTest> test) {
        LibraryUnderTest.all().forEach(test);
    }

    private static void assertSolved(ConvolutionProblem problem) {
        double[] expected = problem.expected();
        onEach(library -> assertThat(HeadProblem.error(problem.solve(library), expected))
                .as(library.toString())
                .isLessThan(ROUNDING));
    }

    @ParameterizedTest(name = "{0} to {1} channels")
    @CsvSource({"16, 16", "32, 64", "48, 80", "16, 96", "80, 48", "64, 128", "112, 144", "96, 208"})
    void allMultiplesOf16ChannelsAreComputed(int in, int out) {
        assertSolved(new ConvolutionProblem(in * 1000L + out, 2, 8, 6, in, out));
    }

    @ParameterizedTest(name = "{0} x {1} x {2}")
    @CsvSource({"1, 1, 1", "1, 1, 2", "1, 2, 1", "3, 3, 3", "1, 2, 9", "2, 7, 4", "1, 14, 14", "1, 20, 11", "5, 5, 5"})
    void everySizeIsComputed(int images, int height, int width) {
        assertSolved(new ConvolutionProblem(height * 100L + width, images, height, width, 32, 32));
    }

    /** What is the same everywhere needs no rounding: sums of few ones are exact, and differences vanish. */
    @Test
    void onesAreCounted() {
        var problem = new ConvolutionProblem(1, 1, 5, 5, 16, 16);
        Arrays.fill(problem.x, 1);
        Arrays.fill(problem.weights, 1);
        Arrays.fill(problem.bias, 0);
        onEach(library -> {
            float[] result = problem.solve(library);
            for (int pixel = 0; pixel < 25; pixel++) {
                int rows = pixel / 5 % 4 == 0 ? 2 : 3; // that lie inside
                int columns = pixel % 5 % 4 == 0 ? 2 : 3;
                assertThat(Arrays.copyOfRange(result, pixel * 16, pixel * 16 + 16))
                        .containsOnly(16 * rows * columns);
            }
        });
    }

    @Test
    void theBiasIsAddedBeforeRounding() {
        var problem = new ConvolutionProblem(2, 1, 4, 4, 16, 32);
        for (int i = 0; i < problem.bias.length; i++) {
            problem.bias[i] = 64 + i;
        }
        assertSolved(problem);
    }

    @Test
    void numbersFarFromOneAreComputed() {
        for (float factor : new float[] {0x1p60f, 0x1p-60f}) {
            var problem = new ConvolutionProblem(3, 1, 6, 6, 32, 32);
            for (int i = 0; i < problem.x.length; i++) {
                problem.x[i] *= factor;
            }
            Arrays.fill(problem.bias, 0);
            assertSolved(problem);
        }
    }

    @Test
    void theBitsDoNotDependOnWhereTilesAndGroupsAreCutApart() {
        var problem = new ConvolutionProblem(4, 2, 14, 13, 48, 160); // 98 tiles, 3 groups
        onEach(library -> {
            float[] whole = problem.solve(library);
            float[] pieces = new float[whole.length];
            Arrays.fill(pieces, 42);
            for (long[] tiles : new long[][] {{0, 1}, {1, 50}, {50, 98}}) {
                for (long group = 0; group < problem.groups(); group++) {
                    float[] piece = problem.solve(library, tiles[0], tiles[1], group, group + 1);
                    for (int i = 0; i < piece.length; i++) {
                        if (piece[i] != 42) {
                            assertThat(pieces[i]).isEqualTo(42); // nobody else's
                            pieces[i] = piece[i];
                        }
                    }
                }
            }
            assertThat(pieces).isEqualTo(whole);
        });
    }

    @Test
    void anImageHasTheBitsThatItHasAlone() {
        var three = new ConvolutionProblem(5, 3, 7, 5, 32, 48);
        var alone = new ConvolutionProblem(5, 1, 7, 5, 32, 48);
        int size = 7 * 5;
        System.arraycopy(three.x, 2 * size * 32, alone.x, 0, size * 32);
        System.arraycopy(three.weights, 0, alone.weights, 0, alone.weights.length);
        System.arraycopy(three.bias, 0, alone.bias, 0, alone.bias.length);
        onEach(library -> assertThat(alone.solve(library))
                .isEqualTo(Arrays.copyOfRange(three.solve(library), 2 * size * 48, 3 * size * 48)));
    }

    @Test
    void aPixelThatIsNotANumberSpoilsItsTilesAlone() {
        var problem = new ConvolutionProblem(6, 1, 10, 10, 16, 16);
        onEach(library -> {
            float[] before = problem.solve(library);
            float good = problem.x[(5 * 10 + 5) * 16];
            problem.x[(5 * 10 + 5) * 16] = Float.NaN;
            float[] after = problem.solve(library);
            problem.x[(5 * 10 + 5) * 16] = good;
            for (int i = 0; i < after.length; i++) {
                int row = i / 160;
                int column = i / 16 % 10;
                boolean near = row >= 4 && row <= 7 && column >= 4 && column <= 7;
                if (near && Math.abs(row - 5) <= 1 && Math.abs(column - 5) <= 1) {
                    assertThat(after[i]).isNaN();
                } else if (!near) {
                    assertThat(after[i]).isEqualTo(before[i]);
                }
            }
        });
    }

    /** Smooth inputs are what feature maps are: their differences are small, and so is what rounding them costs. */
    @Test
    void smoothInputsLoseLessThanRandomOnes() {
        var random = new ConvolutionProblem(7, 1, 12, 12, 64, 32);
        var smooth = new ConvolutionProblem(7, 1, 12, 12, 64, 32);
        var numbers = new Random(8);
        for (int channel = 0; channel < 64; channel++) {
            double phase = numbers.nextDouble(6);
            for (int pixel = 0; pixel < 144; pixel++) {
                double value = 2 + Math.sin(phase + pixel / 12 * 0.2 + pixel % 12 * 0.1);
                smooth.x[pixel * 64 + channel] = Float.intBitsToFloat(Float.floatToIntBits((float) value) & 0xffff0000);
            }
        }
        Arrays.fill(smooth.weights, 0.5f);
        onEach(library -> assertThat(HeadProblem.error(smooth.solve(library), smooth.expected()))
                .isLessThan(HeadProblem.error(random.solve(library), random.expected())));
    }

    @Test
    void whatItCannotComputeIsRefused() {
        WinogradConvolution kernel = Kernels.here().convolution().orElseThrow();
        assertThat(kernel.takes(320, 320)).isTrue();
        assertThat(kernel.takes(320, 4)).isFalse();
        assertThat(kernel.takes(4, 320)).isFalse();
        assertThat(kernel.takes(0, 16)).isFalse();
        assertThatThrownBy(() -> kernel.arrange(0, 20, 16, 0, 16, 0)).isInstanceOf(IllegalArgumentException.class);
        var c = new Convolution(0, 0, 0, 0, 1, 4, 4, 16, 16);
        for (long[] wrong : List.of(
                new long[] {-1, 1, 0, 1, 0},
                new long[] {0, 5, 0, 1, 0},
                new long[] {0, 4, 0, 2, 0},
                new long[] {0, 4, -1, 1, 0},
                new long[] {0, 4, 0, 1, 8})) {
            assertThatThrownBy(() -> kernel.convolve(c, wrong[0], wrong[1], wrong[2], wrong[3], wrong[4]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("groups");
        }
    }
}
