package io.tome4j.diffusion.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class BrownianPathTest {
    @BeforeAll
    static void startEngine() {
        Engine.start();
    }

    /** What {@code numpy.random.SeedSequence(entropy, spawn_key=..., pool_size=24).generate_state(4)} gives. */
    @Test
    void seedsAreNumpys() {
        assertThat(SeedSequence.of(0L)).containsExactly(4025752534L, 2687548107L, 2326983537L, 1576567101L);
        assertThat(SeedSequence.of(4321L)).containsExactly(2354693723L, 1359925123L, 3087446900L, 3961513490L);
        assertThat(SeedSequence.of(9223372036854775806L))
                .containsExactly(3156968272L, 2379751296L, 3908488982L, 167349476L);
        assertThat(SeedSequence.of(4321L, 0, 0)).containsExactly(1764234647L, 3070523524L, 1306059741L, 921760610L);
        assertThat(SeedSequence.of(4321L, 5, 3)).containsExactly(4062589492L, 2407221177L, 516298262L, 346903113L);
        assertThat(SeedSequence.of(1099511627783L, 8589934593L, 34))
                .containsExactly(1614522446L, 2128473930L, 2665677077L, 3566934801L);
        assertThat(SeedSequence.of(1L, 123456, 17)).containsExactly(3853337909L, 3886001516L, 1810649237L, 3756547210L);
    }

    @Test
    void thePathsSeedIsDrawnAsTorchDrawsIt() {
        try (Generator generator = Tensors.generator(5)) {
            assertThat(BrownianPath.drawSeed(generator)).isEqualTo(4095051218741643470L);
        }
    }

    @Test
    void incrementsOfPartsAddUpToThatOfTheWhole() {
        try (var scope = TensorScope.open()) {
            Tensor like = Tensors.of(new float[60], 1, 4, 3, 5);
            BrownianPath path = new BrownianPath(9, 0.03f, 14.6f, like);
            float[] upper = Tensors.floats(path.noise(9, 4));
            float[] lower = Tensors.floats(path.noise(4, 1.5f));
            float[] whole = Tensors.floats(path.noise(9, 1.5f));
            for (int i = 0; i < whole.length; i++) {
                double sum = upper[i] * Math.sqrt(5) + lower[i] * Math.sqrt(2.5);
                assertThat(whole[i] * Math.sqrt(7.5)).isCloseTo(sum, offset(1e-5));
            }
        }
    }

    @Test
    void incrementsHaveVarianceOne() {
        try (var scope = TensorScope.open()) {
            Tensor like = Tensors.of(new float[4 * 64 * 64], 1, 4, 64, 64);
            BrownianPath path = new BrownianPath(9, 0.03f, 14.6f, like);
            for (float to : new float[] {9.9f, 5, 0.2f}) {
                assertThat(path.noise(10, to).var().item_double()).isCloseTo(1, offset(0.05));
            }
        }
    }
}
