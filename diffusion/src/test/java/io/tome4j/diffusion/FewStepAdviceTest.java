package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.diffusion.scheduler.SpacingChoice;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said where a few-step model is run as if it were none. */
class FewStepAdviceTest {
    private static final Request CAT = Request.of("a cat").seed(1);
    private static final String TRAILING =
            """
            {"_class_name": "EulerAncestralDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012,
             "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "timestep_spacing": "trailing"}
            """;

    @TempDir
    Path work;

    private StableDiffusionPipeline pipeline(String name, String scheduler) throws IOException {
        Path to = work.resolve(name);
        Fixtures.copy("tiny-sd1", to, file -> true);
        if (!scheduler.isEmpty()) {
            Files.writeString(to.resolve("scheduler/scheduler_config.json"), scheduler);
            Path index = to.resolve("model_index.json");
            Files.writeString(
                    index, Files.readString(index).replace("PNDMScheduler", "EulerAncestralDiscreteScheduler"));
        }
        return StableDiffusionPipeline.fromPretrained(
                to.toString(), PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32));
    }

    @Test
    void anOrdinaryModelGetsNone() throws IOException {
        try (var pipeline = pipeline("ordinary", "")) {
            assertThat(pipeline.advice(CAT)).isEmpty();
            assertThat(pipeline.advice(CAT.steps(2).timestepSpacing(SpacingChoice.TRAILING)))
                    .isEmpty();
        }
    }

    @Test
    void aTurboModelIsKnownByItsSchedulerAndSaidInTheResult() throws IOException {
        try (var pipeline = pipeline("model", TRAILING)) {
            assertThat(pipeline.advice(CAT))
                    .singleElement()
                    .asString()
                    .contains("'model'", "Turbo", "50 steps", "a guidance scale of 7.5", "guidance_scale 1");
            Request suited = CAT.steps(2).guidanceScale(1).size(64, 64);
            assertThat(pipeline.generate(suited).warnings()).isEmpty();
            List<String> warnings = pipeline.generate(suited.guidanceScale(5)).warnings();
            assertThat(warnings).singleElement().asString().contains("a guidance scale of 5");
            assertThat(pipeline.advice(suited.scheduler("euler").timestepSpacing(SpacingChoice.LEADING)))
                    .singleElement()
                    .asString()
                    .contains("timestep_spacing trailing");
        }
    }

    @Test
    void whatANameSaysIsTakenAtItsWord() throws IOException {
        try (var pipeline = pipeline("sdxl_lightning_4step", "")) {
            Request suited = CAT.scheduler("euler")
                    .timestepSpacing(SpacingChoice.TRAILING)
                    .steps(4)
                    .guidanceScale(1);
            assertThat(pipeline.advice(suited)).isEmpty();
            assertThat(pipeline.advice(suited.steps(8)))
                    .singleElement()
                    .asString()
                    .contains("4 steps without guidance", "asked for 8 steps");
            assertThat(pipeline.advice(suited.timestepSpacing(SpacingChoice.AUTO)))
                    .singleElement()
                    .asString()
                    .contains("timestep_spacing trailing");
        }
        try (var pipeline = pipeline("dmd2_unet", "")) {
            assertThat(pipeline.advice(CAT.steps(4).guidanceScale(1)))
                    .singleElement()
                    .asString()
                    .contains("999,749,499,249", "scheduler lcm");
            assertThat(pipeline.advice(
                            CAT.scheduler("lcm").timesteps(999, 749, 499, 249).guidanceScale(1)))
                    .isEmpty();
        }
    }
}
