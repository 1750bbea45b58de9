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
    private static final ToMeOptions OPTIONS = ToMeOptions.ratio(0.5);
    private static final Savings HALF = Savings.of(OPTIONS);
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
        run.warmUpEachKind(
                REQUEST,
                List.of(
                        HALF,
                        Savings.of(OPTIONS.withRatio(0.25)),
                        Savings.of(OPTIONS.method(ToMeOptions.Method.TODO))));
        assertThat(steps).containsExactly(0, 0, 0);
        run.make(REQUEST, HALF);
        assertThat(steps).containsExactly(0, 0, 0, 1, 2);
    }

    @Test
    void anImageDependsOnItsOwnSettingAlone() {
        Made unmerged = run.make(REQUEST, Savings.NONE);
        Made merged = run.make(REQUEST, HALF);
        Made again = run.make(REQUEST, Savings.NONE);
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
        Made unmerged = run.make(REQUEST, Savings.NONE);
        ToMe.applyPatch(pipeline, OPTIONS);
        try {
            assertThat(ImageMeasure.PSNR.between(run.make(REQUEST, Savings.NONE).image(), unmerged.image()))
                    .isInfinite();
        } finally {
            ToMe.removePatch(pipeline);
        }
    }

    @Test
    void aWarmUpMakesEachKindOfStepThatThereWillBe() {
        Savings both = HALF.with(Request.REUSE_EVERY, 2).with(Request.GUIDANCE_TO, 0.5);
        run.warmUpEachKind(REQUEST, List.of(HALF, both, both.with(Request.REUSE_EVERY, 3)));
        assertThat(steps)
                .as("one step each for the first two, two for the others")
                .hasSize(2 + 2 * 2);
    }

    @Test
    void anImageIsMadeWithTheChangesOfItsRequest() {
        Savings reusing = Savings.NONE.with(Request.REUSE_EVERY, 2).with(Request.GUIDANCE_TO, 0.5);
        Made made = run.make(REQUEST, reusing);
        assertThat(made.result().request().reuseEvery()).isEqualTo(2);
        assertThat(made.result().request().guidanceTo()).isEqualTo(0.5);
        assertThat(ImageMeasure.PSNR.between(run.make(REQUEST, Savings.NONE).image(), made.image()))
                .isFinite();
    }

    @Test
    void whereStepsAreNotAlikeOneTakesTheirMean() {
        Times times = new Times(0, List.of(4.0, 1.0, 1.0), 0);
        assertThat(times.perStep(REQUEST)).isEqualTo(1);
        assertThat(times.perStep(REQUEST.reuseEvery(3))).isEqualTo(2);
    }

    @Test
    void aBlockThatAStepLeavesOutIsMappedInTheNextInWhichItRuns() {
        Savings reusing = HALF.with(Request.REUSE_EVERY, 3);
        Made made = run.make(REQUEST.steps(5), reusing, new MapPlace(Optional.empty(), 1));
        assertThat(made.map().orElseThrow().step()).isEqualTo(3);
        assertThat(run.make(REQUEST.steps(3), reusing, new MapPlace(Optional.empty(), 1))
                        .map())
                .isEmpty();
    }

    @Test
    void aRunCanBeStopped() {
        SettingRun stopped = new SettingRun(pipeline, progress -> false);
        assertThatThrownBy(() -> stopped.make(REQUEST, HALF)).isInstanceOf(CancellationException.class);
    }
}
