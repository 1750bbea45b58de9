package io.tome4j.diffusion.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulersTest {
    private static Config config(String json) {
        return Config.parse(json.replace('\'', '"'), "scheduler_config.json");
    }

    @Test
    void unknownNameIsAnErrorThatListsTheNames() {
        assertThatThrownBy(() -> Schedulers.named("euler_b", config("{}")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("'euler_b'")
                .hasMessageContaining(String.join(", ", Schedulers.names()))
                .hasMessageContaining("pndm, ddim");
    }

    @Test
    void unknownClassIsAnErrorThatNamesIt() {
        assertThatThrownBy(() -> Schedulers.fromConfig(config("{'_class_name': 'ScoreSdeVeScheduler'}")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("scheduler_config.json")
                .hasMessageContaining("'ScoreSdeVeScheduler'")
                .hasMessageContaining("EulerDiscreteScheduler");
    }

    @Test
    void unknownKeyIsAnErrorThatNamesIt() {
        assertThatThrownBy(() -> Schedulers.fromConfig(config("{'_class_name': 'DDIMScheduler', 'beta_strat': 0.1}")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("'beta_strat': 0.1");
    }

    @Test
    void keysOfOtherSchedulersArePassedOver() {
        Config karras = config("{'_class_name': 'EulerDiscreteScheduler', 'use_beta_sigmas': true, 'rho': 7.0}");
        assertThat(Schedulers.named("ddim", karras).name()).isEqualTo("ddim");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            ddim     | {'beta_schedule': 'sigmoid'}                              | 'beta_schedule' is "sigmoid"
            ddim     | {'timestep_spacing': 'random'}                            | 'timestep_spacing' is "random"
            ddim     | {'prediction_type': 'flow_prediction'}                    | epsilon, v_prediction, sample
            ddim     | {'trained_betas': [0.1, 0.2]}                             | 'trained_betas' has 2 values
            pndm     | {'prediction_type': 'sample'}                             | 'prediction_type' is "sample"
            euler_a  | {'prediction_type': 'sample'}                             | 'prediction_type' is "sample"
            euler    | {'use_karras_sigmas': true, 'use_beta_sigmas': true}      | exclude each other
            euler    | {'use_karras_sigmas': true, 'use_exponential_sigmas': true} | exclude each other
            euler    | {'timestep_type': 'continuous'}                           | 'timestep_type' is "continuous"
            euler    | {'interpolation_type': 'cubic'}                           | 'interpolation_type' is "cubic"
            euler    | {'final_sigmas_type': 'none'}                             | 'final_sigmas_type' is "none"
            dpmpp_2m | {'algorithm_type': 'dpmsolver'}                           | 'algorithm_type' is "dpmsolver"
            dpmpp_2m | {'solver_order': 4}                                       | 'solver_order' is 4
            dpmpp_2m | {'use_flow_sigmas': true}                                 | 'use_flow_sigmas' is true
            dpmpp_2m | {'variance_type': 'learned'}                              | 'variance_type' is "learned"
            unipc    | {'predict_x0': false}                                     | 'predict_x0' false
            unipc    | {'solver_type': 'bh3'}                                    | 'solver_type' is "bh3"
            dpmpp_2s | {'algorithm_type': 'dpmsolver'}                           | 'algorithm_type' is "dpmsolver"
            deis     | {'algorithm_type': 'sde-dpmsolver++'}                     | 'algorithm_type' is "sde-dpmsolver++"
            deis     | {'solver_type': 'rho'}                                    | 'solver_type' is "rho"
            dpm2     | {'prediction_type': 'sample'}                             | 'prediction_type' is "sample"
            dpmpp_sde | {'noise_sampler_seed': -1}                               | 'noise_sampler_seed' is -1
            edm_euler | {'sigma_schedule': 'linear'}                             | 'sigma_schedule' is "linear"
            lcm      | {'original_inference_steps': 2000}                        | 'original_inference_steps' is 2000
            lcm      | {'beta_start': 'low'}                                     | 'beta_start' is "low"
            """,
            quoteCharacter = '`')
    void unsupportedValueIsAnErrorThatNamesIt(String name, String json, String message) {
        assertThatThrownBy(() -> Schedulers.named(name, config(json)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("scheduler_config.json")
                .hasMessageContaining(message);
    }

    @Test
    void stepsThatTheSpacingDoesNotAllowAreAnError() {
        Config leading = config("{'timestep_spacing': 'leading', 'steps_offset': 1}");
        assertThatThrownBy(() -> Schedulers.named("ddim", leading).start(1000))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("would visit timestep 1000");
        assertThatThrownBy(() -> Schedulers.named("unipc", leading).start(1000))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("some would come twice");
        assertThatThrownBy(() -> Schedulers.named("lcm", leading).start(51))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("original_inference_steps");
        assertThatThrownBy(() -> Schedulers.named("pndm", leading).start(3))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("at least 4");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "lcm"})
    void noisePredictedFromNothingButNoiseIsAnErrorAndNoNan(String name) {
        Config rescaled =
                config("{'rescale_betas_zero_snr': true, 'timestep_spacing': 'trailing', 'clip_sample': false}");
        assertThatThrownBy(() -> Schedulers.named(name, rescaled).start(4))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("timestep 999");
        for (Config defined :
                new Config[] {rescaled.with("prediction_type", "v_prediction"), rescaled.with("clip_sample", true)}) {
            assertThatCode(() -> Schedulers.named(name, defined).start(4).close())
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void configOfDpmSolverWithItsInfinityIsRead() {
        Config saved = config("{'_class_name': 'DPMSolverMultistepScheduler', 'lambda_min_clipped': -Infinity}");
        try (Trajectory run = Schedulers.fromConfig(saved).start(4)) {
            assertThat(run.timesteps()).containsExactly(999, 749, 500, 250);
        }
    }

    @Test
    void etaOutOfRangeIsAnError() {
        for (String name : new String[] {"ddim", "tcd", "euler"}) {
            Scheduler scheduler = Schedulers.named(name, config("{}"));
            assertThatThrownBy(() -> scheduler.withEta(1.5))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("between 0 and 1");
        }
    }

    @Test
    void etaForASchedulerThatHasNoneIsAnErrorThatSaysWhichHave() {
        Scheduler euler = Schedulers.named("euler", config("{}"));
        assertThat(euler.withEta(0)).isSameAs(euler);
        assertThatThrownBy(() -> euler.withEta(0.3))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("'euler'")
                .hasMessageContaining("ddim and tcd");
    }
}
