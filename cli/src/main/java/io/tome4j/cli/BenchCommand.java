package io.tome4j.cli;

import io.tome4j.evaluation.bench.BenchFormat;
import io.tome4j.evaluation.bench.BenchListener;
import io.tome4j.evaluation.bench.BenchModel;
import io.tome4j.evaluation.bench.BenchSettings;
import io.tome4j.evaluation.bench.Benchmark;
import io.tome4j.evaluation.bench.CellResult;
import io.tome4j.evaluation.bench.ProfileReport;
import io.tome4j.evaluation.bench.Report;
import io.tome4j.evaluation.bench.StepServer;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TomeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Measures how long a denoising step takes. */
@Command(
        name = "bench",
        description = "Measure seconds a denoising step, with and without merging, for each size and batch.",
        mixinStandardHelpOptions = true,
        versionProvider = Tome.Version.class,
        abbreviateSynopsis = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tome bench --budget 10m --out bench",
            "  tome bench --resolutions 512 --batches 1 --ratio 0.25,0.5 --format markdown",
            "  tome bench --profile --resolutions 512,1024"
        })
final class BenchCommand implements Callable<Integer> {
    private static final String CELLS = "cells.jsonl";
    private static final String REPORT = "bench";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 1)
    private BenchModelOptions model = new BenchModelOptions();

    @ArgGroup(validate = false, heading = "%nTable:%n", order = 2)
    private BenchTableOptions table = new BenchTableOptions();

    @ArgGroup(validate = false, heading = "%nToken merging:%n", order = 3)
    private MergingMethodOptions merging = new MergingMethodOptions();

    @ArgGroup(validate = false, heading = "%nOutput:%n", order = 4)
    private BenchOutputOptions output = new BenchOutputOptions();

    /** All that can be wrong with the command itself is found before the model is loaded. */
    @Override
    public Integer call() {
        model.check(spec.commandLine());
        table.checkBudget(spec.commandLine());
        Placement placement = Placement.choose(model.device, model.dtype);
        BenchSettings settings;
        try {
            settings = table.settings(model.name(), model.isRandom(), placement, merging.options(0));
        } catch (IllegalArgumentException e) {
            throw UsageErrors.of(spec.commandLine(), e);
        }
        if (table.serve) {
            return serve(settings);
        }
        boolean folder = output.out.isPresent() && OutputFiles.isFolder(output.out.get());
        output.out.ifPresent(out -> requireWritable(out, folder));
        PrintWriter err = spec.commandLine().getErr();
        err.println(Engine.start().describe(placement));
        String outcome = table.profile || output.out.isEmpty()
                ? "nothing was written"
                : "finished cells are in " + log(folder) + ", and the same command goes on from there";
        try (Interruption interruption = Interruption.watch(err, outcome);
                BenchModel loaded = load(placement)) {
            Report report = table.profile
                    ? ProfileReport.measure(loaded, settings, new Progress(err, interruption))
                    : benchmark(loaded, settings, folder, new Progress(err, interruption));
            interruption.writing(() -> write(report, folder));
        }
        return 0;
    }

    private int serve(BenchSettings settings) {
        try (BenchModel loaded = load(settings.placement())) {
            StepServer.serve(
                    loaded,
                    settings.merging(),
                    new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
                    spec.commandLine().getOut());
        } catch (IOException e) {
            throw new TomeException("A question on stdin cannot be read: " + e, e);
        }
        return 0;
    }

    private BenchModel load(Placement placement) {
        PrintWriter err = spec.commandLine().getErr();
        return model.load(placement, new DownloadProgress(err, ProgressDisplay.onTerminal()));
    }

    private Report benchmark(BenchModel loaded, BenchSettings settings, boolean folder, BenchListener listener) {
        Benchmark benchmark = Benchmark.of(loaded, settings).listener(listener);
        if (table.duration().isPresent()) {
            benchmark = benchmark.within(table.duration().get());
        }
        return (output.out.isPresent() ? benchmark.keptIn(log(folder)) : benchmark).run();
    }

    /** Where finished cells are kept: in the folder, or beside the file. */
    private Path log(boolean folder) {
        Path out = output.out.orElseThrow();
        return folder ? out.resolve(CELLS) : out.resolveSibling(out.getFileName() + "." + CELLS);
    }

    private static void requireWritable(Path out, boolean folder) {
        if (folder) {
            OutputFiles.makeFolder(out);
            OutputFiles.requireWritable(out);
        } else {
            OutputFiles.requireWritable(Optional.ofNullable(out.getParent()).orElse(Path.of("")));
            OutputFiles.requireReplaceable(out);
        }
    }

    /** Without {@code --out} to stdout; a file gets the format asked for; a folder gets all, and stdout the one asked for. */
    private void write(Report report, boolean folder) {
        PrintWriter out = spec.commandLine().getOut();
        if (output.out.isEmpty()) {
            out.print(output.format.format(report));
        } else if (folder) {
            for (BenchFormat format : BenchFormat.values()) {
                String name = (table.profile ? "profile." : REPORT + ".") + format.ending();
                write(output.out.get().resolve(name), format.format(report));
            }
            out.print(output.format.format(report));
        } else {
            write(output.out.get(), output.format.format(report));
            out.println(output.out.get());
        }
        out.flush();
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new TomeException("The file " + file + " cannot be written: " + e, e);
        }
    }

    /** Says on stderr what becomes of each cell. */
    private record Progress(PrintWriter err, Interruption interruption) implements BenchListener {
        @Override
        public void finished(CellResult result) {
            String what =
                    switch (result.status()) {
                        case MEASURED ->
                            String.format(
                                    Locale.ROOT,
                                    "%.4g s a step",
                                    result.seconds().orElse(0));
                        case OOM -> "does not fit into memory: " + result.note();
                        case DROPPED -> "dropped: " + result.note();
                    };
            err.println(result.cell().describe() + ": " + what);
        }

        @Override
        public void note(String message) {
            err.println(message);
        }

        @Override
        public boolean goOn() {
            return !interruption.isStopped();
        }
    }
}
