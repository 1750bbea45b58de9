package io.tome4j.server.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.Request;
import io.tome4j.server.http.HttpError;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class LimitsTest {
    @Test
    void aSecondPassOfAnImageWhoseSizeIsLeftToTheModelIsLimitedToo() {
        UnaryOperator<String> names = UnaryOperator.identity();
        assertThatThrownBy(() -> Limits.USUAL.apply(Request.of("x").hires(8), 1, names))
                .isInstanceOf(HttpError.class)
                .hasMessageContaining("say width and height");
        assertThatThrownBy(() -> Limits.USUAL.apply(Request.of("x").extend(4096, 0, 0, 0), 1, names))
                .isInstanceOf(HttpError.class);
        assertThat(Limits.USUAL.apply(Request.of("x").hires(2), 1, names).hires())
                .isEqualTo(2);
        assertThat(Limits.USUAL.apply(Request.of("x"), 1, names).width()).isZero();
    }
}
