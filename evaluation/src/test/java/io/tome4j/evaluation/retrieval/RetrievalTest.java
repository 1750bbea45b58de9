package io.tome4j.evaluation.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.emoji.Motifs;
import io.tome4j.evaluation.Share;
import io.tome4j.evaluation.Statistics;
import io.tome4j.evaluation.retrieval.Retrieval.Row;
import io.tome4j.evaluation.retrieval.Retrieval.Sample;
import io.tome4j.evaluation.run.ResultFolder;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RetrievalTest {
    private static final Motifs MOTIFS = Motifs.load();
    private static final Request TEMPLATE = Request.of("").steps(2).size(64, 64);
    private static final Map<String, String> SETTINGS = Map.of("steps", "2");

    @TempDir
    Path temp;

    private static StableDiffusionPipeline tinyModel() {
        return StableDiffusionPipeline.fromPretrained(
                Path.of(System.getProperty("tome4j.fixtures"))
                        .resolve("tiny-sd1")
                        .toString(),
                PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32));
    }

    /** Collects images, and stops at a step. */
    private static final class Recorder implements Retrieval.Listener {
        private final List<BufferedImage> images = new ArrayList<>();
        private int stepsLeft;

        Recorder(int steps) {
            this.stepsLeft = steps;
        }

        @Override
        public boolean onStep(Progress progress) {
            stepsLeft--;
            return stepsLeft > 0;
        }

        @Override
        public void onImage(Row row, BufferedImage image) {
            images.add(image);
        }
    }

    private static Recorder recorder() {
        return new Recorder(Integer.MAX_VALUE);
    }

    @Test
    void theDrawIsTheSameOnEveryMachineAndWithoutRepeats() {
        assertThat(Retrieval.draw(1592, 5, 99)).containsExactly(1291, 892, 1301, 493, 1492);
        assertThat(Retrieval.draw(1592, 1592, 1)).doesNotHaveDuplicates().hasSize(1592);
        assertThat(Retrieval.draw(1592, 200, 99).subList(0, 5)).isEqualTo(Retrieval.draw(1592, 5, 99));
        assertThat(Retrieval.draw(1592, 5, 98)).isNotEqualTo(Retrieval.draw(1592, 5, 99));
    }

    @Test
    void eachSampleAsksForItsMotifWithASeedOfItsOwn() {
        List<Sample> samples = new Retrieval(MOTIFS, 3, 99, TEMPLATE).samples();
        assertThat(samples).extracting(Sample::index).containsExactly(0, 1, 2);
        assertThat(samples).extracting(sample -> sample.request().seed()).containsExactly(99L, 100L, 101L);
        for (Sample sample : samples) {
            var motif = MOTIFS.all().get(sample.motif());
            assertThat(sample.request().prompts()).containsExactly(motif.prompt());
            assertThat(sample.request().steps()).isEqualTo(2);
            assertThat(sample.file()).isEqualTo("000" + sample.index() + "-" + motif.id());
        }
    }

    @Test
    void samplesThatCannotBeDrawnAreRefused() {
        for (int samples : new int[] {0, -1, MOTIFS.all().size() + 1}) {
            assertThatThrownBy(() -> new Retrieval(MOTIFS, samples, 1, TEMPLATE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("samples is " + samples)
                    .hasMessageContaining("1592");
        }
        assertThatThrownBy(() -> new Retrieval(MOTIFS, 1, 1, TEMPLATE.size(96, 96)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("width is 96");
    }

    @Test
    void aRunThatWasStoppedGoesOnWhereItWas() {
        var retrieval = new Retrieval(MOTIFS, 3, 5, TEMPLATE);
        try (var pipeline = tinyModel()) {
            Recorder all = recorder();
            RetrievalResult whole = retrieval.run(pipeline, ToMeOptions.NONE, ResultStore.NONE, all);
            assertThat(whole.made()).isEqualTo(3);

            Path folder = temp.resolve("images");
            Recorder stopping = new Recorder(4);
            assertThatThrownBy(() ->
                            retrieval.run(pipeline, ToMeOptions.NONE, ResultFolder.open(folder, SETTINGS), stopping))
                    .isInstanceOf(CancellationException.class);
            assertThat(stopping.images).hasSize(1);

            Recorder rest = recorder();
            RetrievalResult resumed =
                    retrieval.run(pipeline, ToMeOptions.NONE, ResultFolder.open(folder, SETTINGS), rest);
            assertThat(resumed.made()).isEqualTo(2);
            assertThat(resumed.rows()).extracting(Row::rank).containsExactlyElementsOf(ranks(whole));
            for (int i = 0; i < 3; i++) {
                assertThat(Lab.of(rest.images.get(i))).isEqualTo(Lab.of(all.images.get(i)));
            }
            assertThat(new Retrieval(MOTIFS, 4, 5, TEMPLATE)
                            .run(pipeline, ToMeOptions.NONE, ResultFolder.open(folder, SETTINGS), recorder())
                            .made())
                    .isEqualTo(1);
        }
    }

    private static List<Integer> ranks(RetrievalResult result) {
        return result.rows().stream().map(Row::rank).toList();
    }

    @Test
    void aDamagedImageIsMadeAnew() throws IOException {
        var retrieval = new Retrieval(MOTIFS, 2, 5, TEMPLATE);
        try (var pipeline = tinyModel()) {
            var first = retrieval.run(pipeline, ToMeOptions.NONE, ResultFolder.open(temp, SETTINGS), recorder());
            Path file = temp.resolve(retrieval.samples().get(1).file() + ".png");
            byte[] png = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(png, png.length / 2));
            var second = retrieval.run(pipeline, ToMeOptions.NONE, ResultFolder.open(temp, SETTINGS), recorder());
            assertThat(second.made()).isEqualTo(1);
            assertThat(ranks(second)).isEqualTo(ranks(first));
            assertThat(Files.readAllBytes(file)).isEqualTo(png);
        }
    }

    @Test
    void aFolderOfOtherSettingsIsRefused() throws IOException {
        ResultFolder.open(temp.resolve("a"), SETTINGS);
        assertThatThrownBy(() -> ResultFolder.open(temp.resolve("a"), Map.of("steps", "20")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(temp.resolve("a").toString())
                .hasMessageContaining("steps was 2 and is now 20");
        assertThatThrownBy(() -> ResultFolder.open(temp, SETTINGS))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("holds a and no evaluation");
        Files.writeString(temp.resolve("a/evaluation.json"), "{");
        assertThatThrownBy(() -> ResultFolder.open(temp.resolve("a"), SETTINGS))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("does not hold the settings");
    }

    @Test
    void nothingNativeIsLeftBehind() {
        try (var pipeline = tinyModel()) {
            var retrieval = new Retrieval(MOTIFS, 2, 5, TEMPLATE);
            retrieval.run(pipeline, ToMeOptions.NONE, ResultStore.NONE, recorder());
            long before = TensorScope.liveObjects();
            for (int i = 0; i < 3; i++) {
                retrieval.run(
                        pipeline, ToMeOptions.NONE, ResultFolder.open(temp.resolve("run" + i), SETTINGS), recorder());
            }
            assertThatThrownBy(() -> retrieval.run(pipeline, ToMeOptions.NONE, ResultStore.NONE, new Recorder(3)))
                    .isInstanceOf(CancellationException.class);
            assertThat(TensorScope.liveObjects()).isEqualTo(before);
        }
    }

    @Test
    void theFiguresAreThoseOfTheRanks() {
        Sample sample = new Retrieval(MOTIFS, 1, 1, TEMPLATE).samples().get(0);
        List<Row> rows = new ArrayList<>();
        for (int rank : new int[] {0, 0, 3, 9, 10, 700}) {
            rows.add(new Row(sample, rank, "x", rank + 1, OptionalDouble.empty(), Optional.empty()));
        }
        RetrievalResult result = new RetrievalResult(64, 64, rows);
        assertThat(result.top(1)).isEqualTo(Share.of(2, 6));
        assertThat(result.top(10)).isEqualTo(Share.of(4, 6));
        assertThat(result.medianRank()).isEqualTo(6);
        assertThat(result.secondsPerImage()).isEmpty();
        assertThat(result.thumbnailDifference().mean()).isEqualTo((1 + 1 + 4 + 10 + 11 + 701) / 6.0);
        assertThat(result.drawingDifference()).isEmpty();
    }

    @Test
    void theMeanDifferencesComeWithTheirIntervals() {
        Sample sample = new Retrieval(MOTIFS, 1, 1, TEMPLATE).samples().get(0);
        List<Row> rows = new ArrayList<>();
        for (double difference : new double[] {2, 4, 4, 6}) {
            rows.add(new Row(sample, 0, "x", difference, OptionalDouble.of(3), Optional.empty()));
        }
        RetrievalResult result = new RetrievalResult(64, 64, rows);
        assertThat(result.thumbnailDifference().mean()).isEqualTo(4);
        // means of resamples are 2 and half of what 8 tosses give: 0.4% are 2, 3.5% at most 2.5
        assertThat(result.thumbnailDifference().meanInterval()).isEqualTo(new Statistics.Interval(2.5, 5.5));
        assertThat(result.drawingDifference()).hasValue(Statistics.of(3, 3, 3, 3));
        assertThat(Statistics.of(3, 3, 3, 3).meanInterval()).isEqualTo(new Statistics.Interval(3, 3));
    }

    @Test
    void theContactSheetHoldsTheFirst48() {
        ContactSheet sheet = new ContactSheet();
        for (int i = 0; i < 9; i++) {
            sheet.add(MOTIFS.thumbnail(i));
        }
        assertThat(sheet.image().getWidth()).isEqualTo(1024);
        assertThat(sheet.image().getHeight()).isEqualTo(256);
        for (int i = 0; i < 60; i++) {
            sheet.add(MOTIFS.thumbnail(i));
        }
        assertThat(sheet.image().getHeight()).isEqualTo(768);
        Path file = temp.resolve("sheet.png");
        sheet.save(file);
        assertThat(file).isNotEmptyFile();
        assertThatThrownBy(() -> sheet.save(temp.resolve("none/sheet.png"))).isInstanceOf(TomeException.class);
    }
}
