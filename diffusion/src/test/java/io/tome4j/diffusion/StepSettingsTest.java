package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.diffusion.scheduler.ScheduleType;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.diffusion.scheduler.SpacingChoice;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.OptionException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a request may say of its steps besides how many there are. */
class StepSettingsTest {
    private static final Request CAT = Request.of("a cat").seed(1).steps(4);
    private static final Config SD = Config.parse(
            "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", \"steps_offset\": 1}",
            "here");

    @BeforeAll
    static void startEngine() {
        Engine.start();
    }

    private static double[] timesteps(Request request, Config config) {
        var scheduler = Schedulers.named(request.scheduler(), config, request.schedulerSettings());
        try (Trajectory run = scheduler.start(request.steps())) {
            return run.timesteps();
        }
    }

    @Test
    void listsSayHowManyStepsThereAre() {
        assertThat(CAT.timesteps(999, 749, 499).steps()).isEqualTo(3);
        assertThat(CAT.sigmas(14.6, 3, 1, 0).steps()).isEqualTo(3);
        assertThatThrownBy(() -> CAT.timesteps(999, 749, 499).steps(4))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("num_inference_steps is 4")
                .hasMessageContaining("3 steps");
    }

    @Test
    void aRunVisitsTheTimestepsOfTheList() {
        for (String scheduler : Schedulers.choosing("timesteps")) {
            assertThat(timesteps(CAT.scheduler(scheduler).timesteps(999, 5), SD))
                    .startsWith(999)
                    .endsWith(5);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"5,5", "1,2", "-1", "1.5", "a", "5,", "5,,3"})
    void timestepsFallAndAreWholeNumbers(String text) {
        assertThatThrownBy(() -> CAT.withText(Request.TIMESTEPS, text))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("timesteps")
                .hasMessageContaining("that fall");
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "1,2", "5,-1", "5,0,0", "NaN,0", "Infinity,1", "5,", "x,y"})
    void sigmasFallAndAreAboveZero(String text) {
        assertThatThrownBy(() -> CAT.withText(Request.SIGMAS, text))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("sigmas");
    }

    @Test
    void aTimestepThatTheModelDoesNotKnowIsNamed() {
        assertThatThrownBy(() -> timesteps(CAT.scheduler("euler").timesteps(1000, 5), SD))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("1000")
                .hasMessageContaining("0 to 999");
    }

    @ParameterizedTest
    @CsvSource({
        "euler_a, schedule_type, karras", "ddim, schedule_type, beta", "lcm, timestep_spacing, trailing",
        "edm_euler, schedule_type, beta", "dpmpp_2s, timestep_spacing, leading", "ddim, timesteps, 800",
        "unipc, sigmas, '5,0'", "dpmpp_2m, sigmas, '5,0'"
    })
    void whatASchedulerDoesNotHaveIsSaidWithThoseThatHave(String scheduler, String option, String value) {
        Request request = CAT.scheduler(scheduler);
        for (var each : Request.OPTIONS) {
            request = each.name().equals(option) ? request.withText(each, value) : request;
        }
        Request asked = request;
        assertThatThrownBy(() -> timesteps(asked, SD))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining(option)
                .hasMessageContaining("'" + scheduler + "'")
                .hasMessageContaining("euler");
    }

    @Test
    void whatExcludesEachOtherIsRefused() {
        assertThatThrownBy(() -> CAT.timesteps(999, 5).sigmas(5, 0)).isInstanceOf(OptionException.class);
        assertThatThrownBy(() -> CAT.timesteps(999, 5).scheduleType(ScheduleType.KARRAS))
                .isInstanceOf(OptionException.class);
        assertThatThrownBy(() -> CAT.timesteps(999, 5).timestepSpacing(SpacingChoice.TRAILING))
                .isInstanceOf(OptionException.class);
        assertThatThrownBy(() -> CAT.timesteps(999, 5).hires(2)).isInstanceOf(OptionException.class);
        assertThatThrownBy(() -> timesteps(CAT.scheduler("dpmpp_2m_karras").scheduleType(ScheduleType.BETA), SD))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("karras by its name");
        assertThatThrownBy(() -> timesteps(CAT.scheduler("dpmpp_2m_karras").timesteps(999, 5), SD))
                .isInstanceOf(OptionException.class);
        assertThatThrownBy(
                        () -> timesteps(CAT.scheduler("euler").timesteps(999, 5), SD.with("use_karras_sigmas", true)))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("use_karras_sigmas");
    }

    @Test
    void uniformTakesTheCheckpointsSpacingBack() {
        Config karras = SD.with("use_karras_sigmas", true);
        double[] plain = timesteps(CAT.scheduler("euler"), SD);
        assertThat(timesteps(CAT.scheduler("euler"), karras)).isNotEqualTo(plain);
        assertThat(timesteps(CAT.scheduler("euler").scheduleType(ScheduleType.UNIFORM), karras))
                .isEqualTo(plain);
    }

    @ParameterizedTest
    @CsvSource({
        "DPM++ 2M, Karras, dpmpp_2m_karras, AUTO",
        "DPM++ 2M, Automatic, dpmpp_2m_karras, AUTO",
        "DPM++ 2M SDE, Automatic, dpmpp_2m_sde, EXPONENTIAL",
        "DPM++ 2M SDE, Exponential, dpmpp_2m_sde, EXPONENTIAL",
        "DPM++ 2M SDE Exponential, '', dpmpp_2m_sde, EXPONENTIAL",
        "Euler, karras, euler, KARRAS",
        "Euler a, Automatic, euler_a, AUTO",
        "Euler, Uniform, euler, UNIFORM",
        "UniPC, Beta, unipc, BETA",
        "LMS Karras, '', lms, KARRAS",
        "Euler, SGM Uniform, Euler SGM Uniform, AUTO",
        "Restart, Karras, Restart, KARRAS"
    })
    void theWebUisNamesAreRead(String sampler, String type, String scheduler, ScheduleType expected) {
        String line = "a cat\nSteps: 20, Sampler: " + sampler + (type.isEmpty() ? "" : ", Schedule type: " + type)
                + ", CFG scale: 7, Seed: 1, Size: 64x64";
        Request read = GenerationParameters.parse(line).request();
        assertThat(read.scheduler()).isEqualTo(scheduler);
        assertThat(read.scheduleType()).isEqualTo(expected);
    }

    @Test
    void theTextSaysWhatTheWebUiSays() {
        Request request = CAT.scheduler("euler").scheduleType(ScheduleType.KARRAS);
        String text = GenerationParameters.of(request).toText();
        assertThat(text).contains("Sampler: Euler, Schedule type: Karras, CFG scale");
        Request lists = CAT.scheduler("lcm").timesteps(999, 749).timestepSpacing(SpacingChoice.AUTO);
        assertThat(GenerationParameters.of(lists).toText()).contains("Steps: 2,", "Timesteps: \"999,749\"");
        for (Request each :
                new Request[] {request, lists, CAT.scheduler("euler").sigmas(5, 0.5, 0)}) {
            GenerationParameters parameters = GenerationParameters.of(each);
            assertThat(GenerationParameters.parse(parameters.toText())).isEqualTo(parameters);
        }
    }
}
