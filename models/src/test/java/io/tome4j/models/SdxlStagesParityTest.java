package io.tome4j.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.MergeContext;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.unet.AddedConditioning;
import io.tome4j.models.unet.Conditioning;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.models.vae.AutoencoderKL;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** SDXL's networks, compared with what {@code diffusers} and {@code transformers} gave: see {@code reference/parts/sdxl.py}. */
class SdxlStagesParityTest {
    private static final double TEXT = 1e-5;
    private static final double UNET = 1e-4;

    private static SafetensorsFile stages() {
        return SafetensorsFile.open(Fixtures.path("sdxl/stages.safetensors"));
    }

    private static Weights weights(Path folder, String file) {
        return Weights.of(SafetensorsFile.open(folder.resolve(file)), Placement.CPU_FP32);
    }

    private static ClipTextModel textEncoder(String path) {
        Path folder = Fixtures.path(path);
        Weights weights = weights(folder, "model.safetensors");
        Config config = Config.read(folder.resolve("config.json"));
        return path.endsWith("_2")
                ? ClipTextModel.withProjection(weights, config, AttentionKernel.EFFICIENT)
                : ClipTextModel.of(weights, config, AttentionKernel.EFFICIENT);
    }

    private static UNet2DConditionModel unet(String pipeline) {
        Path folder = Fixtures.path(pipeline + "/unet");
        return UNet2DConditionModel.of(
                weights(folder, "diffusion_pytorch_model.safetensors"),
                Config.read(folder.resolve("config.json")),
                AttentionKernel.EFFICIENT);
    }

    private static long[][] ids(Tensor tensor) {
        long[] flat = Tensors.longs(tensor);
        int length = (int) tensor.size(1);
        long[][] rows = new long[flat.length / length][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = Arrays.copyOfRange(flat, row * length, (row + 1) * length);
        }
        return rows;
    }

    @ParameterizedTest
    @CsvSource({
        "first, tiny-sdxl/text_encoder, tiny-sdxl/tokenizer",
        "second, tiny-sdxl/text_encoder_2, tiny-sdxl/tokenizer_2",
        "refiner, tiny-sdxl-refiner/text_encoder_2, tiny-sdxl-refiner/tokenizer_2"
    })
    void textEncodersGiveHiddenStatesAndPooledEmbeddings(String name, String model, String tokenizer) {
        try (var scope = TensorScope.open();
                var encoder = textEncoder(model);
                var words = ClipTokenizer.of(Fixtures.path(tokenizer))) {
            long[][] ids = ids(stages().load(name + ".ids"));
            assertThat(words.encode("").ids()).as("padding").isEqualTo(ids[2]);
            ClipTextModel.Output output = encoder.encode(ids, 1);
            assertThat(Fixtures.maxDifference(output.hidden(), stages().load(name + ".hidden")))
                    .isLessThan(TEXT);
            assertThat(Fixtures.maxDifference(encoder.encode(ids, 2).hidden(), stages().load(name + ".before")))
                    .isLessThan(TEXT);
            assertThat(output.pooled().isPresent()).isEqualTo(!name.equals("first"));
            if (output.pooled().isPresent()) {
                assertThat(Fixtures.maxDifference(output.pooled().get(), stages().load(name + ".pooled")))
                        .isLessThan(TEXT);
            }
        }
    }

    /** Old configs say the marker is 2 and mean the largest id; the refiner's says the true id. */
    @ParameterizedTest
    @CsvSource({"odd.pooled, tiny-sdxl/text_encoder_2", "odd.refiner, tiny-sdxl-refiner/text_encoder_2"})
    void aTextEndsAtTheLargestIdOrAtTheMarkerAsTheConfigSays(String name, String model) {
        try (var scope = TensorScope.open();
                var encoder = textEncoder(model)) {
            Tensor pooled =
                    encoder.encode(ids(stages().load("odd.ids")), 1).pooled().orElseThrow();
            assertThat(Fixtures.maxDifference(pooled, stages().load(name))).isLessThan(TEXT);
        }
    }

    private static AddedConditioning added(String name) {
        return new AddedConditioning(
                stages().load("unet." + name + ".pooled"), stages().load("unet." + name + ".time_ids"));
    }

    @ParameterizedTest
    @CsvSource({"base, tiny-sdxl", "refiner, tiny-sdxl-refiner"})
    void unetsSeeSizesAndPooledTextsOfEachRow(String name, String pipeline) {
        try (var scope = TensorScope.open();
                var unet = unet(pipeline)) {
            Tensor sample = stages().load("unet." + name + ".sample");
            Conditioning conditioning = unet.condition(stages().load("unet." + name + ".text"), added(name), 981, 1);
            for (int timestep : new int[] {981, 1}) {
                Tensor expected = stages().load("unet." + name + "." + timestep);
                Tensor output = unet.forward(sample, timestep, conditioning, MergeContext.NONE);
                assertThat(Fixtures.maxDifference(output, expected)).isLessThan(UNET);
                Tensor last = unet.forward(Tensors.slice(sample, 0, 1, 2), timestep, conditioning, MergeContext.NONE);
                assertThat(Fixtures.maxDifference(last, Tensors.slice(expected, 0, 1, 2)))
                        .as("of fewer rows the last")
                        .isLessThan(UNET);
            }
        }
    }

    @Test
    void aUnetThatWantsSizesRefusesToDoWithoutAndToTakeOthers() {
        try (var scope = TensorScope.open();
                var unet = unet("tiny-sdxl")) {
            Tensor text = stages().load("unet.base.text");
            assertThatThrownBy(() -> unet.condition(text, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("pooled");
            assertThatThrownBy(() -> unet.condition(text, added("refiner"), 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("64 numbers a row")
                    .hasMessageContaining("72");
        }
    }

    @Test
    void latentsWithMeanAndDeviationAreDecodedAndScaledBack() {
        Path folder = Fixtures.path("tiny-sdxl/vae");
        try (var scope = TensorScope.open();
                var vae = AutoencoderKL.of(
                        weights(folder, "diffusion_pytorch_model.safetensors"),
                        Config.read(folder.resolve("config.json")))) {
            Tensor latents = stages().load("vae.latents");
            assertThat(Fixtures.maxDifference(vae.decode(latents), stages().load("vae.image")))
                    .isLessThan(UNET);
            Tensor std = Tensors.of(new float[] {8.4927f, 5.9022f, 6.5498f, 5.2299f}, 1, 4, 1, 1);
            Tensor mean = Tensors.of(new float[] {-1.6574f, 1.886f, -1.383f, 2.5155f}, 1, 4, 1, 1);
            Tensor unscaled = latents.mul(std)
                    .div(new org.bytedeco.pytorch.Scalar(0.13025))
                    .add(mean);
            assertThat(Fixtures.maxDifference(vae.scaled(unscaled), latents)).isLessThan(TEXT);
        }
    }
}
