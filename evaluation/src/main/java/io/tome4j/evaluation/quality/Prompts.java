package io.tome4j.evaluation.quality;

import io.tome4j.checkpoint.WholeFile;
import io.tome4j.diffusion.Request;
import io.tome4j.emoji.Motifs;
import io.tome4j.evaluation.retrieval.Retrieval;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Prompts, and where they come from.
 *
 * @param source what to call them: a file's name
 * @param all at least one
 */
public record Prompts(String source, List<Prompt> all) {
    /** What the embedded model's own motifs are called. */
    public static final String MOTIFS = "motifs";

    private static final String COLUMN = "Prompt";

    public Prompts {
        all = List.copyOf(all);
        if (all.isEmpty()) {
            throw new IllegalArgumentException("There are no prompts");
        }
    }

    /** The embedded model's motifs, each asked for by its name. */
    public static Prompts of(Motifs motifs) {
        return new Prompts(
                MOTIFS,
                IntStream.range(0, motifs.all().size())
                        .mapToObj(i -> new Prompt(motifs.all().get(i).prompt(), "", "", OptionalInt.of(i)))
                        .toList());
    }

    /** What requests draw. */
    public static Prompts of(List<Request> requests) {
        return new Prompts(
                "requests",
                requests.stream()
                        .flatMap(request -> request.prompts().stream())
                        .map(text -> new Prompt(text, "", "", OptionalInt.empty()))
                        .toList());
    }

    /**
     * Reads a file in UTF-8: one prompt a line; or, if it ends in {@code .tsv} or its first line has a tab, columns
     * separated by tabs under a line of their names: {@code Prompt} and, where they are there, {@code Category} and
     * {@code Challenge}, as in PartiPrompts. Empty lines are passed over; quotes are part of a prompt.
     *
     * @throws TomeException if there is no such file, no prompt in it, or no such column; the message says where
     */
    public static Prompts read(Path file) {
        List<String> lines = text(file).lines().toList();
        boolean columns = file.toString().toLowerCase(Locale.ROOT).endsWith(".tsv")
                || (!lines.isEmpty() && lines.get(0).contains("\t"));
        List<Prompt> prompts = columns ? fromColumns(file, lines) : fromLines(lines);
        if (prompts.isEmpty()) {
            throw new TomeException("The prompt file " + file + " has no prompt in it: write one a line"
                    + (columns ? ", below the names of the columns" : "") + ".");
        }
        return new Prompts(String.valueOf(file.getFileName()), prompts);
    }

    private static String text(Path file) {
        if (Files.isDirectory(file)) {
            throw new TomeException(file + " is a folder, not a prompt file.");
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new TomeException("The prompt file " + file + " is not UTF-8: save it in that encoding.", e);
        } catch (NoSuchFileException e) {
            throw new TomeException("There is no prompt file " + file + ".", e);
        } catch (AccessDeniedException e) {
            throw new TomeException("This user may not read the prompt file " + file + ".", e);
        } catch (IOException e) {
            throw new TomeException("The prompt file " + file + " cannot be read: " + WholeFile.reason(e) + ".", e);
        }
    }

    private static List<Prompt> fromLines(List<String> lines) {
        return lines.stream()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .map(line -> new Prompt(line, "", "", OptionalInt.empty()))
                .toList();
    }

    private static List<Prompt> fromColumns(Path file, List<String> lines) {
        if (lines.isEmpty()) {
            return List.of();
        }
        List<String> names =
                Arrays.stream(lines.get(0).split("\t", -1)).map(String::strip).toList();
        int prompt = column(names, COLUMN);
        if (prompt < 0) {
            throw new TomeException("The prompt file " + file + " has no column '" + COLUMN + "': its first line names "
                    + String.join(", ", names) + ".");
        }
        int category = column(names, "Category");
        int challenge = column(names, "Challenge");
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 1; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) {
                continue;
            }
            String[] cells = lines.get(i).split("\t", -1);
            String text = cell(cells, prompt);
            if (text.isEmpty()) {
                throw new TomeException("Line " + (i + 1) + " of the prompt file " + file + " has no prompt.");
            }
            prompts.add(new Prompt(text, cell(cells, category), cell(cells, challenge), OptionalInt.empty()));
        }
        return prompts;
    }

    private static int column(List<String> names, String name) {
        return IntStream.range(0, names.size())
                .filter(i -> names.get(i).equalsIgnoreCase(name))
                .findFirst()
                .orElse(-1);
    }

    private static String cell(String[] cells, int column) {
        return column < 0 || column >= cells.length ? "" : cells[column].strip();
    }

    /**
     * Some of them, in the order that the seed draws them in; a longer draw begins with the shorter ones.
     *
     * @throws IllegalArgumentException if there are not so many
     */
    public Prompts draw(int samples, long seed) {
        if (samples < 1 || samples > all.size()) {
            throw new OptionException("{samples} is " + samples + ": it must be from 1 to " + all.size()
                    + ", which is how many prompts " + source + " has");
        }
        return new Prompts(
                source,
                Retrieval.draw(all.size(), samples, seed).stream().map(all::get).toList());
    }

    /** What they say, as 16 hexadecimal digits. */
    public String fingerprint() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            all.forEach(prompt -> digest.update((prompt.text() + "\n").getBytes(StandardCharsets.UTF_8)));
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every JVM has SHA-256", e);
        }
    }
}
