package io.tome4j.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.Start;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.fixtures.SampleImages;
import java.awt.image.BufferedImage;
import java.net.URI;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.content.Media;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.util.MimeType;

/** Media of a prompt: an image to begin with, and a mask. */
class PromptImagesTest {
    private static final MimeType PNG = MimeType.valueOf("image/png");
    private static StableDiffusionPipeline pipeline;
    private static BufferedImage source;

    @BeforeAll
    static void load() {
        pipeline =
                StableDiffusionPipeline.fromPretrained(Fixtures.path("tiny-sd1").toString());
        source = SampleImages.gradient(64, 72);
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static byte[] call(Tome4jImageOptions options, Media... media) {
        ImageResponse response = new Tome4jImageModel(
                        pipeline, Tome4jImageOptions.builder().steps(4).seed(7).build())
                .call(new ImagePrompt(new ImageMessage("a red apple", 1f, List.of(media), Map.of()), options));
        return Base64.getDecoder().decode(response.getResult().getOutput().getB64Json());
    }

    private static byte[] call(Media... media) {
        return call(Tome4jImageOptions.builder().build(), media);
    }

    private static Media medium(byte[] file, String name) {
        return Media.builder()
                .mimeType(PNG)
                .data(new ByteArrayResource(file))
                .name(name)
                .build();
    }

    @Test
    void aMediumIsWhatTheRunBeginsWith() {
        byte[] file = SampleImages.png(source);
        Request same = Request.of("a red apple").steps(4).seed(7).start(Start.from(SourceImage.of(source), 0.5));
        byte[] expected = pipeline.generate(same).image().png();
        Tome4jImageOptions half =
                Tome4jImageOptions.builder().option("strength", "0.5").build();
        String dataUrl = "data:image/png;base64," + Base64.getEncoder().encodeToString(file);
        assertThat(call(half, new Media(PNG, new ByteArrayResource(file)))).isEqualTo(expected);
        assertThat(call(half, Media.builder().mimeType(PNG).data(file).build())).isEqualTo(expected);
        assertThat(call(half, Media.builder().mimeType(PNG).data(dataUrl).build()))
                .isEqualTo(expected);
    }

    @Test
    void aMediumNamedMaskSaysWhatIsRepainted() {
        var mask = new BufferedImage(64, 72, BufferedImage.TYPE_INT_ARGB);
        for (int y = 36; y < 72; y++) {
            for (int x = 0; x < 64; x++) {
                mask.setRGB(x, y, 0xff000000);
            }
        }
        BufferedImage edited = SampleImages.decoded(
                call(medium(SampleImages.png(mask), PromptImages.MASK), medium(SampleImages.png(source), "photo")));
        assertThat(edited.getRGB(0, 36, 64, 36, null, 0, 64)).isEqualTo(source.getRGB(0, 36, 64, 36, null, 0, 64));
        assertThat(edited.getRGB(0, 0, 64, 36, null, 0, 64)).isNotEqualTo(source.getRGB(0, 0, 64, 36, null, 0, 64));
    }

    @Test
    void severalImagesOfOneBeginningDiffer() {
        ImageResponse response = new Tome4jImageModel(
                        pipeline,
                        Tome4jImageOptions.builder().steps(4).seed(7).n(2).build())
                .call(new ImagePrompt(List.of(new ImageMessage(
                        "a red apple", 1f, List.of(medium(SampleImages.png(source), "photo")), Map.of()))));
        assertThat(response.getResults()).hasSize(2);
        assertThat(response.getResults().get(0).getOutput().getB64Json())
                .isNotEqualTo(response.getResults().get(1).getOutput().getB64Json());
    }

    @Test
    void mediaThatCannotBeBegunWithAreRefused() {
        Media photo = medium(SampleImages.png(source), "photo");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> call(photo, photo))
                .withMessageContaining("2 images and 0 masks");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> call(medium(SampleImages.png(source), PromptImages.MASK)))
                .withMessageContaining("0 images and 1 masks");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> call(new Media(PNG, URI.create("https://example.org/a.png"))))
                .withMessageContaining("nothing is fetched");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> call(medium(new byte[] {1, 2, 3}, "photo")))
                .withMessageContaining("The prompt's image is not a PNG");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> call(photo, medium(new byte[] {1, 2, 3}, PromptImages.MASK)))
                .withMessageContaining("The prompt's mask is not a PNG");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> call(
                        photo,
                        medium(
                                SampleImages.png(new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB)),
                                PromptImages.MASK)))
                .withMessageContaining("same size");
    }
}
