package io.tome4j.evaluation.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.emoji.Motifs;
import io.tome4j.evaluation.bench.Machine;
import io.tome4j.evaluation.measures.ClipScore;
import io.tome4j.evaluation.measures.ImageFeatures;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.evaluation.run.Made;
import io.tome4j.evaluation.run.ResultFolder;
import io.tome4j.evaluation.run.ResultKey;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.evaluation.run.Times;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.models.clip.ClipModel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {
    private static final Map<String, String> SETTINGS = Map.of("steps", "2");
    private static final List<Setting> GRID = Stream.of("tome", "todo", "tomesd")
            .map(variant -> Setting.of(variant, 0.5, ToMeOptions.ratio(0)))
            .toList();
    private static final Prompts PROMPTS = new Prompts(
            "made up",
            List.of(prompt("a panda", "Animals"), prompt("a robot, \"painted\"", "Arts"), prompt("a cat", "Animals")));

    private static StableDiffusionPipeline pipeline;

    @TempDir
    Path temp;

    @BeforeAll
    static void load() {
        pipeline = StableDiffusionPipeline.fromPretrained(
                Path.of(System.getProperty("tome4j.fixtures"))
                        .resolve("tiny-sd1")
                        .toString(),
                PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32));
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static Prompt prompt(String text, String category) {
        return new Prompt(text, category, "", OptionalInt.empty());
    }

    private static Evaluation evaluation(Prompts prompts, int maps) {
        return new Evaluation(
                prompts, GRID, Request.of("").steps(2).size(64, 64), 7, Measures.of(ImageMeasure.PSNR), false, maps);
    }

    /** Counts, and stops after so many images were made. */
    private static final class Recorder implements Evaluation.Listener {
        private final List<String> made = new ArrayList<>();
        private int imagesLeft;
        private int missing;

        Recorder(int images) {
            this.imagesLeft = images;
        }

        @Override
        public void onBegin(int kept, int toMake) {
            missing = toMake;
        }

        @Override
        public boolean onStep(Progress progress) {
            return imagesLeft > 0;
        }

        @Override
        public void onImage(String name, Optional<Duration> making) {
            if (making.isPresent()) {
                made.add(name);
                imagesLeft--;
            }
        }
    }

    private static Recorder recorder() {
        return new Recorder(Integer.MAX_VALUE);
    }

    /** A folder in which every image took as long as the letters of its name say. */
    private record EqualTimes(ResultStore store, int imagesLeft, List<ResultKey> kept) implements ResultStore {
        EqualTimes(ResultStore store, int imagesLeft) {
            this(store, imagesLeft, new ArrayList<>());
        }

        @Override
        public boolean has(ResultKey key) {
            return store.has(key);
        }

        @Override
        public Optional<Kept> find(ResultKey key) {
            return store.find(key);
        }

        @Override
        public Kept keep(ResultKey key, Made made) {
            if (kept.size() == imagesLeft) {
                throw new TomeException("The disk is full.");
            }
            kept.add(key);
            double second = key.file().hashCode() % 100 / 100.0 + 2;
            Times times = new Times(0.1, List.of(second, second), 0.2);
            return store.keep(key, new Made(made.result(), made.image(), times, made.took(), made.map()));
        }
    }

    private ResultStore store(String name) {
        return new EqualTimes(ResultFolder.open(temp.resolve(name), SETTINGS), Integer.MAX_VALUE);
    }

    private String report(EvaluationResult result, String folder) {
        Machine machine = new Machine("cpu", 2, 0, "", "system", "java", "2.10", "engine", "tome4j");
        EvaluationReport report =
                new EvaluationReport("tiny", machine, SETTINGS, result, Instant.parse("2026-11-23T00:00:00Z"));
        return report.csv() + report.json().toPrettyString() + report.text() + report.html(store(folder));
    }

    private static Map<String, byte[]> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .collect(Collectors.toMap(file -> folder.relativize(file).toString(), EvaluationTest::bytes));
        }
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aRunThatWasStoppedEndsWithTheSameReport() throws IOException {
        Evaluation evaluation = evaluation(PROMPTS, 1);
        Recorder whole = recorder();
        String expected = report(evaluation.run(pipeline, store("whole"), whole), "whole");
        assertThat(whole.made).hasSize(12);
        assertThat(whole.missing).isEqualTo(12);

        assertThatThrownBy(() -> evaluation.run(pipeline, store("half"), new Recorder(6)))
                .isInstanceOf(CancellationException.class);
        ResultStore full = new EqualTimes(ResultFolder.open(temp.resolve("half"), SETTINGS), 3);
        assertThatThrownBy(() -> evaluation.run(pipeline, full, recorder())).hasMessage("The disk is full.");
        Recorder rest = recorder();
        String resumed = report(evaluation.run(pipeline, store("half"), rest), "half");
        assertThat(rest.made).hasSize(3).isEqualTo(whole.made.subList(9, 12));
        assertThat(rest.missing).isEqualTo(3);
        assertThat(resumed).isEqualTo(expected);
        assertThat(files(temp.resolve("half"))).containsExactlyInAnyOrderEntriesOf(files(temp.resolve("whole")));

        Recorder again = recorder();
        assertThat(report(evaluation.run(pipeline, store("half"), again), "half"))
                .isEqualTo(expected);
        assertThat(again.made).isEmpty();
    }

    @Test
    void theImagesOfAPromptBeginWithTheUnmergedOneAndGoRound() {
        Recorder recorder = recorder();
        EvaluationResult result = evaluation(PROMPTS, 0).run(pipeline, store("order"), recorder);
        assertThat(recorder.made)
                .containsExactly(
                        "0000-unmerged",
                        "0000-tome-0.5",
                        "0000-todo-0.5",
                        "0000-tomesd-0.5",
                        "0001-unmerged",
                        "0001-todo-0.5",
                        "0001-tomesd-0.5",
                        "0001-tome-0.5",
                        "0002-unmerged",
                        "0002-tomesd-0.5",
                        "0002-tome-0.5",
                        "0002-todo-0.5");
        assertThat(result.rows().subList(4, 8))
                .extracting(row -> row.shot().setting().label())
                .containsExactly("unmerged", "tome 0.5", "todo 0.5", "tomesd 0.5");
        assertThat(result.rows()).extracting(row -> row.shot().request().seed()).contains(7L, 8L, 9L);
    }

    @Test
    void aDamagedImageIsMadeAnewAndAMoreOfThemAreAdded() throws IOException {
        Prompts two = new Prompts("made up", PROMPTS.all().subList(0, 2));
        evaluation(two, 0).run(pipeline, store("a"), recorder());
        Path file = temp.resolve("a/images/0001-tomesd-0.5.png");
        byte[] png = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(png, png.length / 2));
        Files.writeString(temp.resolve("a/images/0001-todo-0.5.json"), "{");
        Recorder rest = recorder();
        evaluation(PROMPTS, 0).run(pipeline, store("a"), rest);
        assertThat(rest.made).hasSize(6).startsWith("0001-todo-0.5", "0001-tomesd-0.5");
        assertThat(Files.readAllBytes(file)).isEqualTo(png);

        Recorder mapped = recorder(); // maps can only be recorded while an image is made
        evaluation(PROMPTS, 1).run(pipeline, store("a"), mapped);
        assertThat(mapped.made).containsExactly("0000-tome-0.5", "0000-todo-0.5", "0000-tomesd-0.5");
        assertThat(temp.resolve("a/maps")).isDirectoryContaining("glob:**0000-tomesd-0.5.png");
    }

    @Test
    void imagesOfAnotherEvaluationAreRefused() throws IOException {
        evaluation(PROMPTS, 0).run(pipeline, store("a"), recorder());
        assertThatThrownBy(() -> ResultFolder.open(temp.resolve("a"), Map.of("steps", "20")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("steps was 2 and is now 20");
        Prompts others = new Prompts("others", List.of(prompt("a dog", "")));
        assertThatThrownBy(() -> evaluation(others, 0).run(pipeline, store("a"), recorder()))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("prompt was a panda and is now a dog");
        var small = new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB);
        ImageIO.write(small, "png", temp.resolve("a/images/0000-todo-0.5.png").toFile());
        assertThatThrownBy(() -> evaluation(PROMPTS, 0).run(pipeline, store("a"), recorder()))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("0000-todo-0.5.png")
                .hasMessageContaining("it has 32 x 16 pixels and should have 64 x 64");
    }

    @Test
    void theReportComparesEachSettingWithTomesdPairByPair() throws IOException {
        EvaluationResult result = evaluation(PROMPTS, 0).run(pipeline, store("a"), recorder());
        Machine machine = new Machine("cpu", 2, 0, "", "system", "java", "2.10", "engine", "tome4j");
        JsonNode json = new EvaluationReport("tiny", machine, SETTINGS, result, Instant.EPOCH).json();
        assertThat(json.get("summary").findValuesAsText("setting"))
                .containsExactly("unmerged", "tome 0.5", "todo 0.5", "tomesd 0.5");
        double ours = 0;
        for (int i = 0; i < 3; i++) {
            ours += psnr(result, 4 * i + 1) - psnr(result, 4 * i + 3);
        }
        assertThat(json.at("/summary/1/over_tomesd/psnr/mean").asDouble()).isCloseTo(ours / 3, within(1e-6));
        assertThat(json.at("/summary/1/over_tomesd/psnr/mean_interval")).hasSize(2);
        assertThat(json.at("/summary/3").has("over_tomesd")).isFalse();
        assertThat(json.at("/summary/0").has("psnr")).isFalse();
        assertThat(json.at("/summary/1/speed_up/count").asInt()).isEqualTo(3);
        assertThat(json.at("/summary/3/merging/mode").asText()).isEqualTo("tomesd");
        assertThat(json.at("/summary/3/merging/match_per").asText()).isEqualTo("block");
        assertThat(json.at("/summary/0").has("merging")).isFalse();
        assertThat(json.at("/categories/0/name").asText()).isEqualTo("Animals");
        assertThat(json.at("/categories/0/prompts").asInt()).isEqualTo(2);
        assertThat(json.at("/categories/1/summary/2/psnr/mean").asDouble()).isPositive();
        assertThat(json.get("challenges")).isEmpty();
        assertThat(ResultTable.csv(result).lines().toList())
                .hasSize(13)
                .first()
                .asString()
                .startsWith("number,prompt,category,challenge,seed,setting,variant,method,ratio,image,")
                .endsWith(",seconds_per_step,psnr");
        assertThat(ResultTable.csv(result)).contains("1,\"a robot, \"\"painted\"\"\",Arts,,8,tome 0.5,tome,tome,0.5,");
        assertThat(ResultTable.text(result)).contains("setting", "PSNR over tomesd", "tomesd 0.5");
    }

    private static double psnr(EvaluationResult result, int row) {
        return result.rows().get(row).measure("psnr").orElseThrow();
    }

    @Test
    void whatTomesdDrawsDependsOnTheImageAlone() throws IOException {
        evaluation(PROMPTS, 0).run(pipeline, store("all"), recorder());
        Evaluation alone = new Evaluation(
                new Prompts("one", PROMPTS.all().subList(0, 1)),
                GRID.subList(2, 3),
                Request.of("").steps(2).size(64, 64),
                7,
                Measures.of(),
                false,
                0);
        alone.run(pipeline, store("one"), recorder());
        String file = "images/0000-tomesd-0.5.png";
        assertThat(temp.resolve("one").resolve(file))
                .hasSameBinaryContentAs(temp.resolve("all").resolve(file));
    }

    @Test
    void motifsAreLookedUpForEachSetting() {
        Evaluation evaluation = new Evaluation(
                Prompts.of(Motifs.load()).draw(2, 1),
                GRID,
                Request.of("").steps(1).size(64, 64),
                7,
                Measures.of(ImageMeasure.PSNR),
                true,
                0);
        EvaluationResult result = evaluation.run(pipeline, store("motifs"), recorder());
        assertThat(result.summaries()).allSatisfy(summary -> {
            assertThat(summary.top1()).isPresent();
            assertThat(summary.top10().orElseThrow().value()).isBetween(0.0, 1.0);
        });
        assertThat(ResultTable.csv(result)).contains(",rank\n");
        assertThatThrownBy(() -> new Evaluation(PROMPTS, GRID, Request.of("").size(64, 64), 7, Measures.of(), true, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Only the motifs");
    }

    @Test
    void setsArePutBesideTheUnmergedOneAndImagesBesideTheirPrompts() throws IOException {
        Path fixtures = Path.of(System.getProperty("tome4j.fixtures")).resolve("measures");
        String folder = fixtures.resolve("tiny-clip").toString();
        try (ClipModel clip = ClipModel.fromPretrained(folder, DownloadListener.SILENT);
                ImageFeatures features = ImageFeatures.clip("tiny-clip", clip)) {
            Measures measures =
                    new Measures(List.of(ImageMeasure.SSIM), Optional.of(new ClipScore(clip)), Optional.of(features));
            Evaluation evaluation = evaluation(PROMPTS, 0).measures(measures);
            EvaluationResult result = evaluation.run(pipeline, store("a"), recorder());
            assertThat(result.measures()).containsExactly("ssim", "clip_score");
            assertThat(result.summaries().get(0).measures()).containsOnlyKeys("clip_score");
            assertThat(result.summaries().get(0).frechet()).isEmpty();
            assertThat(result.summaries().get(2).frechet()).isPresent();
            assertThat(result.setDistances().orElseThrow().network()).isEqualTo("tiny-clip");
            assertThat(result.categories().get(0).summaries().get(2).frechet()).isEmpty();
            assertThat(ResultTable.text(result)).contains("Frechet distance", "CLIP score");
            Evaluation one = new Evaluation(
                    new Prompts("one", PROMPTS.all().subList(0, 1)),
                    GRID,
                    evaluation.template(),
                    7,
                    measures,
                    false,
                    0);
            assertThatThrownBy(() -> one.run(pipeline, store("one"), recorder()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("there must be at least 2 prompts");
            assertThatThrownBy(() -> evaluation
                            .measures(Measures.of(ImageMeasure.MS_SSIM))
                            .run(pipeline, store("a"), recorder()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("measures has ms_ssim, which needs images of 176 x 176");
        }
    }

    @Test
    void nothingNativeIsLeftBehind() {
        evaluation(PROMPTS, 1).run(pipeline, store("first"), recorder());
        long before = TensorScope.liveObjects();
        evaluation(PROMPTS, 1).run(pipeline, store("second"), recorder());
        assertThatThrownBy(() -> evaluation(PROMPTS, 1).run(pipeline, store("third"), new Recorder(2)))
                .isInstanceOf(CancellationException.class);
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }
}
