package io.tome4j.cli.tune;

import io.tome4j.emoji.Motifs;
import io.tome4j.evaluation.quality.Prompt;
import io.tome4j.evaluation.quality.Prompts;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What to draw while tuning. */
final class TunePrompts {
    private static final int USUAL_SAMPLES = 3;

    @Option(
            names = "--prompt",
            paramLabel = "PROMPT",
            description = "What to draw; may be given several times (default: motifs of the embedded model).")
    private List<String> given = new ArrayList<>();

    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            description = "Draw prompts from a file, one a line, or a .tsv with a column Prompt.")
    private Optional<Path> file = Optional.empty();

    @Option(
            names = "--samples",
            paramLabel = "N",
            description = "How many prompts of the file, or motifs, the seed draws (default: " + USUAL_SAMPLES
                    + ", or all of fewer).")
    private Optional<Integer> samples = Optional.empty();

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "The seed of every image (default: ${DEFAULT-VALUE}).")
    long seed = 1;

    /** Whether no prompts were given. */
    boolean areMotifs() {
        return given.isEmpty() && file.isEmpty();
    }

    /**
     * @return at least one prompt
     * @throws OptionException if there are not so many
     * @throws io.tome4j.tensor.TomeException if the file cannot be read or has no prompt
     */
    List<String> texts() {
        if (file.isPresent() && !given.isEmpty()) {
            throw new OptionException("--prompt and --prompts do not go together: say one of them");
        }
        if (!given.isEmpty()) {
            if (samples.isPresent()) {
                throw new OptionException("--samples is how many prompts to draw from --prompts or the motifs:"
                        + " with --prompt all are taken");
            }
            return given;
        }
        Prompts all = file.map(Prompts::read).orElseGet(() -> Prompts.of(Motifs.load()));
        int count = samples.orElse(Math.min(USUAL_SAMPLES, all.all().size()));
        return all.draw(count, seed).all().stream().map(Prompt::text).toList();
    }
}
