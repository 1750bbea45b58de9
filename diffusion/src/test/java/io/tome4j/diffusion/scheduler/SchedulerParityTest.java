package io.tome4j.diffusion.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every trajectory of the fixtures, which diffusers' own schedulers made along made-up model outputs. */
class SchedulerParityTest {
    private static final Path FIXTURES = Path.of(System.getProperty("tome4j.fixtures"), "schedulers");
    private static final double TOLERANCE = 1e-5; // of the largest value

    @BeforeAll
    static void startEngine() {
        Engine.start();
    }

    static Stream<Case> cases() throws IOException {
        List<Case> cases = new ArrayList<>();
        for (JsonNode node : new ObjectMapper()
                .readTree(FIXTURES.resolve("cases.json").toFile())
                .get("cases")) {
            cases.add(new Case(node));
        }
        return cases.stream();
    }

    record Case(JsonNode node) {
        String text(String key) {
            return node.get(key).textValue();
        }

        /** The scheduler as its own config file asks for it. */
        Scheduler scheduler() {
            // The fixtures hold an infinity as a string; diffusers writes it bare.
            String json = node.get("config").toString().replace("\"-inf\"", "-Infinity");
            Config config = Config.parse(json, text("name")).with("_class_name", text("class"));
            Scheduler scheduler = Schedulers.fromConfig(config);
            JsonNode eta = node.get("step_options").get("eta");
            return eta == null ? scheduler : scheduler.withEta(eta.doubleValue());
        }

        long seed() {
            return node.get("generator_seed").asLong(0);
        }

        @Override
        public String toString() {
            return text("name");
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void trajectoryEqualsTheReference(Case fixture) {
        SafetensorsFile file = SafetensorsFile.open(FIXTURES.resolve(fixture + ".safetensors"));
        Scheduler scheduler = fixture.scheduler();
        assertThat(scheduler.name()).isEqualTo(fixture.text("scheduler"));
        try (var scope = TensorScope.open();
                Trajectory run = scheduler.start(fixture.node().get("steps").intValue());
                Generator noise = Tensors.generator(fixture.seed())) {
            assertSameTimesteps(run.timesteps(), doubles(file.load("timesteps")));
            double sigma = fixture.node().get("init_noise_sigma").doubleValue();
            assertThat(run.initNoiseSigma()).isCloseTo(sigma, within(sigma));

            Tensor samples = file.load("sample");
            Tensor outputs = file.load("model_output");
            boolean scales = fixture.node().get("scales_model_input").booleanValue();
            Tensor inputs = scales ? file.load("model_input") : samples;
            Tensor sample = Tensors.slice(samples, 0, 0, 1);
            float lastBit = 0;
            for (int i = 0; i < run.timesteps().length; i++) {
                // What a sample in the thousands (sigma 4096 at zero SNR) loses in its last bit stays lost.
                lastBit = Math.max(lastBit, Math.ulp((float) largest(Tensors.floats(sample))));
                Tensor input = run.scaleModelInput(sample, i);
                assertClose(input, Tensors.slice(inputs, 0, i, i + 1), lastBit, "model input " + i);
                sample = run.step(Tensors.slice(outputs, 0, i, i + 1), i, sample, noise);
                assertClose(sample, Tensors.slice(samples, 0, i + 1, i + 2), lastBit, "sample " + (i + 1));
            }
        }
    }

    private static Offset<Double> within(double size) {
        return offset(TOLERANCE * size);
    }

    private static double[] doubles(Tensor tensor) {
        float[] floats = Tensors.floats(tensor);
        double[] doubles = new double[floats.length];
        for (int i = 0; i < floats.length; i++) {
            doubles[i] = floats[i];
        }
        return doubles;
    }

    /** Whole timesteps are equal; those found from a noise level may differ in the last bit of the logarithm. */
    private static void assertSameTimesteps(double[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            double slack = actual[i] == Math.rint(actual[i]) && expected[i] == Math.rint(expected[i])
                    ? 0
                    : 1e-6 * Math.max(10, Math.abs(expected[i]));
            assertThat(actual[i]).isCloseTo(expected[i], offset(slack));
        }
    }

    private static void assertClose(Tensor actual, Tensor expected, float slack, String what) {
        assertThat(Tensors.shape(actual)).isEqualTo(Tensors.shape(expected));
        float[] is = Tensors.floats(actual);
        float[] should = Tensors.floats(expected);
        double limit = TOLERANCE * largest(should) + slack;
        for (int i = 0; i < should.length; i++) {
            assertThat(Math.abs((double) is[i] - should[i])).as(what).isLessThanOrEqualTo(limit);
        }
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
