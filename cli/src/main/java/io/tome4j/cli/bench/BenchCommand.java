package io.tome4j.cli.bench;

import io.tome4j.cli.options.MergingTable;
import io.tome4j.cli.options.OptionGroup;
import io.tome4j.cli.session.DownloadProgress;
import io.tome4j.cli.session.OutputFiles;
import io.tome4j.cli.session.ReservedFiles;
import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.SessionCommand;
import io.tome4j.evaluation.bench.BenchFormat;
import io.tome4j.evaluation.bench.BenchListener;
import io.tome4j.evaluation.bench.BenchModel;
import io.tome4j.evaluation.bench.BenchSettings;
import io.tome4j.evaluation.bench.Benchmark;
import io.tome4j.evaluation.bench.CellResult;
import io.tome4j.evaluation.bench.ProfileReport;
import io.tome4j.evaluation.bench.Report;
import io.tome4j.evaluation.bench.StepServer;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.TomeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgGroupSpec;

/** Measures how long a denoising step takes. */
@Command(
        name = "bench",
        description = "Measure seconds a denoising step, with and without merging, for each size and batch.",
        footer = {
            "",
            "Examples:",
            "  tome bench --budget 10m --out bench",
            "  tome bench --resolutions 512 --batches 1 --ratios 0.25,0.5 --format markdown",
            "  tome bench --profile --resolutions 512,1024"
        })
public final class BenchCommand extends SessionCommand<BenchSettings> {
    private static final String CELLS = "cells.jsonl";
    private static final String REPORT = "bench";

    @ArgGroup(validate = false, heading = "%nModel:%n", order = 1)
    private BenchModelOptions model = new BenchModelOptions();

    @ArgGroup(validate = false, heading = "%nTable:%n", order = 2)
    private BenchTableOptions table = new BenchTableOptions();

    /** The ratios are the table's; what is measured is all merged or not. */
    private final MergingTable merging =
            MergingTable.without(ToMeOptions.RATIO, ToMeOptions.RATIO_END, ToMeOptions.AUTO);

    @ArgGroup(validate = false, heading = "%nOutput:%n", order = 4)
    private BenchOutputOptions output = new BenchOutputOptions();

    @Override
    public Integer call() {
        if (!table.serve) {
            return super.call();
        }
        serve(plan(new ReservedFiles()));
        return 0;
    }

    @Override
    protected List<ArgGroupSpec> tableGroups() {
        return List.of(OptionGroup.of(merging.specs()).titled("Token merging", 3));
    }

    @Override
    protected BenchSettings plan(ReservedFiles reserved) {
        model.check();
        table.checkBudget();
        BenchSettings settings =
                table.settings(model.name(), model.isRandom(), model.placement(), merging.applyTo(ToMeOptions.NONE));
        if (!table.serve) {
            output.out.ifPresent(out -> {
                if (toFolder()) {
                    OutputFiles.requireFolder(out);
                } else {
                    output.format();
                    OutputFiles.requireFile(out);
                    OutputFiles.requireFile(log());
                }
            });
        }
        return settings;
    }

    @Override
    protected String outcomeIfStopped(BenchSettings settings) {
        return table.profile || output.out.isEmpty()
                ? super.outcomeIfStopped(settings)
                : "finished cells are in " + log() + ", and the same command goes on from there";
    }

    @Override
    protected void run(BenchSettings settings, Session session) {
        session.start(settings.placement());
        try (BenchModel loaded = model.load(settings.placement(), session.downloads())) {
            BenchListener progress = new Progress(session);
            Report report = table.profile
                    ? ProfileReport.measure(loaded, settings, progress)
                    : benchmark(loaded, settings, progress);
            session.write(() -> write(report, session.out()));
        }
    }

    /** Answers on stdout what stdin asks, with nothing else there. */
    private void serve(BenchSettings settings) {
        CommandLine streams = spec().commandLine();
        try (BenchModel loaded = model.load(settings.placement(), new DownloadProgress(streams.getErr()))) {
            StepServer.serve(
                    loaded,
                    settings.merging(),
                    new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
                    streams.getOut());
        } catch (IOException e) {
            throw new TomeException("A question on stdin cannot be read: " + e, e);
        }
    }

    private Report benchmark(BenchModel loaded, BenchSettings settings, BenchListener listener) {
        Benchmark benchmark = Benchmark.of(loaded, settings).listener(listener);
        if (table.duration().isPresent()) {
            benchmark = benchmark.within(table.duration().get());
        }
        return (output.out.isPresent() ? benchmark.keptIn(log()) : benchmark).run();
    }

    private boolean toFolder() {
        return output.out.isPresent() && OutputFiles.isFolder(output.out.get());
    }

    /** Where finished cells are kept: in the folder, or beside the file. */
    private Path log() {
        Path out = output.out.orElseThrow();
        return toFolder() ? out.resolve(CELLS) : out.resolveSibling(out.getFileName() + "." + CELLS);
    }

    /** Without {@code --out} to stdout; a file gets the format asked for; a folder gets all, and stdout the one asked for. */
    private void write(Report report, PrintWriter out) {
        if (output.out.isEmpty()) {
            out.print(output.format().format(report));
        } else if (toFolder()) {
            for (BenchFormat format : BenchFormat.values()) {
                String name = (table.profile ? "profile." : REPORT + ".") + format.ending();
                OutputFiles.write(output.out.get().resolve(name), format.format(report));
            }
            out.print(output.format().format(report));
        } else {
            OutputFiles.write(output.out.get(), output.format().format(report));
            out.println(output.out.get());
        }
        out.flush();
    }

    /** Says on stderr what becomes of each cell. */
    private record Progress(Session session) implements BenchListener {
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
            session.err().println(result.cell().describe() + ": " + what);
        }

        @Override
        public void note(String message) {
            session.err().println(message);
        }

        @Override
        public boolean goOn() {
            return session.goesOn();
        }
    }
}
