package io.tome4j.evaluation.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SettingRunTest {
    private static final Request REQUEST =
            Request.of("an apple").seed(3).scheduler("ddim").steps(2).size(64, 64);
    private static final ToMeOptions HALF = ToMeOptions.ratio(0.5);
    private static StableDiffusionPipeline pipeline;

    private final List<Integer> steps = new ArrayList<>();
    private final SettingRun run = new SettingRun(pipeline, progress -> steps.add(progress.done()));

    @BeforeAll
    static void load() {
        pipeline = StableDiffusionPipeline.fromPretrained(
                Path.of(System.getProperty("tome4j.fixtures"))
                        .resolve("tiny-sd1")
                        .toString(),
                PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32));
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    @Test
    void theStepsOfAWarmUpAreNoneOfThoseThatAreShown() {
        run.warmUpEachKind(REQUEST, List.of(HALF, HALF.withRatio(0.25), HALF.method(ToMeOptions.Method.TODO)));
        assertThat(steps).containsExactly(0, 0, 0);
        run.make(REQUEST, HALF);
        assertThat(steps).containsExactly(0, 0, 0, 1, 2);
    }

    @Test
    void anImageDependsOnItsOwnSettingAlone() {
        Made unmerged = run.make(REQUEST, ToMeOptions.NONE);
        Made merged = run.make(REQUEST, HALF);
        Made again = run.make(REQUEST, ToMeOptions.NONE);
        assertThat(ImageMeasure.PSNR.between(unmerged.image(), merged.image())).isFinite();
        assertThat(ImageMeasure.PSNR.between(unmerged.image(), again.image())).isInfinite();
    }

    @Test
    void theTimesAreThoseOfTheRunsParts() {
        Made made = run.make(REQUEST, HALF);
        assertThat(made.times().steps()).hasSize(2).allMatch(seconds -> seconds > 0);
        assertThat(made.times().total())
                .isGreaterThan(made.times().denoising())
                .isLessThanOrEqualTo(Times.seconds(made.took()) + 1e-5); // each is rounded
        assertThat(made.map()).isEmpty();
    }

    @Test
    void recordingAMapChangesNothing() {
        Made mapped = run.make(REQUEST, HALF, MapPlace.middle(REQUEST.steps()));
        assertThat(mapped.map().orElseThrow().groups()).isEqualTo(32);
        assertThat(mapped.map().get().step()).isZero();
        assertThat(ImageMeasure.PSNR.between(run.make(REQUEST, HALF).image(), mapped.image()))
                .isInfinite();
        assertThatThrownBy(() -> run.make(REQUEST, HALF, new MapPlace(Optional.of("nowhere"), 0)))
                .hasMessageContaining("map_block is nowhere");
    }

    @Test
    void whatThePipelineIsPatchedWithDoesNotCount() {
        Made unmerged = run.make(REQUEST, ToMeOptions.NONE);
        ToMe.applyPatch(pipeline, HALF);
        try {
            assertThat(ImageMeasure.PSNR.between(
                            run.make(REQUEST, ToMeOptions.NONE).image(), unmerged.image()))
                    .isInfinite();
        } finally {
            ToMe.removePatch(pipeline);
        }
    }

    @Test
    void aRunCanBeStopped() {
        SettingRun stopped = new SettingRun(pipeline, progress -> false);
        assertThatThrownBy(() -> stopped.make(REQUEST, HALF)).isInstanceOf(CancellationException.class);
    }
}
