package io.tome4j.cli;

import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.evaluation.bench.BenchFormat;
import io.tome4j.evaluation.bench.Variant;
import io.tome4j.merging.Precision;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TomeException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The program: it only chooses a subcommand, and says in one line what went wrong. */
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
            ModelsCommand.class,
            InfoCommand.class
        },
        mixinStandardHelpOptions = true,
        versionProvider = Tome.Version.class,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {" 0:done", " 1:failed", " 2:bad usage", "130:stopped by Ctrl-C"})
public final class Tome implements Runnable {
    static final int FAILED = 1;
    static final int STOPPED = 130;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Show the stack trace of a failure.")
    private boolean verbose;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "Say what to do: generate, compare, evaluate, tune, bench, models or info");
    }

    /** Runs the program and ends the JVM with its exit status. */
    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("generate")) {
            startEngineBeside();
        }
        int status = commandLine(writer(System.out), writer(System.err)).execute(args);
        System.out.flush();
        System.err.flush();
        System.exit(status);
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
        commandLine.registerConverter(DeviceChoice.class, new LowerCase<>(DeviceChoice.class));
        commandLine.registerConverter(DTypeChoice.class, new LowerCase<>(DTypeChoice.class));
        commandLine.registerConverter(AttentionKernel.class, new LowerCase<>(AttentionKernel.class));
        commandLine.registerConverter(Variant.class, new BenchTableOptions.VariantConverter());
        commandLine.registerConverter(BenchFormat.class, new LowerCase<>(BenchFormat.class));
        commandLine.registerConverter(
                BenchModelOptions.WeightsChoice.class, new LowerCase<>(BenchModelOptions.WeightsChoice.class));
        commandLine.registerConverter(OutputFormat.class, new LowerCase<>(OutputFormat.class));
        commandLine.registerConverter(MergingOptions.Merging.class, new LowerCase<>(MergingOptions.Merging.class));
        commandLine.registerConverter(ToMeOptions.Method.class, new LowerCase<>(ToMeOptions.Method.class));
        commandLine.registerConverter(ToMeOptions.MatchPer.class, new LowerCase<>(ToMeOptions.MatchPer.class));
        commandLine.registerConverter(Precision.class, new LowerCase<>(Precision.class));
        commandLine.setUsageHelpAutoWidth(true);
        commandLine.setExecutionStrategy(new OncePerOption());
        commandLine.setParameterExceptionHandler((e, args) -> {
            String hint = e instanceof UnmatchedArgumentException unmatched
                            && !unmatched.isUnknownOption()
                            && List.of("generate", "compare")
                                    .contains(e.getCommandLine().getCommandName())
                    ? "; put the prompt in quotes"
                    : "";
            CommandSpec command = e.getCommandLine().getCommandSpec();
            err.println(command.qualifiedName() + ": " + withoutFullStop(oneLine(String.valueOf(e.getMessage()))) + hint
                    + " (see " + command.qualifiedName() + " --help)");
            return command.exitCodeOnInvalidInput();
        });
        commandLine.setExecutionExceptionHandler((e, where, result) -> tome.failed(e, err));
        return commandLine;
    }

    private int failed(Exception e, PrintWriter err) {
        if (e instanceof CancellationException) {
            return STOPPED; // the shutdown hook says so
        }
        String message = String.valueOf(e.getMessage());
        if (e instanceof TomeException) {
            err.println("tome: " + message);
        } else {
            err.println("tome: unexpected failure: " + e.getClass().getSimpleName() + ": " + Engine.firstLine(message)
                    + (verbose ? "" : " (--verbose shows where)"));
        }
        if (verbose) {
            e.printStackTrace(err);
        }
        return FAILED;
    }

    private static String oneLine(String message) {
        return message.strip().replaceAll("\\s*\\R\\s*", " ");
    }

    private static String withoutFullStop(String message) {
        return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
    }

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {GenerationParameters.thisVersion()};
        }
    }
}
