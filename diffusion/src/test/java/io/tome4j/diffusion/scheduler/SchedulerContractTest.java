package io.tome4j.diffusion.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.util.List;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every scheduler, each over the config of Stable Diffusion 1.5. */
class SchedulerContractTest {
    private static final int STEPS = 6;

    @BeforeAll
    static void startEngine() {
        Engine.start();
    }

    static List<String> names() {
        return Schedulers.names();
    }

    private static Scheduler scheduler(String name) {
        return Schedulers.named(
                name,
                Config.parse(
                        """
                {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_start": 0.00085,
                 "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
                 "clip_sample": false, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
                 "trained_betas": null}""",
                        "scheduler_config.json"));
    }

    /** A run with a model that finds a fifth of its input to be noise. */
    private static float[] sample(String name, long seed, ScalarType modelType) {
        try (var scope = TensorScope.open();
                Trajectory run = scheduler(name).start(STEPS);
                Generator noise = Tensors.generator(seed)) {
            Tensor sample = Tensors.randn(noise, 2, 4, 3, 5).mul(new Scalar(run.initNoiseSigma()));
            for (int i = 0; i < run.timesteps().length; i++) {
                Tensor output = run.scaleModelInput(sample, i).to(modelType).mul(new Scalar(0.2));
                sample = run.step(output, i, sample, noise);
                assertThat(Tensors.dtype(sample)).isEqualTo(ScalarType.Float);
                output.zero_(); // a caller may reuse its buffers
            }
            return Tensors.floats(sample);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void hasTheNameItIsFoundBy(String name) {
        assertThat(scheduler(name).name()).isEqualTo(name);
    }

    @ParameterizedTest
    @MethodSource("names")
    void sameSeedGivesTheSameTrajectoryAndAnotherSeedAnother(String name) {
        assertThat(sample(name, 7, ScalarType.Float)).containsExactly(sample(name, 7, ScalarType.Float));
        assertThat(sample(name, 8, ScalarType.Float)).isNotEqualTo(sample(name, 7, ScalarType.Float));
    }

    @ParameterizedTest
    @MethodSource("names")
    void computesInFp32WhateverTheModelDoes(String name) {
        assertThat(sample(name, 7, ScalarType.BFloat16)).hasSize(120).doesNotContain(Float.NaN);
    }

    @ParameterizedTest
    @MethodSource("names")
    void stepsOutOfRangeAreRejectedByName(String name) {
        for (int steps : new int[] {0, -1, 5000}) {
            assertThatThrownBy(() -> scheduler(name).start(steps))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("'" + name + "' cannot run " + steps + " steps")
                    .hasMessageContaining("take 1 to 1000");
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void stepsAreTakenInOrderAndNotAfterClosing(String name) {
        try (var scope = TensorScope.open();
                Generator noise = Tensors.generator(0)) {
            Tensor sample = Tensors.randn(noise, 1, 4, 2, 2);
            Trajectory run = scheduler(name).start(STEPS);
            assertThatThrownBy(() -> run.step(sample, 1, sample, noise))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected index 0, got 1");
            assertThatThrownBy(() -> run.scaleModelInput(sample, run.timesteps().length))
                    .isInstanceOf(IllegalArgumentException.class);
            run.close();
            run.close();
            assertThatThrownBy(() -> run.step(sample, 0, sample, noise)).isInstanceOf(IllegalStateException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void wholeRunLeavesNoNativeObjects(String name) {
        sample(name, 1, ScalarType.Float);
        long before = TensorScope.liveObjects();
        sample(name, 1, ScalarType.Float);
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("names")
    void closingHalfWayFreesWhatTheRunRemembers(String name) {
        long before = TensorScope.liveObjects();
        try (Trajectory run = scheduler(name).start(STEPS)) {
            try (var scope = TensorScope.open();
                    Generator noise = Tensors.generator(0)) {
                Tensor sample = Tensors.randn(noise, 1, 4, 2, 2);
                for (int i = 0; i < 3; i++) {
                    run.step(sample, i, sample, noise);
                }
            }
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }
}
