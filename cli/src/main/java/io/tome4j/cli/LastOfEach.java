package io.tome4j.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Leaves the last of repeated options, as programs do whose commands are put together by scripts; of options that take
 * several values all stay. picocli would start a group of options anew with a repeated one, and lose all that it held.
 */
final class LastOfEach {
    private final CommandSpec command;

    private LastOfEach(CommandSpec command) {
        this.command = command;
    }

    /** The arguments without the options that are said again later. */
    static String[] of(CommandLine program, String[] args) {
        for (int i = 0; i < args.length; i++) {
            CommandLine command = program.getSubcommands().get(args[i]);
            if (command != null) {
                return new LastOfEach(command.getCommandSpec())
                        .from(i + 1, List.of(args))
                        .toArray(String[]::new);
            }
        }
        return args;
    }

    /** An option where it stands, with its value if that is an argument of its own; or another argument. */
    private record Argument(List<String> words, Optional<OptionSpec> option) {}

    private List<String> from(int start, List<String> args) {
        List<Argument> arguments = new ArrayList<>();
        int at = start;
        while (at < args.size() && !args.get(at).equals("--")) {
            Optional<OptionSpec> option = option(args.get(at));
            boolean takesNext = option.isPresent()
                    && option.get().arity().min() > 0
                    && !args.get(at).contains("=")
                    && at + 1 < args.size()
                    && option(args.get(at + 1)).isEmpty();
            int next = at + (takesNext ? 2 : 1);
            arguments.add(new Argument(args.subList(at, next), option));
            at = next;
        }
        Collections.reverse(arguments);
        Set<OptionSpec> seen = new HashSet<>();
        arguments.removeIf(argument -> argument.option()
                .filter(option -> !option.isMultiValue() && !seen.add(option))
                .isPresent());
        Collections.reverse(arguments);
        List<String> left = new ArrayList<>(args.subList(0, start));
        arguments.forEach(argument -> left.addAll(argument.words()));
        left.addAll(args.subList(at, args.size()));
        return left;
    }

    private Optional<OptionSpec> option(String argument) {
        String name = argument.replaceFirst("(?s)=.*", "");
        return Optional.ofNullable(command.optionsMap().get(name))
                .or(() -> Optional.ofNullable(command.negatedOptionsMap().get(name)));
    }
}
