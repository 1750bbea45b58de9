package io.tome4j.cli.compare;

import io.tome4j.cli.options.Lists;
import io.tome4j.cli.options.MergingOptions;
import io.tome4j.cli.options.MergingTable;
import io.tome4j.cli.options.OptionGroup;
import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.quality.Setting;
import io.tome4j.evaluation.run.MapPlace;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.OptionException;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Option;

/** What to compare. */
final class CompareOptions {
    private final MergingTable table = MergingTable.without(ToMeOptions.RATIO, ToMeOptions.METHOD);

    @Option(
            names = "--methods",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Methods as --method of generate has them, or tomesd, which is exactly what the Python package does;"
                            + " with options of their own after a plus, such as tome+match-every=2 (default: tome). Each is a row of"
                            + " the image.")
    List<String> methods = List.of();

    @Option(
            names = "--ratios",
            split = ",",
            paramLabel = "SHARE",
            defaultValue = "0.25,0.5,0.75",
            description = "Shares of tokens to merge away, each above 0 and up to 1 (default: ${DEFAULT-VALUE}).")
    List<Double> ratios = List.of(0.25, 0.5, 0.75);

    @Option(
            names = "--merging",
            paramLabel = "on|auto",
            defaultValue = "on",
            description = "Merge tokens in all eligible blocks (default), or where it is predicted to pay as --auto.")
    MergingOptions.Merging merging = MergingOptions.Merging.ON;

    @Option(names = "--count", hidden = true, description = "Known from generate; a comparison is of one image.")
    int count = 1;

    @Option(names = "--difference", description = "Add the differences from the unmerged image, amplified.")
    boolean difference;

    @Option(
            names = "--maps",
            description = "Add merge maps, which show the tokens that became one in a block and step, and write each to"
                    + " a file of its own, too. For todo they show the tokens that are kept as keys.")
    boolean maps;

    @Option(names = "--map-step", paramLabel = "N", description = "The step of the maps, from 1 (default: the middle).")
    Optional<Integer> mapStep = Optional.empty();

    @Option(
            names = "--map-block",
            paramLabel = "NAME",
            description = "The block of the maps, as the checkpoint calls it, such as"
                    + " down_blocks.0.attentions.0.transformer_blocks.0 (default: the first at full resolution).")
    Optional<String> mapBlock = Optional.empty();

    /** The options in help. */
    ArgGroupSpec group(String title, int order) {
        return OptionGroup.of(table.specs()).and(this).titled(title, order);
    }

    /** @throws OptionException if an option that generate has asks for what is no comparison */
    void requireComparable() {
        if (merging == MergingOptions.Merging.OFF) {
            throw new OptionException("--merging is off: a comparison is with merging, and the unmerged image is"
                    + " always there; --merging takes on or auto");
        }
        if (count != 1) {
            throw new OptionException("--count is " + count
                    + ": a comparison is of one image; run it again with another --seed for each");
        }
    }

    /**
     * @return each method with each ratio
     * @throws OptionException if a value is out of its range, or two do not go together
     */
    List<Setting> settings() {
        Lists.requireOnce("--ratios", ratios);
        Lists.requireOnce("--methods", methods);
        ToMeOptions base = table.applyTo(ToMeOptions.ratio(ToMeOptions.RATIO.defaultValue()));
        return Setting.all(
                methods.isEmpty() ? List.of("tome") : methods,
                ratios,
                merging == MergingOptions.Merging.AUTO ? base.auto(true) : base);
    }

    /**
     * @return where to take maps; empty if they were not asked for
     * @throws OptionException if the step is not one of the request's, or an option has no effect
     */
    Optional<MapPlace> mapPlace(Request request) {
        if (!maps && (mapStep.isPresent() || mapBlock.isPresent())) {
            throw new OptionException(
                    (mapStep.isPresent() ? "--map-step" : "--map-block") + " says where to take maps: add --maps");
        }
        int step = mapStep.orElse((request.steps() + 1) / 2);
        if (step < 1 || step > request.steps()) {
            throw new OptionException(
                    "--map-step is " + step + ": it must be from 1 to the number of steps, " + request.steps());
        }
        return maps ? Optional.of(new MapPlace(mapBlock, step - 1)) : Optional.empty();
    }
}
