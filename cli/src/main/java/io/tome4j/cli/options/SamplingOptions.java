package io.tome4j.cli.options;

import io.tome4j.diffusion.MicroConditioning;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.OptionSpec;

/** How to draw: the options of {@link Request#OPTIONS} on the command line, and a short form of two of them. */
public final class SamplingOptions {
    private static final String OR_THE_EMBEDDED_MODELS = ", or what suits the embedded model";
    private static final String THE_IMAGES_OWN = "the image's own";
    private static final String THE_MODELS_OWN = "the model's own";

    /** Where the table's default is not what a command takes, or not how a user would say it. */
    private static final Map<Option<?>, String> DEFAULTS = defaults(
            Request.STEPS,
            ChosenModel.USUAL_STEPS + OR_THE_EMBEDDED_MODELS,
            Request.GUIDANCE_SCALE,
            "7.5, 5 for SDXL except with a mask" + OR_THE_EMBEDDED_MODELS,
            Request.SCHEDULER,
            "the checkpoint's own",
            Request.SEED,
            "drawn at random",
            MicroConditioning.ORIGINAL_SIZE,
            THE_IMAGES_OWN,
            MicroConditioning.TARGET_SIZE,
            THE_IMAGES_OWN,
            Request.WIDTH,
            THE_MODELS_OWN,
            Request.HEIGHT,
            THE_MODELS_OWN,
            Request.STRENGTH,
            "0.8, 0.3 for SDXL without a ControlNet; with a mask 1, 0.9999 for SDXL",
            Request.EXTEND,
            "",
            Request.PADDING_MASK_CROP,
            "",
            Request.HIRES_RATIO,
            "as in the first pass",
            Request.HIRES,
            "");

    /** Pairs of an option and what is said of it. */
    private static Map<Option<?>, String> defaults(Object... pairs) {
        Map<Option<?>, String> defaults = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            defaults.put((Option<?>) pairs[i], (String) pairs[i + 1]);
        }
        return Map.copyOf(defaults);
    }

    /** For a command whose images all come of one pass that begins with noise. */
    public static SamplingOptions ofOnePass(Option<?>... leftOut) {
        List<Option<?>> all = new ArrayList<>(List.of(leftOut));
        all.addAll(Request.OF_INITIAL_IMAGE);
        all.add(Request.HIRES);
        all.addAll(Request.OF_SECOND_PASS);
        return new SamplingOptions(all.toArray(Option<?>[]::new));
    }

    private static final String GUIDANCE_INTERVAL = "--guidance-interval";

    private final TableOptions table;
    private final AdapterOptions adapters = new AdapterOptions();
    private final OptionSpec guidanceInterval = OptionSpec.builder(GUIDANCE_INTERVAL)
            .type(String.class)
            .paramLabel("FROM,TO")
            .description("Short for --guidance-from FROM --guidance-to TO.")
            .build();

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
        List<OptionSpec> specs = new ArrayList<>(table.specs());
        specs.add(guidanceInterval);
        return OptionGroup.of(specs).and(adapters).titled(title, order);
    }

    /**
     * A request for a prompt.
     *
     * @param model says what suits it, where no option says otherwise
     * @throws OptionException if a value is out of its range
     */
    public Request request(String prompt, ChosenModel model) {
        return request(prompt, model, false);
    }

    /**
     * As {@link #request(String, ChosenModel)}.
     *
     * @param ownSize whether an image to begin with has a size of its own, which goes before the model's
     */
    public Request request(String prompt, ChosenModel model, boolean ownSize) {
        Request sized =
                Request.of(prompt).steps(model.steps()).size(ownSize ? 0 : model.width(), ownSize ? 0 : model.height());
        return changed(model.guidanceScale().map(sized::guidanceScale).orElse(sized));
    }

    /**
     * A request with all that was given changed.
     *
     * @throws OptionException if a value is out of its range
     */
    public Request changed(Request usual) {
        Request request = adapters.applyTo(withInterval(table.applyTo(usual, SamplingOptions::with)));
        if (!request.scheduler().equals(Request.CHECKPOINTS_OWN)
                && !Schedulers.names().contains(request.scheduler())) {
            throw new OptionException(
                    "{" + Request.SCHEDULER.name() + "} is " + OptionException.literal(request.scheduler())
                            + ": it must be one of " + String.join(", ", Schedulers.names()));
        }
        return request;
    }

    private Request withInterval(Request request) {
        String interval = guidanceInterval.getValue();
        if (interval == null) {
            return request;
        }
        for (Option<?> end : List.of(Request.GUIDANCE_FROM, Request.GUIDANCE_TO)) {
            if (table.text(end).isPresent()) {
                throw new OptionException(GUIDANCE_INTERVAL + " is short for --guidance-from and --guidance-to, and "
                        + OptionNames.of(end) + " is given too: say one of them");
            }
        }
        String[] ends = interval.split(",", -1);
        if (ends.length != 2) {
            throw new OptionException(GUIDANCE_INTERVAL + " is " + OptionException.literal(interval)
                    + ": it must be two shares of the steps, such as 0.2,0.8");
        }
        return request.withText(Request.GUIDANCE_FROM, ends[0].strip()).withText(Request.GUIDANCE_TO, ends[1].strip());
    }

    private static <T> Request with(Request request, Option<T> option, String text) {
        return request.with(option, option.parse(text));
    }
}
