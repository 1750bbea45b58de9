package io.tome4j.diffusion.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs from an image, and parts of runs, as diffusers' image-to-image pipelines drive its schedulers. */
class MiddleParityTest {
    private static final Path FIXTURES = Path.of(System.getProperty("tome4j.fixtures"), "schedulers-middle");
    private static final double TOLERANCE = 1e-5; // of the largest value

    @BeforeAll
    static void startEngine() {
        Engine.start();
    }

    private static JsonNode head() throws IOException {
        return new ObjectMapper().readTree(FIXTURES.resolve("cases.json").toFile());
    }

    static Stream<Case> cases() throws IOException {
        JsonNode head = head();
        return StreamSupport.stream(head.get("cases").spliterator(), false).map(node -> new Case(node, head));
    }

    static Stream<Case> casesWithParts() throws IOException {
        return cases().filter(one -> one.node().has("parts"));
    }

    record Case(JsonNode node, JsonNode head) {
        Scheduler scheduler() {
            String json = node.get("config").toString().replace("\"-inf\"", "-Infinity");
            return Schedulers.ofClass(node.get("class").textValue(), Config.parse(json, toString()));
        }

        int steps() {
            return node.get("steps").intValue();
        }

        double strength() {
            return node.get("strength").doubleValue();
        }

        Generator generator(String seed) {
            return Tensors.generator(
                    head.get(seed).longValue() + node.get("number").longValue());
        }

        @Override
        public String toString() {
            return node.get("scheduler").textValue() + "-" + steps() + "-" + strength() + "-" + node.get("number");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void runFromAnImageIsTheReferences(Case one) throws IOException {
        try (var scope = TensorScope.open();
                Generator draws = one.generator("draw_seed");
                Generator steps = one.generator("step_seed");
                Trajectory run = one.scheduler().start(one.steps(), one.strength())) {
            assertSameTimesteps(run.timesteps(), one.node().get("timesteps"));
            assertThat(run.order()).isEqualTo(one.node().get("order").intValue());

            var file = SafetensorsFile.open(FIXTURES.resolve("runs.safetensors"));
            Tensor expected = file.load(one.node().get("number").toString());
            Tensor original = Tensors.randn(draws, 1, 4, 1, 2);
            Tensor noise = Tensors.randn(draws, 1, 4, 1, 2);
            Tensor sample = run.addNoise(original, noise, 0);
            assertClose(sample, expected, 0);
            int calls = run.timesteps().length;
            assertThat(expected.size(0)).isEqualTo(calls + 2);
            if (calls > 1) {
                assertClose(run.addNoise(original, noise, 1), expected, 1);
            }
            for (int i = 0; i < calls; i++) {
                Tensor input = run.scaleModelInput(sample, i);
                Tensor output = Tensors.randn(draws, 1, 4, 1, 2).add(input.mul(new Scalar(0.25)));
                sample = run.step(output, i, sample, steps);
                assertClose(sample, expected, i + 2);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("casesWithParts")
    void oneRunEndsWhereTheOtherTakesOver(Case one) {
        for (JsonNode part : one.node().get("parts")) {
            double share = part.get("share").doubleValue();
            try (Trajectory first = one.scheduler().start(one.steps());
                    Trajectory second = one.scheduler().start(one.steps())) {
                assertThat(first.callsBefore(share)).isEqualTo(part.get("first").intValue());
                assertSameTimesteps(second.startingAfter(share).timesteps(), part.get("second"));
            }
        }
    }

    @Test
    void latentConsistencyPipelinesSpreadAllStepsOverWhatIsLeft() throws IOException {
        for (JsonNode node : head().get("spread")) {
            Scheduler scheduler =
                    Schedulers.named(node.get("scheduler").textValue(), Config.parse("{}", "scheduler_config.json"));
            try (Trajectory run = scheduler.startSpread(
                    node.get("steps").intValue(), node.get("strength").doubleValue())) {
                assertSameTimesteps(run.timesteps(), node.get("timesteps"));
            }
        }
    }

    @Test
    void strengthThatLeavesNoStepIsAnErrorThatSaysSo() {
        Scheduler euler = Schedulers.named("euler", Config.parse("{}", "scheduler_config.json"));
        assertThatThrownBy(() -> euler.start(5, 0.1))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("of 5 steps none is left");
        for (double strength : new double[] {0, -1, 1.01, Double.NaN}) {
            assertThatThrownBy(() -> euler.start(5, strength))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("above 0 and at most 1");
        }
        Scheduler lcm = Schedulers.named("lcm", Config.parse("{}", "scheduler_config.json"));
        assertThatThrownBy(() -> lcm.startSpread(8, 0.1))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("5 are left");
    }

    @Test
    void runStartsAtAWholeStepAndBeforeItsFirst() {
        Scheduler heun = Schedulers.named("heun", Config.parse("{}", "scheduler_config.json"));
        try (var scope = TensorScope.open();
                Generator noise = Tensors.generator(0);
                Trajectory run = heun.start(5)) {
            assertThatThrownBy(() -> run.startingAt(3)).hasMessageContaining("a step has 2");
            assertThatThrownBy(() -> run.startingAt(9)).hasMessageContaining("No timestep 9");
            assertThatThrownBy(() -> run.startingAfter(1)).isInstanceOf(TomeException.class);
            assertThatThrownBy(() -> run.addNoise(Tensors.randn(noise, 1), Tensors.randn(noise, 1), 9))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(run.startingAt(2).startingAt(2).timesteps()).hasSize(5);
            Tensor sample = Tensors.randn(noise, 1, 4, 1, 1);
            run.step(sample, 0, sample, noise);
            assertThatThrownBy(() -> run.startingAt(2)).isInstanceOf(IllegalStateException.class);
        }
    }

    private static void assertSameTimesteps(double[] actual, JsonNode expected) {
        assertThat(actual).hasSize(expected.size());
        for (int i = 0; i < actual.length; i++) {
            double should = expected.get(i).doubleValue();
            double slack = actual[i] == Math.rint(actual[i]) && should == Math.rint(should)
                    ? 0
                    : 1e-6 * Math.max(10, Math.abs(should));
            assertThat(actual[i]).isCloseTo(should, offset(slack));
        }
    }

    private static void assertClose(Tensor actual, Tensor rows, int row) {
        float[] is = Tensors.floats(actual);
        float[] should = Tensors.floats(Tensors.slice(rows, 0, row, row + 1));
        double largest = 0;
        for (float value : should) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < should.length; i++) {
            assertThat(Math.abs((double) is[i] - should[i])).as("row %d", row).isLessThanOrEqualTo(TOLERANCE * largest);
        }
    }
}
