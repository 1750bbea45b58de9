package example;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.model.output.Response;
import io.tome4j.langchain4j.Tome4jImageModel;
import io.tome4j.merging.ToMeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** LangChain4j's image model, in this process. */
public final class Draw {
    public static void main(String[] args) throws IOException {
        try (var model = Tome4jImageModel.builder()
                .modelName(args[0])
                .merging(ToMeOptions.ratio(0.5))
                .steps(20)
                .seed(42)
                .build()) {
            Image image = save(model.generate(args[1]), Path.of(args[2]));
            if (args.length > 4) {
                save(model.edit(image, args[3]), Path.of(args[4])); // the same image, painted anew
            }
        }
    }

    private static Image save(Response<Image> response, Path file) throws IOException {
        Files.write(file, Base64.getDecoder().decode(response.content().base64Data()));
        System.out.println(response.metadata().get(Tome4jImageModel.PARAMETERS));
        return response.content();
    }
}
