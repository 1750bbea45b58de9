import dev.langchain4j.model.openai.OpenAiImageModel;
import java.io.ByteArrayInputStream;
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
        System.out.println("langchain4j-open-ai fine");
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

    private static void requireSide(int side, String base64) throws IOException {
        var image = ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(base64)));
        require(image.getWidth() == side && image.getHeight() == side, "an image of " + side + " pixels");
    }

    private static void require(boolean fine, String what) {
        if (!fine) {
            throw new AssertionError("This was to be " + what);
        }
    }
}
