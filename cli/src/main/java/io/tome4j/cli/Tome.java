package io.tome4j.cli;

import io.tome4j.cli.bench.BenchCommand;
import io.tome4j.cli.compare.CompareCommand;
import io.tome4j.cli.evaluate.EvaluateCommand;
import io.tome4j.cli.generate.GenerateCommand;
import io.tome4j.cli.info.InfoCommand;
import io.tome4j.cli.models.ModelsCommand;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.cli.options.MergingOptions;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.serve.ServeCommand;
import io.tome4j.cli.session.Version;
import io.tome4j.cli.tune.TuneCommand;
import io.tome4j.cli.upscale.UpscaleCommand;
import io.tome4j.diffusion.VaeTiling;
import io.tome4j.evaluation.bench.BenchFormat;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TomeException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program: it only chooses a subcommand. */
@Command(
        name = "tome",
        description = "Text to image with Stable Diffusion and token merging.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            GenerateCommand.class,
            CompareCommand.class,
            EvaluateCommand.class,
            TuneCommand.class,
            BenchCommand.class,
            ServeCommand.class,
            UpscaleCommand.class,
            ModelsCommand.class,
            InfoCommand.class
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nEnvironment:%n",
        footer = {
            "  TOME_JAVA_OPTIONS   further options for the JVM, such as -Xmx8g",
            "  TOME_MAVEN_OPTIONS  further options for the build, such as -Pgpu"
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {" 0:done", " 1:failed", " 2:bad usage", "130:stopped by Ctrl-C"})
public final class Tome implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Show the stack trace of a failure.")
    private boolean verbose;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Say what to do: generate, compare, evaluate, tune, bench, serve, upscale, models or info");
    }

    /** Runs the program and ends the JVM with its exit status. */
    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("generate")) {
            startEngineBeside();
        }
        System.exit(run(args, writer(System.out), writer(System.err)));
    }

    /**
     * Runs the program.
     *
     * @return its exit status
     */
    static int run(String[] args, PrintWriter out, PrintWriter err) {
        CommandLine program = commandLine(out, err);
        int status = program.execute(LastOfEach.of(program, args));
        if (out.checkError()) { // which also flushes
            err.println(
                    "tome: the results could not all be written to stdout: it is full, or nobody reads it any more.");
            status = status == 0 ? 1 : status;
        }
        err.flush();
        return status;
    }

    /** Loading libtorch takes most of a second: it begins while the arguments are read. A failure is met again there. */
    private static void startEngineBeside() {
        Thread thread = new Thread(
                () -> {
                    try {
                        Engine.start();
                    } catch (TomeException e) {
                        // whoever needs the engine first gets the same
                    }
                },
                "tome4j-start");
        thread.setDaemon(true);
        thread.start();
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, StandardCharsets.UTF_8);
    }

    /** The program with these streams. */
    static CommandLine commandLine(PrintWriter out, PrintWriter err) {
        Tome tome = new Tome();
        CommandLine commandLine = new CommandLine(tome);
        commandLine.setOut(out);
        commandLine.setErr(err);
        registerLowerCase(commandLine, DeviceChoice.class);
        registerLowerCase(commandLine, DTypeChoice.class);
        registerLowerCase(commandLine, AttentionKernel.class);
        registerLowerCase(commandLine, VaeTiling.class);
        registerLowerCase(commandLine, BenchFormat.class);
        registerLowerCase(commandLine, OutputFormat.class);
        registerLowerCase(commandLine, MergingOptions.Merging.class);
        Numbers.register(commandLine);
        commandLine.setUsageHelpAutoWidth(true);
        commandLine.setExpandAtFiles(false); // a prompt may begin with an @
        Failures failures = new Failures(err);
        commandLine.setParameterExceptionHandler((e, args) -> failures.unreadable(e, List.of(args)));
        commandLine.setExecutionExceptionHandler(
                (e, where, result) -> failures.failed(e, where.getCommandSpec(), result.originalArgs(), tome.verbose));
        return commandLine;
    }

    private static <E extends Enum<E>> void registerLowerCase(CommandLine commandLine, Class<E> type) {
        commandLine.registerConverter(type, new LowerCase<>(type));
    }
}
