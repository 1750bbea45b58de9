package io.tome4j.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.image.ImageModel;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.Start;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.fixtures.SampleImages;
import io.tome4j.langchain4j.Tome4jImageModel.Tome4jImageModelBuilder;
import io.tome4j.merging.ToMeOptions;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LangChain4j's {@code edit}: an image painted anew, and a part of it. */
class EditTest {
    private static StableDiffusionPipeline pipeline;
    private static BufferedImage source;

    @BeforeAll
    static void load() {
        pipeline =
                StableDiffusionPipeline.fromPretrained(Fixtures.path("tiny-sd1").toString());
        source = SampleImages.gradient(72, 64);
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static Tome4jImageModelBuilder builder() {
        return Tome4jImageModel.builder().pipeline(pipeline).steps(4).seed(7);
    }

    private static Image image(BufferedImage image) {
        return Image.builder().base64Data(SampleImages.base64(image)).build();
    }

    /** A mask whose left half has one colour and whose right half another. */
    private static BufferedImage halves(int type, int left, int right) {
        var mask = new BufferedImage(72, 64, type);
        for (int i = 0; i < 72 * 64; i++) {
            mask.setRGB(i % 72, i / 72, i % 72 < 36 ? left : right);
        }
        return mask;
    }

    private static BufferedImage decoded(Image image) {
        return SampleImages.decoded(image.base64Data());
    }

    private static int[] rgb(Image image) {
        return SampleImages.rgb(decoded(image));
    }

    @Test
    void anEditIsWhatThePipelineMakesOfTheImageWithItsSizeSettingsAndMerging() throws Exception {
        var model = builder()
                .merging(ToMeOptions.ratio(0.5))
                .request(request -> request.with(Request.STRENGTH, 0.5))
                .build();
        var response = model.edit(image(source), "a red apple");
        byte[] same = pipeline.generate(Request.of("a red apple")
                        .seed(7)
                        .steps(4)
                        .merging(ToMeOptions.ratio(0.5))
                        .start(Start.from(SourceImage.of(source), 0.5)))
                .image()
                .png();
        assertThat(Base64.getDecoder().decode(response.content().base64Data())).isEqualTo(same);
        assertThat(decoded(response.content()).getWidth()).isEqualTo(72);
        assertThat(response.metadata()).containsEntry(Tome4jImageModel.SEED, 7L);
        assertThat(response.metadata().get(Tome4jImageModel.PARAMETERS))
                .asString()
                .contains("Denoising strength: 0.5", "Size: 72x64");
    }

    @Test
    void aSizeOfTheBuildersIsTheResults() throws Exception {
        var edited = builder().size(64, 80).build().edit(image(source), "a red apple");
        assertThat(decoded(edited.content()).getHeight()).isEqualTo(80);
    }

    @Test
    void whatTheMaskLeavesStaysAndItsTransparencyOrItsWhiteIsRepainted() throws Exception {
        ImageModel model = builder().build();
        BufferedImage white = halves(BufferedImage.TYPE_INT_RGB, 0xffffff, 0);
        Image edited = model.edit(image(source), image(white), "a red apple").content();
        for (BufferedImage same : List.of(
                halves(BufferedImage.TYPE_INT_ARGB, 0x00000000, 0xff000000),
                halves(BufferedImage.TYPE_INT_ARGB, 0x00ffffff, 0xffffffff),
                halves(BufferedImage.TYPE_INT_ARGB, 0xffffffff, 0xff000000), // nothing is transparent
                halves(BufferedImage.TYPE_BYTE_GRAY, 0xffffff, 0))) {
            assertThat(rgb(model.edit(image(source), image(same), "a red apple").content()))
                    .isEqualTo(rgb(edited));
        }
        BufferedImage result = decoded(edited);
        assertThat(result.getRGB(36, 0, 36, 64, null, 0, 36)).isEqualTo(source.getRGB(36, 0, 36, 64, null, 0, 36));
        assertThat(result.getRGB(0, 0, 36, 64, null, 0, 36)).isNotEqualTo(source.getRGB(0, 0, 36, 64, null, 0, 36));
    }

    @Test
    void imagesComeInBase64AsDataUrlsAndAsFiles(@TempDir Path folder) throws Exception {
        ImageModel model = builder().steps(2).build();
        String base64 = SampleImages.base64(source);
        Path file = Files.write(folder.resolve("a source.png"), SampleImages.png(source));
        int[] expected = rgb(model.edit(image(source), "a red apple").content());
        for (Image image : List.of(
                Image.builder().url("data:image/png;base64," + base64).build(),
                Image.builder().url(file.toUri()).build(),
                Image.builder().base64Data(base64.replaceAll("(.{76})", "$1\n")).build())) {
            assertThat(rgb(model.edit(image, "a red apple").content())).isEqualTo(expected);
        }
    }

    @Test
    void imagesThatCannotBeReadAreInvalidRequests() throws Exception {
        ImageModel model = builder().build();
        Image right = image(source);
        for (Image wrong : List.of(
                Image.builder().url("https://example.org/a.png").build(),
                Image.builder().url("data:image/png,abc").build(),
                Image.builder().url("file:///there/is/none.png").build(),
                Image.builder().url("file://elsewhere/a.png").build(),
                Image.builder().base64Data("!").build(),
                Image.builder().base64Data("").build(),
                Image.builder().base64Data("QUJD").build(),
                Image.builder().build())) {
            assertThatThrownBy(() -> model.edit(wrong, "x"))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageStartingWith("The image to edit: ");
            assertThatThrownBy(() -> model.edit(right, wrong, "x"))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageStartingWith("The mask: ");
        }
        assertThatThrownBy(() -> model.edit(right, image(new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB)), "x"))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("same size");
    }

    @Test
    void nullsAndBlankPromptsAreRefusedFirst() throws Exception {
        ImageModel model = builder().build();
        Image right = image(source);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.edit(null, "x"))
                .withMessageContaining("image");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.edit(right, null, "x"))
                .withMessageContaining("mask");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.edit(right, " "))
                .withMessageContaining("prompt");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.edit(right, right, null))
                .withMessageContaining("prompt");
    }
}
