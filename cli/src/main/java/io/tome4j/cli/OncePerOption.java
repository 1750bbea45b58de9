package io.tome4j.cli;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.IExecutionStrategy;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;

/**
 * Runs the command if no option was given twice. picocli starts a group of options anew with a repeated one, and all that
 * the group held is lost without a word.
 */
final class OncePerOption implements IExecutionStrategy {
    @Override
    public int execute(ParseResult result) throws ExecutionException {
        ParseResult last = result;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        CommandSpec spec = last.commandSpec();
        Set<OptionSpec> seen = new HashSet<>();
        for (String argument : last.originalArgs()) {
            if (argument.equals("--")) {
                break;
            }
            String name = argument.replaceFirst("=.*", "");
            Optional<OptionSpec> option = Optional.ofNullable(spec.optionsMap().get(name))
                    .or(() -> Optional.ofNullable(spec.negatedOptionsMap().get(name)));
            if (option.isPresent() && !option.get().isMultiValue() && !seen.add(option.get())) {
                throw new ParameterException(spec.commandLine(), name + " is given twice: once is enough");
            }
        }
        return new RunLast().execute(result);
    }
}
