package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class MemoryCheckTest {
    private static final long GIGA = 1L << 30;

    /** A thousand bytes a pixel and image; efficient attention needs half. */
    private static MemoryEstimate estimate(Request request, long perPixel) {
        return new MemoryEstimate(GIGA, perPixel * request.width() * request.height() * request.images(), 0);
    }

    private final MemoryCheck check =
            new MemoryCheck(request -> estimate(request, 1000), request -> estimate(request, 500));

    @Test
    void whatFitsPasses() {
        assertThatCode(() -> check.require(Request.of("a").size(1024, 1024), needed -> OptionalLong.of(2 * GIGA)))
                .doesNotThrowAnyException();
    }

    @Test
    void nothingIsRefusedWhereNobodyKnows() {
        assertThatCode(() -> check.require(Request.of("a").size(8192, 8192), needed -> OptionalLong.empty()))
                .doesNotThrowAnyException();
    }

    @Test
    void whatDoesNotFitIsRefusedWithAdvice() {
        Request request = Request.of("a").size(1024, 1024).imagesPerPrompt(2);
        assertThatThrownBy(() -> check.require(request, needed -> OptionalLong.of(GIGA)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("1024 x 1024 pixels and 2 images at a time need about 2.0 GB")
                .hasMessageContaining("1.0 GB are free")
                .hasMessageContaining("attention 'efficient'; or one image at a time; or a size of 704x704")
                .hasMessageContaining("memory_check")
                .extracting(e -> ((TomeException) e).option())
                .isEqualTo("memory_check");
    }

    @Test
    void itSaysSoWhereNothingWouldFit() {
        assertThatThrownBy(() -> check.require(Request.of("a").size(512, 512), needed -> OptionalLong.of(1000)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("No smaller size would fit.");
    }
}
