package example;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Spring AI's image model, configured by application.properties. */
@SpringBootApplication
public class DrawApplication {
    public static void main(String[] args) {
        SpringApplication.run(DrawApplication.class, args).close();
    }

    @Bean
    CommandLineRunner draw(ImageModel model) {
        return args -> {
            ImageResponse response = model.call(new ImagePrompt(args[0]));
            Files.write(Path.of(args[1]), Base64.getDecoder().decode(response.getResult().getOutput().getB64Json()));
            System.out.println((String) response.getMetadata().get("merging"));
        };
    }
}
