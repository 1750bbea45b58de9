package example;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.emoji.EmbeddedModel;
import io.tome4j.merging.ToMeOptions;
import java.nio.file.Path;

/** Draws a prompt with the embedded model, half of its tokens merged. */
public final class Draw {
    public static void main(String[] args) {
        EmbeddedModel model = EmbeddedModel.shipped();
        Request request = Request.of(args[0])
                .seed(42)
                .steps(model.steps())
                .guidanceScale(model.guidanceScale())
                .merging(ToMeOptions.ratio(0.5));
        try (var pipeline = StableDiffusionPipeline.fromPretrained(model.folder().toString())) {
            Result result = pipeline.generate(request);
            result.image().save(Path.of(args[1]));
            System.out.println(result.merging().summary());
        }
    }
}
