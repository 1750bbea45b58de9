package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** What README and docs tell users to type, as the program reads it. */
class DocumentedCommandsTest {
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```.*?^```");
    private static final Pattern SPAN = Pattern.compile("`([^`]+)`");
    private static final Pattern COMMAND = Pattern.compile("(?:^|[ ;])(?:\\./)?tome ([a-z]+)\\b(.*)");
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)");
    /** Lines that are other programs' from their first word on, and options that are named alone. */
    private static final Pattern OTHERS = Pattern.compile("(docker|spark-submit|side_by_side\\.py) .*");

    private static final Set<String> OTHERS_OPTIONS =
            Set.of("--read-only", "--tmpfs", "--user", "--enable-native-access", "--images", "--wave");

    private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z0-9-]*");

    static List<Path> documents() throws IOException {
        Path root = Schemas.folder().resolve("../..").normalize();
        List<Path> documents = new ArrayList<>(List.of(root.resolve("README.md")));
        try (Stream<Path> files = Files.list(root.resolve("docs"))) {
            files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(documents::add);
        }
        return documents;
    }

    private static CommandLine program() {
        return Tome.commandLine(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()));
    }

    /** Lines of code blocks, and what stands between backticks, each on a line of its own. */
    private static List<String> code(String text) {
        List<String> lines = new ArrayList<>();
        BLOCK.matcher(text).results().map(MatchResult::group).forEach(block -> block.replaceAll("\\\\\n", " ")
                .lines()
                .forEach(lines::add));
        SPAN.matcher(BLOCK.matcher(text).replaceAll(""))
                .results()
                .forEach(span -> lines.add(span.group(1).replaceAll("\\s+", " ")));
        return lines;
    }

    @ParameterizedTest
    @MethodSource("documents")
    void everyCommandIsOneThatTheProgramReads(Path document) throws IOException {
        CommandLine names = program();
        List<String> wrong = new ArrayList<>();
        for (String line : code(Files.readString(document))) {
            COMMAND.matcher(line.replaceFirst("\\s+#.*", "")).results().forEach(command -> {
                List<String> args = new ArrayList<>(List.of(command.group(1)));
                WORD.matcher(command.group(2))
                        .results()
                        .forEach(word -> args.add(Stream.of(1, 2, 3)
                                .map(word::group)
                                .filter(text -> text != null)
                                .findFirst()
                                .orElseThrow()));
                try {
                    program().parseArgs(LastOfEach.of(names, args.toArray(String[]::new)));
                } catch (ParameterException e) {
                    wrong.add(line + ": " + e.getMessage());
                }
            });
        }
        assertThat(wrong).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("documents")
    void everyOptionIsOneOfTheProgram(Path document) throws IOException {
        Set<String> options = new TreeSet<>(OTHERS_OPTIONS);
        for (CommandLine command : program().getSubcommands().values()) {
            options.addAll(command.getCommandSpec().optionsMap().keySet());
            options.addAll(command.getCommandSpec().negatedOptionsMap().keySet());
        }
        Set<String> unknown = new TreeSet<>();
        for (String line : code(Files.readString(document))) {
            if (OTHERS.matcher(line).matches()) {
                continue;
            }
            OPTION.matcher(line)
                    .results()
                    .map(MatchResult::group)
                    .filter(option -> !options.contains(option))
                    .forEach(option -> unknown.add(option + " in " + line));
        }
        assertThat(unknown).isEmpty();
    }
}
