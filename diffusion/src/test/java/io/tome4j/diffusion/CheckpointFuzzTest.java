package io.tome4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged checkpoints: whatever bytes, values and lengths of a tiny one are changed, it loads and draws, or a {@link
 * TomeException} says what is wrong; nothing else is thrown, and nothing stays in native memory. The same changes each
 * time; {@code -Dtest.argLine=-Dtome4j.fuzz=100000} makes more of them, {@code -Dtome4j.fuzz.from=} others.
 */
class CheckpointFuzzTest {
    private static final int CHANGES = 150;
    private static final PipelineOptions CPU_FP32 =
            PipelineOptions.DEFAULT.device(DeviceChoice.CPU).dtype(DTypeChoice.FP32);

    @TempDir
    Path folder;

    @Test
    void aDamagedCheckpointDrawsOrSaysWhatIsWrong() throws IOException {
        int from = Integer.getInteger("tome4j.fuzz.from", 0);
        int count = Integer.getInteger("tome4j.fuzz", CHANGES);
        for (String pipeline : new String[] {"tiny-sd1", "tiny-sd2"}) {
            Fixtures.copy(pipeline, folder.resolve(pipeline), file -> true);
        }
        assertThat(outcome(folder.resolve("tiny-sd1"))).isEqualTo("drawn");
        assertThat(outcome(folder.resolve("tiny-sd2"))).isEqualTo("drawn");
        long before = TensorScope.liveObjects();
        Map<String, Integer> outcomes = new TreeMap<>();
        StringBuilder unexpected = new StringBuilder();
        for (int seed = from; seed < from + count; seed++) {
            String outcome =
                    change(folder.resolve(seed % 4 == 3 ? "tiny-sd2" : "tiny-sd1"), new Random(seed), unexpected);
            outcomes.merge(outcome, 1, Integer::sum);
        }
        System.out.println(count + " changes from " + from + ": " + outcomes);
        assertThat(unexpected.toString()).isEmpty();
        assertThat(outcomes).containsKeys("drawn", "refused");
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    /** Changes one file, tries the checkpoint and puts the file back. */
    private static String change(Path checkpoint, Random random, StringBuilder unexpected) throws IOException {
        List<Path> files;
        try (var all = Files.walk(checkpoint)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        Path file = files.get(random.nextInt(files.size()));
        byte[] whole = Files.readAllBytes(file);
        Damage damage = new Damage(random);
        Files.write(file, damage.of(file, whole));
        try {
            String outcome = outcome(checkpoint);
            if (!outcome.equals("drawn") && !outcome.equals("refused")) {
                unexpected
                        .append(checkpoint.relativize(file))
                        .append(": ")
                        .append(damage)
                        .append('\n')
                        .append(outcome);
                return "unexpected";
            }
            return outcome;
        } finally {
            Files.write(file, whole);
        }
    }

    private static String outcome(Path checkpoint) {
        try (var pipeline = StableDiffusionPipeline.fromPretrained(checkpoint.toString(), CPU_FP32)) {
            pipeline.generate(
                    Request.of("a photo of a cat, 1girl!").seed(7).steps(2).size(32, 32));
            return "drawn";
        } catch (TomeException e) {
            return "refused";
        } catch (RuntimeException | Error e) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            return trace.toString();
        }
    }
}
