package io.tome4j.cli;

import io.tome4j.cli.options.OptionNames;
import io.tome4j.cli.session.Shown;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Says in one line what went wrong, and with which of the command's options.
 *
 * @param err where to
 */
record Failures(PrintWriter err) {
    /** As much as a message quotes of one argument: more than any path has that a person has typed. */
    private static final int LONGEST_QUOTE = 300;

    private static final int LONGEST_MESSAGE = 4000;
    private static final int FAILED = 1;
    private static final int STOPPED = 130;
    private static final List<String> TAKING_A_PROMPT = List.of("generate", "compare");

    /** Of a command line that cannot be read. */
    int unreadable(ParameterException e, List<String> args) {
        CommandSpec command = e.getCommandLine().getCommandSpec();
        String hint = TAKING_A_PROMPT.contains(command.name()) ? promptHint(e, command, args) : "";
        return badUsage(command, quoting(String.valueOf(e.getMessage()), args), hint);
    }

    private static String promptHint(ParameterException e, CommandSpec command, List<String> args) {
        boolean isMissing = e instanceof MissingParameterException missing
                && missing.getMissing().stream().anyMatch(ArgSpec::isPositional);
        if (isMissing || e instanceof UnmatchedArgumentException) {
            Optional<String> dashed = args.stream()
                    .filter(arg ->
                            looksLikeAPrompt(arg, command) && (isMissing || arg.contains(" ") || !arg.startsWith("--")))
                    .findFirst();
            if (dashed.isPresent()) {
                return "; '" + Shown.shortened(dashed.get(), LONGEST_QUOTE) + "' was taken for an option: a prompt that"
                        + " begins with a dash goes last, after --, or to stdin, with - in its place";
            }
        }
        return e instanceof UnmatchedArgumentException unmatched && !unmatched.isUnknownOption()
                ? "; put the prompt in quotes"
                : "";
    }

    /** Whether an argument begins with a dash and is no option. */
    private static boolean looksLikeAPrompt(String arg, CommandSpec command) {
        return arg.startsWith("-")
                && !arg.equals("-")
                && !arg.equals("--")
                && command.findOption(arg.replaceFirst("=.*", "")) == null;
    }

    /**
     * Of a command that ended with an exception.
     *
     * @param verbose whether to print the stack trace
     * @return its exit status
     */
    int failed(Exception e, CommandSpec command, List<String> args, boolean verbose) {
        if (e instanceof CancellationException) {
            return STOPPED; // the shutdown hook says so
        }
        if (e instanceof OptionException bad) {
            return badUsage(command, quoting(bad.message(OptionNames.in(command)), args), "");
        }
        if (e instanceof TomeException failure) {
            err.println("tome: " + shown(quoting(explained(failure, command), args)));
        } else {
            err.println("tome: unexpected failure: " + e.getClass().getSimpleName() + ": "
                    + shown(quoting(Engine.firstLine(String.valueOf(e.getMessage())), args))
                    + (verbose ? "" : " (--verbose shows where)"));
        }
        if (verbose) {
            e.printStackTrace(err);
        }
        return FAILED;
    }

    private int badUsage(CommandSpec command, String what, String hint) {
        err.println(command.qualifiedName() + ": " + shown(withoutFullStop(oneLine(what)) + hint) + " (see "
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

    /** A message that does not quote the whole of an argument that is long, or of a part of a list. */
    private static String quoting(String message, List<String> args) {
        String quoting = message;
        for (String arg : args) {
            for (String part : List.of(arg, arg.substring(arg.indexOf('=') + 1))) {
                quoting = shortening(quoting, part);
            }
            for (String value : arg.split(",", 100)) {
                quoting = shortening(quoting, value);
            }
        }
        return quoting;
    }

    private static String shortening(String message, String quoted) {
        return quoted.length() > LONGEST_QUOTE
                ? message.replace(quoted, Shown.shortened(quoted, LONGEST_QUOTE))
                : message;
    }

    private static String shown(String message) {
        return Shown.message(message, LONGEST_MESSAGE);
    }

    private static String oneLine(String message) {
        return message.strip().replaceAll("\\s*\\R\\s*", " ");
    }

    private static String withoutFullStop(String message) {
        return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
    }
}
