package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.diffusion.GenerationParameters;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tome upscale}, and {@code --hires-upscaler} with a network. */
class UpscaleTest {
    private static final Path NETWORKS = Program.tinyModel().resolveSibling("upscalers");

    @TempDir
    Path folder;

    private Program generate(String more) {
        return Program.run(
                ("generate x --model " + Program.tinyModel() + " --dtype fp32 --seed 1 --steps 1 --width 64 --height 64"
                                + " --hires 2 --out " + folder.resolve("x.png") + " " + more)
                        .split(" "));
    }

    @Test
    void anImageIsEnlargedAndKeepsItsParameters() throws IOException {
        Path image = folder.resolve("image.png");
        Program.run(("generate x --model " + Program.tinyModel() + " --seed 1 --steps 1 --width 64 --height 72 --out "
                        + image)
                .split(" "));
        Path large = folder.resolve("large.png");
        Program program = Program.run(
                "upscale",
                image,
                "--model",
                NETWORKS.resolve("first-2x.safetensors"),
                "--out",
                large,
                "--dtype",
                "fp32");
        assertThat(program.status()).as(program.err()).isZero();
        assertThat(program.out()).isEqualToIgnoringNewLines(large.toString());
        BufferedImage made = ImageIO.read(large.toFile());
        assertThat(made.getWidth()).isEqualTo(128);
        assertThat(made.getHeight()).isEqualTo(144);
        assertThat(GenerationParameters.readText(large)).isEqualTo(GenerationParameters.readText(image));
    }

    @Test
    void whatCannotEnlargeIsSaid() {
        Path image = NETWORKS.resolve("image.png");
        Program program = Program.run(
                "upscale",
                image,
                "--model",
                Program.tinyModel().resolve("vae/diffusion_pytorch_model.safetensors"),
                "--out",
                folder.resolve("x.png"));
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err()).contains("is a VAE, and no ESRGAN");
    }

    @Test
    void aNetworkIsNamedByItsFileOrByItsNameInTheFolderOfModels() throws IOException {
        Path models = Files.createDirectories(folder.resolve("models/ESRGAN"));
        Path file = Files.copy(NETWORKS.resolve("real-2x.safetensors"), models.resolve("2x-Sharp.safetensors"));
        Program byFile = generate("--hires-upscaler " + file);
        assertThat(byFile.status()).as(byFile.err()).isZero();
        byte[] expected = Files.readAllBytes(folder.resolve("x.png"));
        assertThat(GenerationParameters.readText(folder.resolve("x.png"))).contains("Hires upscaler: 2x-Sharp,");
        Program byName = generate("--hires-upscaler 2x-Sharp --models-dir " + folder);
        assertThat(byName.status()).as(byName.err()).isZero();
        assertThat(Files.readAllBytes(folder.resolve("x.png"))).isEqualTo(expected);
        generate("--hires-upscaler lancsoz")
                .assertIsUsageError("generate", "--hires-upscaler is 'lancsoz', and there is no such");
        Program info = Program.run("info", file);
        assertThat(info.out()).contains("an upscaler (ESRGAN)").contains("--hires-upscaler takes it");
    }
}
