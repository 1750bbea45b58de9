package io.tome4j.cli.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.cli.Program;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.Sources.Role;
import io.tome4j.diffusion.pixels.ImageFiles;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InitialImageTest {
    @TempDir
    Path folder;

    private Path photo;
    private Path mask;

    @BeforeEach
    void draw() throws IOException {
        photo = drawn("photo.png", 70, 60, 0x3070c0);
        mask = drawn("mask.png", 70, 60, 0xffffff);
    }

    private Path drawn(String name, int width, int height, int rgb) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        image.createGraphics().drawRect(4, 4, 20, 30);
        for (int x = 10; x < width / 2; x++) {
            for (int y = 10; y < height / 2; y++) {
                image.setRGB(x, y, rgb);
            }
        }
        Path file = folder.resolve(name);
        ImageIO.write(image, "png", file.toFile());
        return file;
    }

    private Program generate(Object... args) {
        List<Object> all = new ArrayList<>(List.of("generate", "x", "--model", Program.tinyModel(), "--dtype", "fp32"));
        all.addAll(List.of("--merging", "off", "--steps", 4, "--out", folder.resolve("out.png")));
        all.addAll(Arrays.asList(args));
        return Program.run(all.toArray());
    }

    @Test
    void anImageIsMadeOfAnImage() {
        Program program = generate("--init-image", photo, "--strength", 0.5, "--seed", 3, "--scheduler", "ddim");
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(program.err()).contains("step 2 of 2").doesNotContain("calls the model");
        assertThat(ImageFiles.read(folder.resolve("out.png")).toString()).isEqualTo("64 x 56 RGB pixels");
        var parameters = GenerationParameters.read(folder.resolve("out.png"));
        assertThat(parameters.request().strength()).isEqualTo(0.5);
        assertThat(parameters.sources().get(Role.IMAGE).orElseThrow().sha256()).isEqualTo(SourceImage.sha256(photo));
    }

    @Test
    void aPartIsRepaintedAndTheRestStays() {
        Program program = generate("--init-image", photo, "--mask", mask, "--width", 72, "--height", 64);
        assertThat(program.status()).as(program.err()).isZero();
        var result = ImageFiles.read(folder.resolve("out.png"));
        assertThat(result.at(71, 63, 0)).isZero();
        assertThat(GenerationParameters.read(folder.resolve("out.png"))
                        .sources()
                        .of())
                .containsOnlyKeys(Role.IMAGE, Role.MASK);
    }

    @Test
    void whatCannotBeBegunWithIsSaid() throws IOException {
        Path truncated = folder.resolve("truncated.jpg");
        ImageIO.write(new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB), "jpg", truncated.toFile());
        byte[] bytes = Files.readAllBytes(truncated);
        Files.write(truncated, Arrays.copyOf(bytes, bytes.length - 20));
        assertUsage("truncated", "--init-image", truncated);
        assertUsage("--strength is 0: it must be above 0", "--init-image", photo, "--strength", 0);
        assertUsage("the smallest strength is 0.25", "--init-image", photo, "--strength", 0.2);
        assertUsage("--strength needs --init-image", "--strength", 0.5);
        assertUsage("--mask is given without --init-image", "--mask", mask);
        assertUsage("--mask-blur needs --mask", "--init-image", photo, "--mask-blur", 4);
        assertUsage("--extend is 1,2: it must be four numbers", "--init-image", photo, "--extend", "1,2");
        assertUsage("of the same size", "--init-image", photo, "--mask", drawn("small.png", 64, 60, 0xffffff));
        assertUsage("There is no file", "--init-image", folder.resolve("none.png"));
        assertUsage("1 x 1 pixels", "--init-image", drawn("pixel.png", 1, 1, 0));
    }

    @Test
    void anImageIsMadeAgainFromItsFileAlone() throws IOException {
        Program first = generate(
                "--init-image",
                photo,
                "--mask",
                mask,
                "--strength",
                0.8,
                "--seed",
                9,
                "--merging",
                "on",
                "--protect",
                mask);
        assertThat(first.status()).as(first.err()).isZero();
        Path out = folder.resolve("out.png");
        Path again = folder.resolve("again.png");
        List<Object> like = List.of("generate", "--model", Program.tinyModel(), "--dtype", "fp32", "--like", out);
        assertMade(like, "--out", again);
        assertThat(ImageFiles.read(again)).isEqualTo(ImageFiles.read(out));
        assertThat(GenerationParameters.read(again)).isEqualTo(GenerationParameters.read(out));

        Path other = folder.resolve("other.png");
        assertMade(like, "--out", other, "--seed", 10, "--ratio", "0.2..0.6", "a prompt");
        GenerationParameters changed = GenerationParameters.read(other);
        assertThat(changed.prompt()).isEqualTo("a prompt");
        assertThat(changed.request().seed()).isEqualTo(10);
        assertThat(changed.request().strength()).isEqualTo(0.8);
        assertThat(changed.merging().ratioText()).isEqualTo("0.2..0.6");
        assertThat(changed.sources()).isEqualTo(GenerationParameters.read(out).sources());

        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        assertUsageOf(like, "'photo.png' is not in", "--sources", elsewhere);
        Files.delete(mask);
        assertUsageOf(like, "mask 'mask.png' is not in", "--out", folder.resolve("never.png"));
        assertUsageOf(List.of("generate", "--like", out), "was made by the model");
        assertUsageOf(List.of("generate", "x", "--sources", folder), "--like is not given");
        assertUsageOf(List.of("generate", "--like", photo), "photo.png");
        assertUsageOf(List.of("generate"), "Missing required parameter: 'PROMPT'");
    }

    private static void assertMade(List<Object> args, Object... more) {
        List<Object> all = new ArrayList<>(args);
        all.addAll(Arrays.asList(more));
        Program program = Program.run(all.toArray());
        assertThat(program.status()).as(program.err()).isZero();
    }

    private static void assertUsageOf(List<Object> args, String message, Object... more) {
        List<Object> all = new ArrayList<>(args);
        all.addAll(Arrays.asList(more));
        Program program = Program.run(all.toArray());
        assertThat(program.status()).isNotZero();
        assertThat(program.err().replaceAll("\\s+", " ")).contains(message).doesNotContain("\tat ");
    }

    @Test
    void sourcesStandInTheJson() throws IOException {
        Program program = generate("--init-image", photo, "--mask", mask, "--format", "json");
        assertThat(program.status()).as(program.err()).isZero();
        var sources = new com.fasterxml.jackson.databind.ObjectMapper()
                .readTree(program.out())
                .get("sources");
        assertThat(sources.at("/init_image/name").textValue()).isEqualTo("photo.png");
        assertThat(sources.at("/mask/sha256").textValue()).isEqualTo(SourceImage.sha256(mask));
    }

    private void assertUsage(String message, Object... args) {
        Program program = generate(args);
        assertThat(program.status()).isNotZero();
        assertThat(program.err().replaceAll("\\s+", " ")).contains(message).doesNotContain("\tat ");
    }
}
