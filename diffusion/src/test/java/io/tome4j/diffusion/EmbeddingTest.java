package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.SafetensorsFile;
import io.tome4j.checkpoint.SafetensorsWriter;
import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Textual inversions, compared with diffusers' images ({@code reference/parts/embeddings.py}), and what goes wrong. */
class EmbeddingTest {
    private static final int TOLERANCE = 2; // of 255
    private static final Request REQUEST = Request.of("a portrait")
            .scheduler("euler")
            .seed(5)
            .steps(4)
            .guidanceScale(5)
            .size(96, 96)
            .merging(ToMeOptions.NONE);

    private static StableDiffusionPipeline pipeline;

    @TempDir
    private Path folder;

    @BeforeAll
    static void load() {
        pipeline = StableDiffusionPipeline.fromPretrained(
                Fixtures.path("tiny-sd1").toString(),
                PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32));
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static Embedding embedding(String name) {
        return Embedding.of(Fixtures.path("embeddings/" + name + ".safetensors"));
    }

    static Stream<Arguments> cases() {
        return Fixtures.cases("embeddings/cases.json").stream()
                .map(c -> Arguments.of(c.get("name").textValue(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void drawsTheImageOfDiffusers(String name, JsonNode c) throws IOException {
        Result result =
                pipeline.generate(REQUEST.prompts(List.of(c.get("prompt").textValue()))
                        .negativePrompt(c.get("negative_prompt").textValue())
                        .embeddings(embedding(c.get("file").textValue())));
        assertThat(result.warnings()).isEmpty();
        assertThat(PipelineParityTest.mostChannelsDiffer(
                        result.image().toBufferedImage(),
                        ImageIO.read(
                                Fixtures.path("embeddings/" + name + ".png").toFile())))
                .isLessThanOrEqualTo(TOLERANCE);
    }

    /** The vectors of tokens that the model has already: whatever way they come in, the image is that of the tokens. */
    private Path vectorsOf(String text, String file) {
        SafetensorsFile encoder = SafetensorsFile.open(Fixtures.path("tiny-sd1/text_encoder/model.safetensors"));
        try (var scope = TensorScope.open();
                var tokenizer = io.tome4j.models.text.ClipTokenizer.of(Fixtures.path("tiny-sd1/tokenizer"))) {
            Tensor table = encoder.load("text_model.embeddings.token_embedding.weight");
            List<Tensor> rows = new ArrayList<>();
            for (long id : tokenizer.tokens(text)) {
                rows.add(Tensors.slice(table, 0, id, id + 1));
            }
            Path path = folder.resolve(file + ".safetensors");
            SafetensorsWriter.write(path, Map.of("emb_params", Tensors.cat(0, rows.toArray(Tensor[]::new))));
            return path;
        }
    }

    @ParameterizedTest
    @CsvSource({"PLAIN", "A1111"})
    void vectorsOfWordsGiveTheImageOfTheWords(PromptSyntax syntax) {
        Request request = REQUEST.with(Request.PROMPT_SYNTAX, syntax);
        float[] expected = pipeline.generate(request.prompts(List.of("a rusty robot, oil on canvas")))
                .latents()
                .values();
        Embedding learned = Embedding.of(vectorsOf("rusty robot", "learned-x7"));
        assertThat(pipeline.generate(request.prompts(List.of("a learned-x7, oil on canvas"))
                                .embeddings(learned))
                        .latents()
                        .values())
                .usingComparatorWithPrecision(1e-4f)
                .containsExactly(expected);
    }

    @Test
    void aLoraBringsItsOwn() throws IOException {
        Path file = folder.resolve("toy-lora.safetensors");
        SafetensorsFile toy = SafetensorsFile.open(Fixtures.path("embeddings/toy.safetensors"));
        SafetensorsFile lora = SafetensorsFile.open(Fixtures.path("lora/kohya.safetensors"));
        try (var scope = TensorScope.open()) {
            Map<String, Tensor> tensors = new HashMap<>();
            lora.names().forEach(name -> tensors.put(name, lora.load(name)));
            tensors.put("bundle_emb.<toy>.string_to_param.*", toy.load("<toy>"));
            SafetensorsWriter.write(file, tensors);
        }
        Request request = REQUEST.prompts(List.of("a rusty <toy> robot's portrait"));
        Result bundled = pipeline.generate(request.loras(Lora.of(file)));
        Result apart = pipeline.generate(
                request.loras(Lora.of(Fixtures.path("lora/kohya.safetensors"))).embeddings(embedding("toy")));
        assertThat(bundled.warnings()).isEmpty();
        assertThat(bundled.latents().values()).isEqualTo(apart.latents().values());
    }

    @Test
    void imagesSayWhichAndAreMadeAgain() {
        Request request = REQUEST.prompts(List.of("a rusty <toy> robot, in bronze"))
                .embeddings(embedding("toy"), embedding("style").token("bronze"));
        Result result = pipeline.generate(request);
        assertThat(result.image().parameters())
                .containsPattern("TI hashes: \"toy: [0-9a-f]{12}, style: [0-9a-f]{12}\"");
        GenerationParameters read = GenerationParameters.parse(result.image().parameters());
        Request again = EmbeddingFolder.of(Fixtures.path("embeddings")).resolve(read.request());
        assertThat(pipeline.generate(again).latents().values())
                .isEqualTo(result.latents().values());
    }

    @Test
    void aFolderGivesThoseThatPromptsName() {
        EmbeddingFolder all = EmbeddingFolder.of(Fixtures.path("embeddings"));
        assertThat(all.names()).containsExactly("style", "toy");
        assertThat(all.resolve(REQUEST.prompts(List.of("a <TOY>"))).embeddings())
                .containsExactly(embedding("toy"));
        assertThat(all.resolve(REQUEST.negativePrompt("bad style")).embeddings())
                .containsExactly(embedding("style"));
        assertThat(all.resolve(REQUEST).embeddings()).isEmpty();
    }

    @Test
    void aFileThatIsNoneConcernsThoseAloneWhoNameIt() throws Exception {
        Files.copy(Fixtures.path("embeddings/toy.safetensors"), folder.resolve("toy.safetensors"));
        Files.writeString(folder.resolve("half-copied.safetensors"), "no more than this");
        EmbeddingFolder all = EmbeddingFolder.of(folder);
        assertThat(all.resolve(REQUEST.prompts(List.of("a <toy>"))).embeddings())
                .extracting(Embedding::name)
                .containsExactly("toy");
        assertThatThrownBy(() -> all.resolve(REQUEST.prompts(List.of("a half-copied cat"))))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("half-copied.safetensors");
    }

    @Test
    void oneThatNoPromptNamesIsSaid() {
        assertThat(pipeline.generate(REQUEST.steps(1).embeddings(embedding("toy")))
                        .warnings())
                .singleElement()
                .asString()
                .contains("toy")
                .contains("no effect");
    }

    @ParameterizedTest
    @CsvSource({
        "768, Stable Diffusion 1.x",
        "1024, Stable Diffusion 2.x",
        "1280, second text encoder of Stable Diffusion XL"
    })
    void oneOfAnotherWidthSaysForWhichFamilyItIs(long width, String family) {
        Path file = folder.resolve("other.safetensors");
        try (var scope = TensorScope.open()) {
            SafetensorsWriter.write(file, Map.of("emb_params", torch.ones(new long[] {2, width}, Tensors.fp32())));
        }
        Request request = REQUEST.prompts(List.of("other")).embeddings(Embedding.of(file));
        assertThatThrownBy(() -> pipeline.generate(request))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("other.safetensors")
                .hasMessageContaining(family)
                .hasMessageContaining("vectors of " + width)
                .hasMessageContaining("takes vectors of 32");
    }

    @Test
    void thePairOfXlIsForXl() {
        Path file = folder.resolve("pair.safetensors");
        try (var scope = TensorScope.open()) {
            SafetensorsWriter.write(
                    file,
                    Map.of(
                            "clip_l", torch.ones(new long[] {2, 32}, Tensors.fp32()),
                            "clip_g", torch.ones(new long[] {2, 1280}, Tensors.fp32())));
        }
        Request request = REQUEST.prompts(List.of("pair")).embeddings(Embedding.of(file));
        assertThatThrownBy(() -> pipeline.generate(request))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is for Stable Diffusion XL");
    }

    @Test
    void filesThatAreNoneAreRefused() throws IOException {
        Path pickle =
                Files.write(folder.resolve("old.safetensors"), new byte[] {(byte) 0x80, 2, '}', 'q', 0, '.', 0, 0, 0});
        assertThatThrownBy(() -> Embedding.of(pickle).requireFile())
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is a pickle");
        assertThatThrownBy(() ->
                        Embedding.of(Fixtures.path("lora/kohya.safetensors")).requireFile())
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("is no textual inversion");
        assertThatThrownBy(() -> pipeline.generate(REQUEST.embeddings(Embedding.named("lost"))))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("'lost'");
    }

    @Test
    void aWordOfTheVocabularyIsNoToken() {
        assertThatThrownBy(() -> pipeline.generate(REQUEST.prompts(List.of("a"))
                        .embeddings(embedding("toy").token("a"))))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("<a>");
    }

    @Test
    void anOptionMayNameTheToken() {
        assertThat(Embedding.parse("a/toy.safetensors:<my toy>").token()).isEqualTo("<my toy>");
        assertThat(Embedding.parse("C:/a/toy.safetensors").token()).isEmpty();
        assertThat(Embedding.parse("C:/a/toy.safetensors").name()).isEqualTo("toy");
    }
}
