package io.tome4j.cli.options;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.ArgGroupSpec;

/** How to draw: the options of {@link Request#OPTIONS} on the command line. */
public final class SamplingOptions {
    private static final String OR_THE_EMBEDDED_MODELS = ", or what suits the embedded model";
    private static final String THE_MODELS_OWN = "the model's own";

    /** Where the table's default is not what a command takes, or not how a user would say it. */
    private static final Map<Option<?>, String> DEFAULTS = Map.of(
            Request.STEPS,
            ChosenModel.USUAL_STEPS + OR_THE_EMBEDDED_MODELS,
            Request.GUIDANCE_SCALE,
            ChosenModel.USUAL_GUIDANCE + OR_THE_EMBEDDED_MODELS,
            Request.SCHEDULER,
            "the checkpoint's own",
            Request.SEED,
            "drawn at random",
            Request.WIDTH,
            THE_MODELS_OWN,
            Request.HEIGHT,
            THE_MODELS_OWN);

    private final TableOptions table;

    /** @param leftOut the options that a command does not have */
    public SamplingOptions(Option<?>... leftOut) {
        List<Option<?>> options = new ArrayList<>(Request.OPTIONS);
        options.removeAll(List.of(leftOut));
        table = new TableOptions(
                options, option -> DEFAULTS.getOrDefault(option, TableOptions.usually(option, usually(option))));
    }

    private static <T> String usually(Option<T> option) {
        return option.format(option.defaultValue());
    }

    /** The options in help. */
    public ArgGroupSpec group(String title, int order) {
        return OptionGroup.of(table.specs()).titled(title, order);
    }

    /**
     * A request for a prompt.
     *
     * @param model says what suits it, where no option says otherwise
     * @throws OptionException if a value is out of its range
     */
    public Request request(String prompt, ChosenModel model) {
        Request usual = Request.of(prompt)
                .guidanceScale(model.guidanceScale())
                .steps(model.steps())
                .size(model.width(), model.height());
        Request request = table.applyTo(usual, SamplingOptions::with);
        if (!request.scheduler().equals(Request.CHECKPOINTS_OWN)
                && !Schedulers.names().contains(request.scheduler())) {
            throw new OptionException(
                    "{" + Request.SCHEDULER.name() + "} is " + OptionException.literal(request.scheduler())
                            + ": it must be one of " + String.join(", ", Schedulers.names()));
        }
        return request;
    }

    private static <T> Request with(Request request, Option<T> option, String text) {
        return request.with(option, option.parse(text));
    }
}
