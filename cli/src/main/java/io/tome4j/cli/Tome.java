package io.tome4j.cli;

import io.tome4j.cli.bench.BenchCommand;
import io.tome4j.cli.compare.CompareCommand;
import io.tome4j.cli.evaluate.EvaluateCommand;
import io.tome4j.cli.generate.GenerateCommand;
import io.tome4j.cli.info.InfoCommand;
import io.tome4j.cli.models.ModelsCommand;
import io.tome4j.cli.options.LowerCase;
import io.tome4j.cli.options.MergingOptions;
import io.tome4j.cli.options.OptionNames;
import io.tome4j.cli.options.OutputFormat;
import io.tome4j.cli.session.Version;
import io.tome4j.cli.tune.TuneCommand;
import io.tome4j.diffusion.VaeTiling;
import io.tome4j.evaluation.bench.BenchFormat;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
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
        versionProvider = Version.class,
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
        registerLowerCase(commandLine, DeviceChoice.class);
        registerLowerCase(commandLine, DTypeChoice.class);
        registerLowerCase(commandLine, AttentionKernel.class);
        registerLowerCase(commandLine, VaeTiling.class);
        registerLowerCase(commandLine, BenchFormat.class);
        registerLowerCase(commandLine, OutputFormat.class);
        registerLowerCase(commandLine, MergingOptions.Merging.class);
        registerLowerCase(commandLine, ToMeOptions.Method.class);
        Numbers.register(commandLine);
        commandLine.setUsageHelpAutoWidth(true);
        commandLine.setExecutionStrategy(new OncePerOption());
        commandLine.setParameterExceptionHandler((e, args) -> {
            String hint = e instanceof UnmatchedArgumentException unmatched
                            && !unmatched.isUnknownOption()
                            && List.of("generate", "compare")
                                    .contains(e.getCommandLine().getCommandName())
                    ? "; put the prompt in quotes"
                    : "";
            return badUsage(
                    e.getCommandLine().getCommandSpec(),
                    withoutFullStop(oneLine(String.valueOf(e.getMessage()))) + hint,
                    err);
        });
        commandLine.setExecutionExceptionHandler((e, where, result) -> {
            CommandSpec command = where.getCommandSpec();
            return e instanceof OptionException bad
                    ? badUsage(command, withoutFullStop(oneLine(bad.message(OptionNames.in(command)))), err)
                    : tome.failed(e, command, err);
        });
        return commandLine;
    }

    private static int badUsage(CommandSpec command, String what, PrintWriter err) {
        err.println(command.qualifiedName() + ": " + what + " (see " + command.qualifiedName() + " --help)");
        return command.exitCodeOnInvalidInput();
    }

    private static <E extends Enum<E>> void registerLowerCase(CommandLine commandLine, Class<E> type) {
        commandLine.registerConverter(type, new LowerCase<>(type));
    }

    private int failed(Exception e, CommandSpec command, PrintWriter err) {
        if (e instanceof CancellationException) {
            return STOPPED; // the shutdown hook says so
        }
        if (e instanceof TomeException failure) {
            err.println("tome: " + explained(failure, command));
        } else {
            err.println("tome: unexpected failure: " + e.getClass().getSimpleName() + ": "
                    + Engine.firstLine(String.valueOf(e.getMessage()))
                    + (verbose ? "" : " (--verbose shows where)"));
        }
        if (verbose) {
            e.printStackTrace(err);
        }
        return FAILED;
    }

    /** A failure's message; it names the option of the command that would change that, if there is one. */
    private static String explained(TomeException failure, CommandSpec command) {
        String message = String.valueOf(failure.getMessage());
        if (!OptionNames.isIn(command, failure.option())) {
            return message;
        }
        String inLibrary = "(" + failure.option() + ")";
        String here = "(" + OptionNames.in(command).apply(failure.option()) + ")";
        return message.contains(inLibrary) ? message.replace(inLibrary, here) : message + " " + here;
    }

    private static String oneLine(String message) {
        return message.strip().replaceAll("\\s*\\R\\s*", " ");
    }

    private static String withoutFullStop(String message) {
        return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
    }
}
