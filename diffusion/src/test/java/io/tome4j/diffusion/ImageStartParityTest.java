package io.tome4j.diffusion;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Images made of images, compared with those of diffusers' pipelines, with tomesd and without: see {@code reference/}. */
class ImageStartParityTest {
    static Stream<Arguments> cases() {
        return Stream.of("img2img/", "inpaint/", "from-image/")
                .flatMap(folder -> Fixtures.cases(folder + "cases.json").stream()
                        .map(c -> Arguments.of(folder + c.get("name").textValue(), c)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void makesOfAnImageWhatTheReferenceMakes(String path, JsonNode c, @TempDir Path folder) throws IOException {
        String part = path.substring(0, path.indexOf('/') + 1);
        PipelineOptions options =
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
        try (var pipeline =
                StableDiffusionPipeline.fromPretrained(checkpoint(c, folder).toString(), options)) {
            ReferenceRun.prepare(pipeline, c);
            Result result = pipeline.generate(request(part, c));
            ReferenceRun.requireSameLatents(result, c, part);
            ReferenceRun.requireSameImages(result, c, part);
        }
    }

    /** The case's pipeline, with the UNet for inpainting if it is one with 9 channels. */
    private static Path checkpoint(JsonNode c, Path folder) throws IOException {
        if (c.path("channels").asInt(4) == 4 && !isRepairedForInpainting(c)) {
            return PipelineParityTest.withSchedulerSettings(c, folder);
        }
        Fixtures.copy(
                c.get("pipeline").textValue(),
                folder,
                file -> !file.startsWith("unet") && !file.toString().equals("model_index.json"));
        PipelineParityTest.addSchedulerSettings(c, folder);
        if (c.get("channels").intValue() == 9) {
            Fixtures.copy("inpaint", folder, file -> file.startsWith("unet") || file.endsWith("model_index.json"));
        } else {
            Fixtures.copy(c.get("pipeline").textValue(), folder, file -> file.startsWith("unet"));
            ObjectMapper json = new ObjectMapper();
            File index = Fixtures.path(c.get("pipeline").textValue())
                    .resolve("model_index.json")
                    .toFile();
            ObjectNode node = (ObjectNode) json.readTree(index);
            node.put("_class_name", "StableDiffusionInpaintPipeline");
            Files.writeString(folder.resolve("model_index.json"), node.toString());
        }
        return folder;
    }

    private static boolean isRepairedForInpainting(JsonNode c) {
        return c.has("channels");
    }

    private static Request request(String part, JsonNode c) {
        Request request = PipelineParityTest.request(c);
        ImageStart start = Start.from(
                SourceImage.read(Fixtures.path(part + "source.png")),
                c.get("strength").doubleValue());
        if (c.has("channels")) {
            SourceImage mask = SourceImage.read(Fixtures.path(part + "mask.png"));
            return request.start(start.repainting(mask))
                    .pasteBack(false)
                    .maskBlur(c.get("blur").doubleValue())
                    .paddingMaskCrop(
                            c.get("padding").isNull() ? -1 : c.get("padding").intValue());
        }
        return (c.get("resized").booleanValue() ? request : request.size(0, 0)).start(start);
    }
}
