package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GuidanceAdviceTest {
    private static final Request UNGUIDED = Request.of("a cat").guidanceScale(1);

    @Test
    void whatOnlyGuidanceHeedsIsSaidToBeIdleWithoutIt() {
        assertThat(GuidanceAdvice.of(UNGUIDED.negativePrompt("blurred")).orElseThrow())
                .contains("guidance_scale 1", "negative_prompt", "guidance_scale above 1");
        assertThat(GuidanceAdvice.of(UNGUIDED.guidanceInterval(0, 0.5)).orElseThrow())
                .contains("guidance_from and guidance_to");
    }

    @Test
    void withGuidanceOrNothingThatWantsItNothingIsSaid() {
        assertThat(GuidanceAdvice.of(UNGUIDED)).isEmpty();
        assertThat(GuidanceAdvice.of(UNGUIDED.negativePrompt("blurred").guidanceScale(1.5)))
                .isEmpty();
    }
}
