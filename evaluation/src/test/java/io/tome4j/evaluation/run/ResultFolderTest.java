package io.tome4j.evaluation.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.PipelineOptions;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.evaluation.run.ResultStore.Finished;
import io.tome4j.evaluation.run.ResultStore.Kept;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultFolderTest {
    private static final Map<String, String> SETTINGS = Map.of("steps", "1");
    private static final Request REQUEST =
            Request.of("an apple").seed(3).steps(1).size(64, 64);
    private static final ToMeOptions HALF = ToMeOptions.ratio(0.5);
    private static final ResultKey KEY = ResultKey.of("images/0000-tome-0.5", REQUEST, Savings.of(HALF));
    private static Made made;

    @TempDir
    private Path folder;

    @BeforeAll
    static void make() {
        Path model = Path.of(System.getProperty("tome4j.fixtures"), "tiny-sd1");
        try (var pipeline = StableDiffusionPipeline.fromPretrained(
                model.toString(), PipelineOptions.DEFAULT.dtype(DTypeChoice.FP32))) {
            made = new SettingRun(pipeline, progress -> true).make(REQUEST, Savings.of(HALF), MapPlace.middle(1));
        }
    }

    private ResultStore store() {
        return ResultFolder.open(folder, SETTINGS);
    }

    @Test
    void whatIsFoundIsWhatWasKept() {
        Kept kept = store().keep(KEY, made);
        Kept found = store().find(KEY).orElseThrow();
        assertThat(found.times()).isEqualTo(kept.times());
        assertThat(ImageMeasure.PSNR.between(kept.image(), found.image())).isInfinite();
        assertThat(found.map().orElseThrow().groups())
                .isEqualTo(made.map().orElseThrow().groups());
        assertThat(folder.resolve("images/0000-tome-0.5.png")).isNotEmptyFile();
        assertThat(folder.resolve("maps/0000-tome-0.5.png")).isNotEmptyFile();
    }

    @Test
    void theMergingOfAnImageIsWrittenWithoutItsDefaults() throws IOException {
        store().keep(KEY, made);
        assertThat(Files.readString(folder.resolve("images/0000-tome-0.5.json")))
                .contains("\"merging\":\"ratio=0.5\"");
        ResultKey other = ResultKey.of(KEY.file(), REQUEST, Savings.of(HALF.mergeMlp(true)));
        assertThatThrownBy(() -> store().find(other))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("merging was ratio=0.5 and is now ratio=0.5 merge_mlp=true");
    }

    @Test
    void whatARequestLeavesOutIsWrittenOnlyWhereItDoes() {
        assertThat(KEY.identity()).doesNotContainKey("reuse_every");
        ResultKey reusing = ResultKey.of(KEY.file(), REQUEST, Savings.of(HALF).with(Request.REUSE_EVERY, 3));
        store().keep(KEY, made);
        assertThatThrownBy(() -> store().find(reusing))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("reuse_every was none and is now 3");
    }

    @Test
    void onlyWhatIsMissingIsMade() {
        List<Made> makings = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Finished finished = store().findOrMake(KEY, true, () -> {
                makings.add(made);
                return made;
            });
            assertThat(finished.making().isPresent()).isEqualTo(i == 0);
        }
        assertThat(makings).hasSize(1);
    }

    @Test
    void aGuardStandsBeforeEachWritingAndNoReading() {
        ResultStore stopped = store().guardedBy(write -> {
            throw new CancellationException("Stopped before writing");
        });
        assertThatThrownBy(() -> stopped.findOrMake(KEY, false, () -> made)).isInstanceOf(CancellationException.class);
        assertThat(stopped.has(KEY)).isFalse();
        store().guardedBy(Runnable::run).keep(KEY, made);
        assertThat(stopped.find(KEY)).isPresent();
    }
}
