package io.tome4j.cli.session;

import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.cli.options.ChosenModel;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;

/**
 * A command at work, from the moment its options are known to be right: it loads the model, shows progress on stderr, ends
 * where the user presses Ctrl-C, and prints the results on stdout.
 */
public final class Session implements AutoCloseable {
    private static final int LONGEST_QUOTE = 500;
    private static final int LONGEST_WARNING = 4000;

    private final Set<String> warned = new HashSet<>();
    private final CommandLine commandLine;
    private final Interruption interruption;

    private Session(CommandLine commandLine, Interruption interruption) {
        this.commandLine = commandLine;
        this.interruption = interruption;
    }

    /**
     * @param outcome what to say if it is stopped before anything is {@linkplain #write written}
     * @param reserved what is left of them is taken away if it is stopped
     */
    static Session open(CommandLine commandLine, String outcome, ReservedFiles reserved) {
        return new Session(commandLine, Interruption.watch(commandLine.getErr(), outcome, reserved::release));
    }

    /** Where results go, and nothing else. */
    public PrintWriter out() {
        return commandLine.getOut();
    }

    /** Where all goes that is no result. */
    public PrintWriter err() {
        return commandLine.getErr();
    }

    /** Starts the engine and says so, and which model is meant where the user may wonder. */
    public String start(ChosenModel model) {
        return start(model, List.of());
    }

    /**
     * As {@link #start(ChosenModel)}; says, too, which prompts the model was not made for.
     *
     * @param prompts what the user asks for
     */
    public String start(ChosenModel model, List<String> prompts) {
        // before the engine is needed, which another thread starts meanwhile
        List<String> warnings = prompts.stream()
                .flatMap(prompt -> MotifWarning.about(prompt, model).stream())
                .toList();
        String engine = start(model.placement(), model.options().attention());
        model.announce(err());
        warnings.forEach(err()::println);
        return engine;
    }

    /**
     * Starts the engine and says so.
     *
     * @return the line that says it: engine, device, dtype, threads
     */
    public String start(Placement placement) {
        return start(placement, AttentionKernel.EFFICIENT);
    }

    private String start(Placement placement, AttentionKernel attention) {
        String engine = Engine.start().describe(placement, attention);
        err().println(engine);
        return engine;
    }

    /**
     * Loads a model, and downloads it first if it is not there.
     *
     * @throws CancellationException if the user stopped it meanwhile
     */
    public StableDiffusionPipeline load(ChosenModel model) {
        StableDiffusionPipeline pipeline =
                StableDiffusionPipeline.fromPretrained(model.source(), model.options(), downloads());
        if (!goesOn()) {
            pipeline.close();
            throw new CancellationException("Stopped while loading");
        }
        return pipeline;
    }

    /**
     * Says what merging will do to a model's tokens at a request's size; nothing where it is off.
     *
     * @throws io.tome4j.tensor.OptionException if it is asked for and nothing would be merged
     */
    public void announceMerging(StableDiffusionPipeline pipeline, ToMeOptions merging, Request request) {
        PatchReport report = ToMe.report(pipeline, merging, request.latentGrid(pipeline.nominalGrid()));
        if (report.merges()) {
            err().println("Token merging: " + report.summary());
        }
    }

    /**
     * Finds out whether the images of a request will find room, before the first is made.
     *
     * @param files they are written to, or beside
     * @param images how many of the request's size there will be in all
     * @throws io.tome4j.tensor.TomeException if they will not
     */
    public void requireRoom(List<Path> files, long images, StableDiffusionPipeline pipeline, Request request) {
        TokenGrid grid = request.hiresGrid(request.latentGrid(pipeline.nominalGrid()));
        long pixels = (long) grid.tokens() * Request.PIXELS_PER_LATENT * Request.PIXELS_PER_LATENT;
        files.stream().limit(1).forEach(file -> OutputFiles.requireRoom(file, images * pixels));
    }

    /** Whether the user has not stopped it. */
    public boolean goesOn() {
        return !interruption.isStopped();
    }

    /** Writes what Ctrl-C must not cut off. */
    public void write(Runnable writing) {
        interruption.writing(writing);
    }

    /** Shows downloads. */
    public DownloadListener downloads() {
        return new DownloadProgress(err());
    }

    /** Says what is amiss, each thing once. */
    public void warn(List<String> warnings) {
        warnings.stream().filter(warned::add).forEach(warning -> err().println(
                        "Warning: " + Shown.harmless(Shown.shortened(warning, LONGEST_WARNING))));
    }

    /** Says where the image is not all that was asked for: what fits nothing, words that were too many, and tiles. */
    public void warnOf(Result result) {
        warn(result.warnings());
        if (result.tiled()) {
            err().println(
                            "Decoded in tiles, for there is too little memory for the whole or they were asked for: the image"
                                    + " may differ a little along their borders");
        }
        for (String words : result.droppedWords()) {
            if (!words.isEmpty()) {
                err().println("The prompt is too long for the model; it never saw: "
                        + Shown.harmless(Shown.shortened(words, LONGEST_QUOTE)));
            }
        }
    }

    /** Prints the results. */
    public void print(OutputFormat format, Report report) {
        out().println(format == OutputFormat.JSON ? report.json() : report.text());
        out().flush();
    }

    @Override
    public void close() {
        interruption.close();
    }
}
