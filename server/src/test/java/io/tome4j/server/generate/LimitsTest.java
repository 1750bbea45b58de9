package io.tome4j.server.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.Start;
import io.tome4j.server.http.HttpError;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class LimitsTest {
    private static final Limits SMALL = new Limits(256 * 256, false, 150, 16, 100);

    private static Request apply(Limits limits, Request request) {
        return limits.apply(request, 1, UnaryOperator.identity());
    }

    @Test
    void aSecondPassOfAnImageWhoseSizeIsLeftToTheModelIsLimitedToo() {
        assertThatThrownBy(() -> apply(Limits.USUAL, Request.of("x").hires(8)))
                .isInstanceOf(HttpError.class)
                .hasMessageContaining("say width and height");
        assertThatThrownBy(() -> apply(Limits.USUAL, Request.of("x").extend(4096, 0, 0, 0)))
                .isInstanceOf(HttpError.class);
        assertThat(apply(Limits.USUAL, Request.of("x").hires(2)).hires()).isEqualTo(2);
        assertThat(apply(Limits.USUAL, Request.of("x")).width()).isZero();
    }

    @Test
    void oneSideAloneIsLimitedToo() {
        for (Request request :
                List.of(Request.of("x").size(8192, 0), Request.of("x").size(0, 8192))) {
            assertThatThrownBy(() -> apply(Limits.USUAL, request))
                    .isInstanceOf(HttpError.class)
                    .hasMessageContaining("say width and height");
        }
        assertThat(apply(Limits.USUAL, Request.of("x").size(1024, 0)).width()).isEqualTo(1024);
    }

    @Test
    void theSizeThatAnInitialImageHasIsLimitedToo() {
        Start large = Start.from(SourceImage.of(new BufferedImage(264, 256, BufferedImage.TYPE_INT_RGB)));
        Start fitting = Start.from(SourceImage.of(new BufferedImage(256, 256, BufferedImage.TYPE_INT_RGB)));
        assertThatThrownBy(() -> apply(SMALL, Request.of("x").start(large)))
                .isInstanceOf(HttpError.class)
                .hasMessageContaining("say width and height");
        assertThatThrownBy(() -> apply(SMALL, Request.of("x").start(fitting).extend(8, 0, 0, 0)))
                .isInstanceOf(HttpError.class);
        assertThat(apply(SMALL, Request.of("x").start(fitting)).start()).isSameAs(fitting);
        assertThat(apply(SMALL, Request.of("x").start(large).size(256, 256)).width())
                .isEqualTo(256);
    }

    @Test
    void everyTextThatTheModelReadsIsLimited() {
        String longText = "x".repeat(101);
        for (var option : List.of(Request.NEGATIVE_PROMPT, Request.PROMPT_2, Request.NEGATIVE_PROMPT_2)) {
            assertThatThrownBy(() -> apply(SMALL, Request.of("x").with(option, longText)))
                    .isInstanceOfSatisfying(
                            HttpError.class, e -> assertThat(e.field()).isEqualTo(option.name()))
                    .hasMessageContaining("101 characters");
        }
        assertThatThrownBy(() -> apply(SMALL, Request.of(longText))).isInstanceOf(HttpError.class);
    }
}
