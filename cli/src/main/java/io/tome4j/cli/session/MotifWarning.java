package io.tome4j.cli.session;

import io.tome4j.cli.options.ChosenModel;
import io.tome4j.emoji.Motifs;
import io.tome4j.emoji.Motifs.Motif;
import java.util.List;
import java.util.Optional;

/** Tells a user who asks the embedded model for what it does not draw. */
final class MotifWarning {
    private static final int LONGEST_QUOTE = 80;

    private MotifWarning() {}

    /** The warning; empty for what the model draws, for nothing at all, and for other models. */
    static Optional<String> about(String prompt, ChosenModel model) {
        if (model.embedded().isEmpty() || prompt.isBlank()) {
            return Optional.empty();
        }
        List<Motif> motifs = Motifs.list();
        NearestMotifs nearest = new NearestMotifs(prompt);
        if (nearest.isAmong(motifs)) {
            return Optional.empty();
        }
        List<String> like = nearest.of(motifs);
        return Optional.of("Warning: '" + Shown.harmless(Shown.shortened(prompt, LONGEST_QUOTE))
                + "' is none of the motifs of " + model.name() + ", and it draws nothing else"
                + (like.isEmpty() ? "" : "; the nearest are " + String.join(", ", like))
                + ". 'tome models --motifs' lists them all.");
    }
}
