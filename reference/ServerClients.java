import dev.langchain4j.model.openai.OpenAiImageModel;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import javax.imageio.ImageIO;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.openai.OpenAiImageOptions;

/**
 * The Java clients against a running server, as reference/server_clients.py is for Python's. Class path: dev.langchain4j:langchain4j-open-ai:1.19.0
 * and org.springframework.ai:spring-ai-openai:2.0.1 with what they need.
 *
 * <pre>
 *     ./tome serve --model reference/fixtures/tiny-sd1 --dtype fp32 --port 7861
 *     java -cp CLASS_PATH reference/ServerClients.java http://127.0.0.1:7861
 * </pre>
 */
public final class ServerClients {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private ServerClients() {}

    public static void main(String[] args) throws IOException {
        String url = args[0] + "/v1";
        var langchain4j = OpenAiImageModel.builder()
                .baseUrl(url)
                .apiKey("any")
                .modelName("gpt-image-1")
                .size("64x64")
                .timeout(PATIENCE)
                .customQueryParams(Map.of("num_inference_steps", "2", "seed", "7"))
                .build();
        requireSide(64, langchain4j.generate("a red apple").content().base64Data());
        require(langchain4j.generate("x", 2).content().size() == 2, "two images");
        var initial = dev.langchain4j.data.image.Image.builder().base64Data(drawn(false)).mimeType("image/png").build();
        var mask = dev.langchain4j.data.image.Image.builder().base64Data(drawn(true)).mimeType("image/png").build();
        requireSide(64, langchain4j.edit(initial, "a red apple").content().base64Data());
        String edited = langchain4j.edit(initial, mask, "a red apple").content().base64Data();
        BufferedImage before = decoded(initial.base64Data());
        BufferedImage after = decoded(edited);
        int changed = 0;
        for (int i = 0; i < 64 * 64; i++) {
            boolean same = before.getRGB(i % 64, i / 64) == after.getRGB(i % 64, i / 64);
            require(same || i % 64 >= 24, "unchanged where the mask says so, at " + i % 64 + ", " + i / 64);
            changed += same ? 0 : 1;
        }
        require(changed > 64 * 16, "changed where the mask says so");
        System.out.println("langchain4j-open-ai fine, edits too");
        var options = (OpenAiImageOptions) OpenAiImageOptions.builder()
                .size("64x64")
                .baseUrl(url)
                .apiKey("any")
                .timeout(PATIENCE)
                .build();
        var springAi = org.springframework.ai.openai.OpenAiImageModel.builder().options(options).build();
        var answer = springAi.call(new ImagePrompt("a red apple", options));
        requireSide(64, answer.getResult().getOutput().getB64Json());
        System.out.println("spring-ai-openai fine");
    }

    /** Some colours, or a mask of which the right half is transparent. */
    private static String drawn(boolean mask) throws IOException {
        var image = new BufferedImage(64, 64, mask ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 64 * 64; i++) {
            int opaque = i % 64 < 32 ? 0xff000000 : 0;
            image.setRGB(i % 64, i / 64, mask ? opaque : (i % 64) * 4 << 16 | (i / 64) * 4 << 8 | 90);
        }
        var out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return Base64.getEncoder().encodeToString(out.toByteArray());
    }

    private static BufferedImage decoded(String base64) throws IOException {
        return ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(base64)));
    }

    private static void requireSide(int side, String base64) throws IOException {
        var image = decoded(base64);
        require(image.getWidth() == side && image.getHeight() == side, "an image of " + side + " pixels");
    }

    private static void require(boolean fine, String what) {
        if (!fine) {
            throw new AssertionError("This was to be " + what);
        }
    }
}
