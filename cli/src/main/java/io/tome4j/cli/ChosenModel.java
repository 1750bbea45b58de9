package io.tome4j.cli;

import io.tome4j.emoji.EmbeddedModel;
import java.io.PrintWriter;
import java.util.Optional;

/**
 * The model that a command runs, and what suits it where the user did not say.
 *
 * @param name what to pass to {@code --model}
 * @param embedded the embedded model, if it is that one
 */
record ChosenModel(String name, Optional<EmbeddedModel> embedded) {
    /** What {@code diffusers} takes for any model. */
    static final double USUAL_GUIDANCE = 7.5;

    static final int USUAL_STEPS = 20;

    /** What the pipeline loads; unpacks the embedded model if that is necessary. */
    String source() {
        return embedded.map(model -> model.folder().toString()).orElse(name);
    }

    int steps() {
        return embedded.map(EmbeddedModel::steps).orElse(USUAL_STEPS);
    }

    double guidanceScale() {
        return embedded.map(EmbeddedModel::guidanceScale).orElse(USUAL_GUIDANCE);
    }

    /** In pixels; 0 leaves it to the checkpoint. */
    int width() {
        return embedded.map(EmbeddedModel::width).orElse(0);
    }

    /** In pixels; 0 leaves it to the checkpoint. */
    int height() {
        return embedded.map(EmbeddedModel::height).orElse(0);
    }

    /** Says which model it is where the user may wonder. */
    void announce(PrintWriter err) {
        embedded.ifPresent(model -> err.println("Model: the embedded " + model.name() + ", which " + model.description()
                + "; --model takes any Stable Diffusion 1.x or 2.x checkpoint"));
    }
}
