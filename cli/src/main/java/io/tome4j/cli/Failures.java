package io.tome4j.cli;

import io.tome4j.cli.options.OptionNames;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Says in one line what went wrong, and with which of the command's options.
 *
 * @param err where to
 */
record Failures(PrintWriter err) {
    private static final int FAILED = 1;
    private static final int STOPPED = 130;

    /** Of a command line that cannot be read. */
    int unreadable(ParameterException e) {
        CommandSpec command = e.getCommandLine().getCommandSpec();
        String hint = e instanceof UnmatchedArgumentException unmatched
                        && !unmatched.isUnknownOption()
                        && List.of("generate", "compare").contains(command.name())
                ? "; put the prompt in quotes"
                : "";
        return badUsage(command, String.valueOf(e.getMessage()), hint);
    }

    /**
     * Of a command that ended with an exception.
     *
     * @param verbose whether to print the stack trace
     * @return its exit status
     */
    int failed(Exception e, CommandSpec command, boolean verbose) {
        if (e instanceof CancellationException) {
            return STOPPED; // the shutdown hook says so
        }
        if (e instanceof OptionException bad) {
            return badUsage(command, bad.message(OptionNames.in(command)), "");
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

    private int badUsage(CommandSpec command, String what, String hint) {
        err.println(command.qualifiedName() + ": " + withoutFullStop(oneLine(what)) + hint + " (see "
                + command.qualifiedName() + " --help)");
        return command.exitCodeOnInvalidInput();
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
