package io.tome4j.diffusion;

import io.tome4j.merging.MergeContext;
import io.tome4j.models.unet.Conditioning;
import io.tome4j.models.unet.ControlNetModel;
import io.tome4j.models.unet.ControlResiduals;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** The ControlNets of a run, each with what it makes of its image. What they add is summed up. */
final class Controls {
    /** None. */
    static final Controls NONE = new Controls(List.of(), 1, 1, false, false);

    /**
     * One of them.
     *
     * @param asked its scale, and where it begins and ends
     * @param image what the net made of its image; lives as long as the run
     */
    record Active(ControlNetModel net, Control asked, Tensor image) {}

    /** ControlNets that have seen the text and the timesteps of a run. */
    @FunctionalInterface
    interface Conditioned {
        /** What is added in a forward pass, as {@link Denoiser.Conditioned#predict} is asked; in the open scope. */
        Optional<ControlResiduals> at(Tensor latents, double timestep, MergeContext context);
    }

    private final List<Active> nets;
    private final int prompted;
    private final int steps;
    private final boolean guess;
    private final boolean merges;
    private int first = -1; // the first step that ran

    /**
     * @param prompted rows of the batch that have the prompt
     * @param steps how many will run
     * @param guess whether the nets see just those rows, and shallow residuals count less
     * @param merges whether the nets' blocks merge tokens, too
     */
    Controls(List<Active> nets, int prompted, int steps, boolean guess, boolean merges) {
        this.nets = List.copyOf(nets);
        this.prompted = prompted;
        this.steps = steps;
        // As the reference has it: the first of several decides.
        this.guess = guess || (!nets.isEmpty() && nets.get(0).net().config().globalPool());
        this.merges = merges;
    }

    /** Computes once what all steps have in common; it belongs to the open scope. */
    Conditioned condition(TextConditioning text, double... timesteps) {
        List<Conditioning> conditioned = new ArrayList<>();
        for (Active active : nets) {
            conditioned.add(active.net().condition(text.embeddings(), text.added(), timesteps));
        }
        return (latents, timestep, context) -> residuals(conditioned, latents, timestep, context);
    }

    private Optional<ControlResiduals> residuals(
            List<Conditioning> conditioned, Tensor latents, double timestep, MergeContext context) {
        first = first < 0 ? context.step() : first;
        long rows = latents.size(0);
        long without = guess ? rows - prompted : 0; // rows that the nets do not see
        Tensor seen = without == 0 ? latents : Tensors.slice(latents, 0, without, rows);
        int copies = guess ? context.copies() * prompted / (int) rows : context.copies();
        MergeContext merging = merges ? context.withCopies(copies) : MergeContext.NONE;
        @Nullable ControlResiduals sum = null;
        for (int i = 0; i < nets.size(); i++) {
            Active active = nets.get(i);
            if (active.asked().scale() != 0 && active.asked().isOn(context.step() - first, steps)) {
                ControlResiduals one = active.net()
                        .forward(
                                seen,
                                timestep,
                                active.image(),
                                conditioned.get(i),
                                active.asked().scale(),
                                guess,
                                merging);
                sum = sum == null ? one : sum.plus(one);
            }
        }
        return Optional.ofNullable(sum).map(residuals -> residuals.behind(without));
    }

    /** What nets make of the images that a request gives them, in the open scope. */
    static List<Active> embedded(List<ControlNetModel> nets, List<Control> asked, int width, int height) {
        List<Active> active = new ArrayList<>();
        try (var scope = TensorScope.open()) {
            for (int i = 0; i < nets.size(); i++) {
                Tensor image = ControlImages.tensor(asked.get(i).requireMap().toRgb(), width, height);
                active.add(new Active(
                        nets.get(i), asked.get(i), scope.release(nets.get(i).embed(image))));
            }
            return active;
        }
    }
}
