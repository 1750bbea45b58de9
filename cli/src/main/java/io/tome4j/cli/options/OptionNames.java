package io.tome4j.cli.options;

import io.tome4j.tensor.Option;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;

/** What the command line calls the library's options: their names with dashes, but for a few. */
public final class OptionNames {
    private static final Map<String, String> IRREGULAR = Map.of(
            "use_rand", "rand",
            "negative_prompt", "negative",
            "num_inference_steps", "steps",
            "guidance_scale", "guidance",
            "num_images_per_prompt", "count",
            "memory_check", "no-memory-check");

    private OptionNames() {}

    /** What an option is called: {@code --max-downsample}. */
    public static String of(Option<?> option) {
        return of(option.name());
    }

    /** All that an option is called: what {@code diffusers} calls it goes as well. */
    static String[] all(Option<?> option) {
        return option.isFlag()
                ? new String[] {of(option)}
                : Stream.of(of(option), dashed(option.name())).distinct().toArray(String[]::new);
    }

    private static String of(String name) {
        return IRREGULAR.containsKey(name) ? "--" + IRREGULAR.get(name) : dashed(name);
    }

    private static String dashed(String name) {
        return "--" + name.replace('_', '-');
    }

    /** What a command calls options: one that takes several ratios has {@code --ratios}. */
    public static UnaryOperator<String> in(CommandSpec command) {
        return name -> {
            String singular = of(name);
            String plural = singular + "s";
            return !has(command, singular) && has(command, plural) ? plural : singular;
        };
    }

    /** Whether a command has an option of the library's. */
    public static boolean isIn(CommandSpec command, String name) {
        return has(command, of(name));
    }

    private static boolean has(CommandSpec command, String option) {
        return command.optionsMap().containsKey(option);
    }
}
