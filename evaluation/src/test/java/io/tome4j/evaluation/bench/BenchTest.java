package io.tome4j.evaluation.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.evaluation.bench.CellResult.Status;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchTest {
    private static final long SECOND = 1_000_000_000L;
    static final Machine MACHINE = new Machine(
            "cpu <1> & co", 2, 24_000_000_000L, "", "Linux", "JVM 17", "2.10.0", "PyTorch | 2 threads", "0.1");

    static final Variant[] EACH = Variant.WITHOUT_REUSE.toArray(Variant[]::new);

    @TempDir
    Path folder;

    private long now;

    /** Seconds a step are the size in 80 pixels, times the batch; merging halves them. */
    private final class FakeMeasurer implements Measurer {
        final List<String> calls = new ArrayList<>();
        final Set<Cell> tooLarge = new HashSet<>();

        @Override
        public double work(Cell cell) {
            return cell.resolution() / 80.0 * cell.batch();
        }

        @Override
        public long bytes(Cell cell) {
            return cell.variant() == Variant.VANILLA ? 2 : 1;
        }

        @Override
        public FirstStep warmUp(Cell cell) throws DoesNotFitException {
            if (tooLarge.contains(cell)) {
                throw new DoesNotFitException("needs about 30 GB, 20 GB is free");
            }
            calls.add("warm " + cell.describe());
            return new FirstStep(pass(cell, 1), OptionalLong.of(1000 + cell.resolution()));
        }

        @Override
        public double measure(Cell cell) {
            calls.add("time " + cell.describe());
            return pass(cell, 2) / 2;
        }

        private double pass(Cell cell, int steps) {
            double seconds = work(cell) * (cell.variant().merges() ? 0.5 : 1);
            now += (long) (seconds * steps * SECOND);
            return seconds * steps;
        }
    }

    static BenchSettings settings(List<Integer> resolutions, List<Integer> batches, int repeats, Variant... variants) {
        return new BenchSettings(
                "made-up",
                true,
                Placement.CPU_FP32,
                resolutions,
                batches,
                Arrays.asList(variants),
                List.of(0.5),
                ToMeOptions.ratio(0),
                2,
                repeats);
    }

    private List<CellResult> run(BenchSettings settings, Measurer measurer, ResultLog log, long budgetSeconds) {
        OptionalLong budget = budgetSeconds < 0 ? OptionalLong.empty() : OptionalLong.of(budgetSeconds * SECOND);
        return new Bench(settings, measurer, log, BenchListener.SILENT, budget, () -> now).run();
    }

    private static Map<String, String> byCell(List<CellResult> results) {
        return results.stream()
                .collect(Collectors.toMap(
                        result -> result.cell().describe(),
                        result -> result.status() == Status.MEASURED
                                ? String.valueOf(result.seconds().getAsDouble())
                                : result.status() + " " + result.note()));
    }

    @Test
    void variantsWarmUpBySizeOfTheirMemoryAndAreTimedInTurns() {
        FakeMeasurer measurer = new FakeMeasurer();
        run(
                settings(List.of(80), List.of(1), 2, Variant.VANILLA, Variant.EFFICIENT),
                measurer,
                ResultLog.inMemory(),
                -1);
        assertThat(measurer.calls)
                .containsExactly(
                        "warm 80 px, batch 1, efficient",
                        "warm 80 px, batch 1, vanilla",
                        "time 80 px, batch 1, efficient",
                        "time 80 px, batch 1, vanilla",
                        "time 80 px, batch 1, vanilla",
                        "time 80 px, batch 1, efficient");
    }

    @Test
    void smallBatchesOfAllSizesComeFirst() {
        assertThat(Plan.of(settings(List.of(768, 512), List.of(2, 1), 1, EACH)).stream()
                        .map(group -> group.resolution() + "x" + group.batch()))
                .containsExactly("512x1", "768x1", "512x2", "768x2");
        assertThat(Plan.of(settings(List.of(512), List.of(1), 1, EACH)).get(0).cells())
                .extracting(Cell::variant)
                .containsExactly(Variant.EFFICIENT, Variant.TOME_EFFICIENT, Variant.VANILLA, Variant.TOME);
    }

    @Test
    void cellsThatWouldNotEndInTimeAreDroppedAndTheRestIsMeasured() {
        // the first group takes 7.5 s; of 800 px vanilla would take 30 s, merging 15 s; then 1.5 s are left
        BenchSettings settings = settings(List.of(80, 800), List.of(1, 2), 2, Variant.VANILLA, Variant.TOME);
        assertThat(byCell(run(settings, new FakeMeasurer(), ResultLog.inMemory(), 24)))
                .containsEntry("80 px, batch 1, vanilla", "1.0")
                .containsEntry("80 px, batch 1, tome 0.5", "0.5")
                .containsEntry("800 px, batch 1, vanilla", "DROPPED budget")
                .containsEntry("800 px, batch 1, tome 0.5", "5.0")
                .containsEntry("80 px, batch 2, vanilla", "DROPPED budget")
                .hasSize(8);
    }

    @Test
    void withoutTimeOnlyTheFirstCellIsMeasuredAndOnce() {
        BenchSettings settings = settings(List.of(80), List.of(1), 3, Variant.VANILLA, Variant.EFFICIENT);
        List<CellResult> results = run(settings, new FakeMeasurer(), ResultLog.inMemory(), 0);
        assertThat(byCell(results))
                .containsEntry("80 px, batch 1, efficient", "1.0")
                .containsEntry("80 px, batch 1, vanilla", "DROPPED budget");
        assertThat(results.get(0).samples()).hasSize(1);
    }

    @Test
    void whatDoesNotFitIsOomAndTheOthersGoOn() {
        BenchSettings settings = settings(List.of(80), List.of(1), 1, Variant.VANILLA, Variant.EFFICIENT);
        FakeMeasurer measurer = new FakeMeasurer();
        measurer.tooLarge.add(new Cell(80, 1, Variant.VANILLA, 0));
        assertThat(byCell(run(settings, measurer, ResultLog.inMemory(), -1)))
                .containsEntry("80 px, batch 1, vanilla", "OOM needs about 30 GB, 20 GB is free")
                .containsEntry("80 px, batch 1, efficient", "1.0");
    }

    @Test
    void aRunThatWasCutOffGoesOnAfterTheFinishedGroups() throws IOException {
        BenchSettings settings = settings(List.of(80, 160), List.of(1), 1, Variant.VANILLA, Variant.EFFICIENT);
        Path file = folder.resolve("cells.jsonl");
        FakeMeasurer first = new FakeMeasurer();
        BenchListener stopsInTheSecondGroup = new BenchListener() {
            @Override
            public boolean goOn() {
                return first.calls.size() < 5;
            }
        };
        assertThatThrownBy(() -> new Bench(
                                settings,
                                first,
                                ResultLog.open(file, settings, MACHINE),
                                stopsInTheSecondGroup,
                                OptionalLong.empty(),
                                () -> now)
                        .run())
                .isInstanceOf(CancellationException.class);
        // as if it had been killed while it wrote a line
        Files.writeString(file, Files.readString(file) + "{\"resolution\":160,\"bat");

        FakeMeasurer second = new FakeMeasurer();
        List<CellResult> results = run(settings, second, ResultLog.open(file, settings, MACHINE), -1);
        assertThat(second.calls).hasSize(4).allMatch(call -> call.contains("160 px"));
        assertThat(byCell(results)).hasSize(4).containsEntry("80 px, batch 1, vanilla", "1.0");
        FakeMeasurer third = new FakeMeasurer();
        assertThat(run(settings, third, ResultLog.open(file, settings, MACHINE), -1))
                .isEqualTo(results);
        assertThat(third.calls).isEmpty();
    }

    @Test
    void droppedCellsAreTriedAgainAndOomIsKept() {
        BenchSettings settings = settings(List.of(80), List.of(1), 1, EACH);
        Path file = folder.resolve("cells.jsonl");
        FakeMeasurer poor = new FakeMeasurer();
        poor.tooLarge.add(new Cell(80, 1, Variant.VANILLA, 0));
        run(settings, poor, ResultLog.open(file, settings, MACHINE), 4);
        assertThat(ResultLog.open(file, settings, MACHINE).finished())
                .extracting(CellResult::status)
                .contains(Status.OOM, Status.MEASURED)
                .doesNotContain(Status.DROPPED);
        assertThat(byCell(run(settings, new FakeMeasurer(), ResultLog.open(file, settings, MACHINE), -1)))
                .containsEntry("80 px, batch 1, tome 0.5", "0.5")
                .containsEntry("80 px, batch 1, vanilla", "OOM needs about 30 GB, 20 GB is free");
    }

    @Test
    void resultsOfAnotherBenchmarkAreNotMixedIn() throws IOException {
        Path file = folder.resolve("cells.jsonl");
        ResultLog.open(file, settings(List.of(512), List.of(1), 1, Variant.VANILLA), MACHINE);
        assertThatThrownBy(() -> ResultLog.open(file, settings(List.of(512), List.of(1), 3, Variant.VANILLA), MACHINE))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("repeats was 1 and is now 3");
        Path other = Files.writeString(folder.resolve("other"), "not ours\n");
        assertThatThrownBy(() -> ResultLog.open(other, settings(List.of(512), List.of(1), 1, Variant.VANILLA), MACHINE))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("Line 1");
    }
}
