package io.tome4j.cli;

import io.tome4j.emoji.Motifs;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What to draw while tuning. */
final class TunePrompts {
    /** So many of the embedded model's motifs, if no prompts are given. */
    static final int OF_MOTIFS = 3;

    private TunePrompts() {}

    /**
     * The prompts that were given, and otherwise a few of the embedded model's motifs.
     *
     * @param file a prompt a line; empty lines do not count
     * @throws TomeException if the file cannot be read or has no prompt
     */
    static List<String> of(List<String> given, Optional<Path> file) {
        List<String> prompts = new ArrayList<>(given);
        file.ifPresent(path -> prompts.addAll(lines(path)));
        return prompts.isEmpty() ? ofMotifs() : prompts;
    }

    /** Far apart in the list, which is ordered by what they are called. */
    private static List<String> ofMotifs() {
        List<Motifs.Motif> all = Motifs.load().all();
        List<String> prompts = new ArrayList<>();
        for (int i = 0; i < OF_MOTIFS; i++) {
            prompts.add(all.get((2 * i + 1) * all.size() / (2 * OF_MOTIFS)).prompt());
        }
        return prompts;
    }

    private static List<String> lines(Path file) {
        try {
            List<String> lines = Files.readAllLines(file).stream()
                    .map(line -> line.replace("\uFEFF", "").strip())
                    .filter(line -> !line.isEmpty())
                    .toList();
            if (lines.isEmpty()) {
                throw new TomeException("The file " + file + " has no prompts: it must have one a line.");
            }
            return lines;
        } catch (NoSuchFileException e) {
            throw new TomeException("There is no file " + file + ".", e);
        } catch (CharacterCodingException e) {
            throw new TomeException("The file " + file + " is not text in UTF-8.", e);
        } catch (IOException e) {
            throw new TomeException("The file " + file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
