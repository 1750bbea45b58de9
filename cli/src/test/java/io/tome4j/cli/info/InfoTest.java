package io.tome4j.cli.info;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.cli.Program;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InfoTest {
    private static final int AFTER_THE_HEADER = 33;
    private static final String PROMPTS = "a cat\nNegative prompt: dog\n";

    @TempDir
    Path folder;

    /** An image that another program made. */
    private Path image(String parameters) throws IOException {
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB), "png", plain);
        byte[] png = plain.toByteArray();
        byte[] chunk = ("tEXtparameters\0" + parameters).getBytes(StandardCharsets.ISO_8859_1);
        CRC32 crc = new CRC32();
        crc.update(chunk);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(file);
        out.write(Arrays.copyOf(png, AFTER_THE_HEADER));
        out.writeInt(chunk.length - 4);
        out.write(chunk);
        out.writeInt((int) crc.getValue());
        out.write(png, AFTER_THE_HEADER, png.length - AFTER_THE_HEADER);
        return Files.write(folder.resolve("other.png"), file.toByteArray());
    }

    private JsonNode info(String parameters) throws IOException {
        return Program.run("info", image(parameters), "--format", "json").json();
    }

    @Test
    void aFileOfWeightsIsToldByItsTensors() throws IOException {
        Path unet = Program.tinyModel().resolve("unet/diffusion_pytorch_model.safetensors");
        Program text = Program.run("info", unet);
        assertThat(text.out()).contains("a UNet alone", "F32", "Parts: unet", "--config");
        JsonNode json = Program.run("info", unet, "--format", "json").json();
        assertThat(json.get("kind").asText()).isEqualTo("unet");
        assertThat(json.get("in_channels").asInt()).isEqualTo(4);
        Path pickle = Files.writeString(folder.resolve("model.ckpt"), "PK\u0003\u0004");
        assertThat(Program.run("info", pickle).err()).contains("is a pickle", "convert");
    }

    @Test
    void ofAnotherProgramsImageIsShownWhatCanBeRead() throws IOException {
        JsonNode noScale =
                info(PROMPTS + "Steps: 20, Sampler: Euler a, CFG scale: None, Seed: 12, Size: 512x768, Model: m");
        assertThat(noScale.get("prompt").asText()).isEqualTo("a cat");
        assertThat(noScale.get("negative_prompt").asText()).isEqualTo("dog");
        assertThat(noScale.get("num_inference_steps").asInt()).isEqualTo(20);
        assertThat(noScale.get("scheduler").asText()).isEqualTo("euler_a");
        assertThat(noScale.get("seed").asInt()).isEqualTo(12);
        assertThat(noScale.get("height").asInt()).isEqualTo(768);
        assertThat(noScale.get("model").asText()).isEqualTo("m");
        assertThat(noScale.has("guidance_scale")).isFalse();
        assertThat(noScale.at("/values/CFG scale").asText()).isEqualTo("None");
        assertThat(noScale.get("problem").asText()).contains("'CFG scale: None' should be a number");
        JsonNode noSeed = info(PROMPTS + "Steps: 20, Sampler: Other, CFG scale: 7.5, Size: 512x768");
        assertThat(noSeed.has("seed")).isFalse();
        assertThat(noSeed.get("guidance_scale").asDouble()).isEqualTo(7.5);
        assertThat(noSeed.get("scheduler").asText()).isEqualTo("Other");
        assertThat(info(PROMPTS + "Steps: 0, Seed: 12")
                        .get("num_inference_steps")
                        .asInt())
                .isZero();
        JsonNode odd = info(PROMPTS + "Steps: 20, Seed: 12, Size: 500x333, Token merging ratio: 0.5");
        assertThat(odd.get("width").asInt()).isEqualTo(500);
        assertThat(odd.get("height").asInt()).isEqualTo(333);
        assertThat(odd.at("/merging/ratio").asDouble()).isEqualTo(0.5);
        JsonNode freeText = info("just words");
        assertThat(freeText.get("prompt").asText()).isEqualTo("just words");
        assertThat(freeText.get("values")).isEmpty();
    }

    @Test
    void aSeedIsShownAsTheImageHasIt() throws IOException {
        String line = "Steps: 20, Sampler: Euler a, CFG scale: 7, Size: 512x768, Seed: ";
        for (String seed : new String[] {"18446744073709551615", "9223372036854775808", "-1", "7"}) {
            JsonNode json = info(PROMPTS + line + seed);
            assertThat(json.get("seed").bigIntegerValue()).isEqualTo(new BigInteger(seed));
            assertThat(json.has("problem")).isFalse();
        }
        JsonNode tooLarge = info(PROMPTS + line + "18446744073709551616");
        assertThat(tooLarge.get("seed").bigIntegerValue()).isEqualTo(BigInteger.TWO.pow(64));
        assertThat(tooLarge.get("problem").asText()).contains("Seed");
    }

    @Test
    void barsAndLinesOfTemplatesAreReadToo() throws IOException {
        JsonNode bars = info("prompt: a cat\nNegative prompt: dog\nVersion: aa62f6d, Pipeline: Original,\n"
                + "Steps: 25 | Seed: 1879635471 | Sampler: Euler a | CFG scale: 7 | Size: 768x512");
        assertThat(bars.get("num_inference_steps").asInt()).isEqualTo(25);
        assertThat(bars.get("seed").asLong()).isEqualTo(1_879_635_471L);
        assertThat(bars.get("width").asInt()).isEqualTo(768);
        JsonNode template = info(PROMPTS
                + "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 123, Size: 512x768\nTemplate: a {cat|dog}, red");
        assertThat(template.get("seed").asInt()).isEqualTo(123);
        assertThat(template.get("negative_prompt").asText()).isEqualTo("dog");
    }

    @Test
    void noTextOfAnImageSteersTheTerminal() throws IOException {
        Program program = Program.run("info", image("a \u001b[31mcat\u0007\r\n\u009b2Jred\nSteps: 20, Seed: 1"));
        assertThat(program.out())
                .isEqualTo("a \\u001b[31mcat\\u0007\n\\u009b2Jred\nSteps: 20, Seed: 1" + System.lineSeparator());
    }

    @Test
    void anImageWithoutParametersFails() throws IOException {
        Path file = Files.writeString(folder.resolve("a.png"), "no image");
        Program program = Program.run("info", file);
        assertThat(program.status()).isEqualTo(1);
        assertThat(program.err()).contains("is not a PNG, JPEG or WebP image").hasLineCount(1);
        assertThat(Program.run("info").status()).isEqualTo(2);
    }
}
