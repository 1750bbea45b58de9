package io.tome4j.cli.options;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Options that stand together in a command's help, some of which come from a table. */
public final class OptionGroup {
    private final List<OptionSpec> options = new ArrayList<>();

    private OptionGroup() {}

    /** Options of a table. */
    public static OptionGroup of(List<OptionSpec> fromTable) {
        OptionGroup group = new OptionGroup();
        group.options.addAll(fromTable);
        return group;
    }

    /** Adds an option that takes several values. */
    public OptionGroup and(ListOption<?> several) {
        options.add(several.spec());
        return this;
    }

    /** Adds the options of an object whose fields are annotated. */
    public OptionGroup and(Object annotated) {
        for (OptionSpec option : CommandSpec.forAnnotatedObject(annotated).options()) {
            options.add(OptionSpec.builder(option).build());
        }
        return this;
    }

    /**
     * The group as picocli takes it.
     *
     * @param title what stands above it
     * @param order its place among the command's groups
     */
    public ArgGroupSpec titled(String title, int order) {
        ArgGroupSpec.Builder group = ArgGroupSpec.builder()
                .validate(false)
                .heading("%n" + title + ":%n")
                .order(order);
        options.forEach(group::addArg);
        return group.build();
    }
}
