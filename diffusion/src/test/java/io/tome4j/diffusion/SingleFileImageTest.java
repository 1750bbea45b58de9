package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.models.singlefile.BaseModel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.zip.GZIPInputStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A file gives the image that its folder gives. */
class SingleFileImageTest {
    private static final PipelineOptions CPU =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);
    private static final Request REQUEST =
            Request.of("a red fox").seed(5).steps(2).size(64, 64);

    @TempDir
    Path folder;

    private static PipelineOptions like(String pipeline) {
        return CPU.config(Fixtures.path(pipeline).toString());
    }

    private static float[] latents(Path model, PipelineOptions options, Request request) {
        try (var pipeline = StableDiffusionPipeline.fromPretrained(model.toString(), options);
                var scope = TensorScope.open()) {
            return Tensors.floats(pipeline.generate(request).latents().tensor());
        }
    }

    private static int[] pixels(Path model, PipelineOptions options) {
        try (var pipeline = StableDiffusionPipeline.fromPretrained(model.toString(), options)) {
            var image = pipeline.generate(REQUEST).image().toBufferedImage();
            return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        }
    }

    @ParameterizedTest
    @CsvSource({"tiny-sd1, false", "tiny-sd2, true"})
    void aFileGivesTheImageOfItsFolder(String pipeline, boolean openClip) {
        Path file = LdmFile.write(Fixtures.path(pipeline), folder.resolve("model.safetensors"), openClip);
        assertThat(pixels(file, like(pipeline))).isEqualTo(pixels(Fixtures.path(pipeline), CPU));
    }

    @ParameterizedTest
    @CsvSource({"tiny-sdxl", "tiny-sdxl-refiner"})
    void aFileOfSdxlGivesTheImageOfItsFolder(String pipeline) {
        Path file = LdmFile.writeXl(Fixtures.path(pipeline), folder.resolve("model.safetensors"));
        assertThat(pixels(file, like(pipeline))).isEqualTo(pixels(Fixtures.path(pipeline), CPU));
    }

    /** That file, made by reference/parts/single_files.py, is one of which diffusers makes the folder's models. */
    @ParameterizedTest
    @CsvSource({"tiny-sd1, false", "tiny-sd2, true"})
    void theFileIsTheOneThatTheReferenceReads(String pipeline, boolean openClip) throws IOException {
        JsonNode expected;
        try (InputStream packed =
                new GZIPInputStream(Files.newInputStream(Fixtures.path("single-files/" + pipeline + ".json.gz")))) {
            expected = new ObjectMapper().readTree(packed);
        }
        SafetensorsFile file = SafetensorsFile.open(
                LdmFile.write(Fixtures.path(pipeline), folder.resolve("model.safetensors"), openClip));
        List<String> names = file.names().stream()
                .filter(name -> !name.endsWith("position_ids"))
                .toList();
        assertThat(names).hasSize(expected.size());
        try (var scope = TensorScope.open()) {
            for (String name : names) {
                JsonNode tensor = expected.path(name);
                assertThat(new ObjectMapper().convertValue(tensor.path(0), long[].class))
                        .as(name)
                        .isEqualTo(file.shape(name));
                assertThat(file.load(name).to(ScalarType.Double).sum().item_double())
                        .as(name)
                        .isCloseTo(tensor.get(1).doubleValue(), within(1e-6));
            }
        }
    }

    @Test
    void nothingOfAFileStaysInMemory() {
        Path file = LdmFile.write(Fixtures.path("tiny-sd2"), folder.resolve("model.safetensors"), true);
        pixels(file, like("tiny-sd2"));
        long before = TensorScope.liveObjects();
        pixels(file, like("tiny-sd2"));
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void soItDoesWithMerging() {
        Path file = LdmFile.write(Fixtures.path("tiny-sd1"), folder.resolve("model.safetensors"), false);
        Request merging = REQUEST.merging(ToMeOptions.ratio(0.5));
        assertThat(latents(file, like("tiny-sd1"), merging))
                .isEqualTo(latents(Fixtures.path("tiny-sd1"), CPU, merging));
    }

    @Test
    void aUNetAloneTakesTheOtherPartsFromItsConfig() {
        Path file = LdmFile.writeUNet(Fixtures.path("tiny-sd1"), folder.resolve("unet.safetensors"));
        assertThat(pixels(file, like("tiny-sd1"))).isEqualTo(pixels(Fixtures.path("tiny-sd1"), CPU));
    }

    @Test
    void aUNetUnderDiffusersNamesIsReadAsWell() {
        Path file = CheckpointFolder.open(Fixtures.path("tiny-sd1"))
                .component("unet")
                .path()
                .resolve("diffusion_pytorch_model.safetensors");
        assertThat(pixels(file, like("tiny-sd1"))).isEqualTo(pixels(Fixtures.path("tiny-sd1"), CPU));
    }

    /** The file that was there before the folder, with something done to each tensor. */
    private Path changed(BiConsumer<Map<String, Tensor>, Map.Entry<String, Tensor>> change) {
        Path whole = LdmFile.write(Fixtures.path("tiny-sd1"), folder.resolve("whole.safetensors"), false);
        Path file = folder.resolve("changed.safetensors");
        try (var scope = TensorScope.open()) {
            StoredTensors stored = SafetensorsFile.open(whole);
            Map<String, Tensor> tensors = new TreeMap<>();
            stored.names().forEach(name -> change.accept(tensors, Map.entry(name, stored.load(name))));
            SafetensorsWriter.write(file, tensors);
        }
        return file;
    }

    private static boolean isLarge(Map.Entry<String, Tensor> tensor) {
        return tensor.getKey().startsWith("model.diffusion_model.")
                && tensor.getValue().dim() > 1;
    }

    @Test
    void valuesInEightBitsAreWhatTheyAreInThirtyTwo() {
        Path rounded = changed((tensors, tensor) -> tensors.put(
                tensor.getKey(),
                isLarge(tensor)
                        ? tensor.getValue().to(ScalarType.Float8_e4m3fn).to(ScalarType.Float)
                        : tensor.getValue()));
        float[] expected = latents(rounded, like("tiny-sd1"), REQUEST);
        Path eight = changed((tensors, tensor) -> tensors.put(
                tensor.getKey(), isLarge(tensor) ? tensor.getValue().to(ScalarType.Float8_e4m3fn) : tensor.getValue()));
        assertThat(latents(eight, like("tiny-sd1"), REQUEST)).isEqualTo(expected);
    }

    @Test
    void scaledValuesInEightBitsAreTheirProducts() {
        float[] expected = latents(
                changed((tensors, tensor) -> tensors.put(
                        tensor.getKey(),
                        isLarge(tensor)
                                ? eightBits(tensor.getValue())
                                        .to(ScalarType.Float)
                                        .mul(new Scalar(0.25f))
                                : tensor.getValue())),
                like("tiny-sd1"),
                REQUEST);
        Path scaled = changed((tensors, tensor) -> {
            tensors.put("scaled_fp8", Tensors.of(new float[] {0, 0}, 2).to(ScalarType.Float8_e4m3fn));
            if (isLarge(tensor)) {
                tensors.put(tensor.getKey(), eightBits(tensor.getValue()));
                tensors.put(
                        tensor.getKey().replaceFirst("weight$", "scale_weight"), Tensors.of(new float[] {0.25f}, 1));
            } else {
                tensors.put(tensor.getKey(), tensor.getValue());
            }
        });
        assertThat(latents(scaled, like("tiny-sd1"), REQUEST)).isEqualTo(expected);
    }

    private static Tensor eightBits(Tensor values) {
        return values.mul(new Scalar(4.0f)).to(ScalarType.Float8_e4m3fn);
    }

    @Test
    void movingAveragesAreTakenWhereTheyAreAskedFor() {
        String model = "model.";
        Path file = changed((tensors, tensor) -> {
            boolean unet = tensor.getKey().startsWith("model.diffusion_model.");
            if (unet) {
                String average = tensor.getKey().substring(model.length()).replace(".", "");
                tensors.put("model_ema." + average, tensor.getValue());
            }
            tensors.put(tensor.getKey(), unet ? tensor.getValue().mul(new Scalar(0.5f)) : tensor.getValue());
        });
        float[] expected = latents(Fixtures.path("tiny-sd1"), CPU, REQUEST);
        assertThat(latents(file, like("tiny-sd1").ema(true), REQUEST)).isEqualTo(expected);
        assertThat(latents(file, like("tiny-sd1"), REQUEST)).isNotEqualTo(expected);
        Path without = LdmFile.write(Fixtures.path("tiny-sd1"), folder.resolve("none.safetensors"), false);
        assertThatThrownBy(() -> latents(without, like("tiny-sd1").ema(true), REQUEST))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("no moving averages");
    }

    @Test
    void anotherVaeDecodesInPlaceOfTheModels() {
        Path other = folder.resolve("vae.safetensors");
        LdmFile.writeVae(Fixtures.path("tiny-sd2"), other);
        int[] expected = pixels(Fixtures.path("tiny-sd1"), CPU.vae(Fixtures.path("tiny-sd2/vae")));
        assertThat(expected).isNotEqualTo(pixels(Fixtures.path("tiny-sd1"), CPU));
        assertThat(pixels(Fixtures.path("tiny-sd1"), CPU.vae(Fixtures.path("tiny-sd2"))))
                .isEqualTo(expected);
        Path same = LdmFile.write(Fixtures.path("tiny-sd1"), folder.resolve("model.safetensors"), false);
        assertThat(pixels(same, like("tiny-sd1").vae(Fixtures.path("tiny-sd2/vae"))))
                .isEqualTo(expected);
    }

    @Test
    void imagesCarryTheHashesOfTheirFilesAsTheWebUiDoes() throws IOException, NoSuchAlgorithmException {
        Path file = LdmFile.writeUNet(Fixtures.path("tiny-sd1"), folder.resolve("unet.safetensors"));
        Path vae = LdmFile.writeVae(Fixtures.path("tiny-sd1"), folder.resolve("my vae.safetensors"));
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                file.toString(), like("tiny-sd1").vae(vae))) {
            String text = pipeline.generate(REQUEST).image().parameters();
            GenerationParameters read = GenerationParameters.parse(text);
            assertThat(read.model()).isEqualTo("unet");
            assertThat(read.modelHash()).isEqualTo(hash(file));
            assertThat(read.vae()).isEqualTo("my vae.safetensors");
            assertThat(read.vaeHash()).isEqualTo(hash(vae));
            assertThat(text).contains("Model hash: " + hash(file) + ", Model: unet, VAE hash: " + hash(vae));
        }
    }

    private static String hash(Path file) throws IOException, NoSuchAlgorithmException {
        byte[] sha256 = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        return HexFormat.of().formatHex(sha256).substring(0, 10);
    }

    @Test
    void thePredictionTypeCanBeSaid() {
        Path model = Fixtures.path("tiny-sd1");
        assertThat(latents(model, CPU.predictionType("v_prediction"), REQUEST))
                .isNotEqualTo(latents(model, CPU, REQUEST));
        assertThatThrownBy(() -> CPU.predictionType("w")).isInstanceOf(OptionException.class);
    }

    @Test
    void optionsOfFilesMeanNothingForAFolder() {
        String model = Fixtures.path("tiny-sd1").toString();
        for (PipelineOptions options :
                new PipelineOptions[] {CPU.config("x"), CPU.base(BaseModel.SD15), CPU.ema(true)}) {
            assertThatThrownBy(() -> StableDiffusionPipeline.fromPretrained(model, options))
                    .isInstanceOf(OptionException.class)
                    .hasMessageContaining("single file");
        }
    }

    @Test
    void aFileIsCalledByItsName() {
        Path file = LdmFile.write(Fixtures.path("tiny-sd1"), folder.resolve("my model.v2.safetensors"), false);
        StringBuilder notices = new StringBuilder();
        DownloadListener listener = new DownloadListener() {
            @Override
            public void progress(String name, long done, long total) {}

            @Override
            public void notice(String message) {
                notices.append(message);
            }
        };
        try (var pipeline = StableDiffusionPipeline.fromPretrained(file.toString(), like("tiny-sd1"), listener)) {
            assertThat(pipeline.modelName()).isEqualTo("my model.v2");
        }
        assertThat(notices.toString()).contains("my model.v2.safetensors", "tiny-sd1", "F32");
    }
}
