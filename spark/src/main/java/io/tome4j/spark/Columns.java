package io.tome4j.spark;

import io.tome4j.diffusion.Request;
import io.tome4j.tensor.Option;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The columns of prompts and of images. */
final class Columns {
    static final String KEY = "key";
    static final String PROMPT = "prompt";
    static final String SEED = Request.SEED.name();
    static final String PNG = "png";
    static final String FILE = "file";
    static final String PARAMETERS = "parameters";
    static final String SECONDS = "seconds";
    static final String ERROR = "error";

    /** One row is one image: a batch would make it depend on its place in it. */
    private static final Set<Option<?>> NOT_HERE = Set.of(Request.IMAGES_PER_PROMPT, Request.SEED_PER_IMAGE);

    private Columns() {}

    /** Of the images, in order: PNG itself or the file it lies in. */
    static StructType images(boolean asFiles) {
        return new StructType()
                .add(KEY, DataTypes.StringType, false)
                .add(SEED, DataTypes.LongType, true)
                .add(asFiles ? FILE : PNG, asFiles ? DataTypes.StringType : DataTypes.BinaryType, true)
                .add(PARAMETERS, DataTypes.StringType, true)
                .add(SECONDS, DataTypes.DoubleType, true)
                .add(ERROR, DataTypes.StringType, true);
    }

    /** The option of a request that a column or a setting names. */
    static Optional<Option<?>> option(String name) {
        return options().filter(option -> option.name().equals(name)).findFirst();
    }

    static List<String> optionNames() {
        return options().map(Option::name).toList();
    }

    private static Stream<Option<?>> options() {
        return Request.OPTIONS.stream().filter(option -> !NOT_HERE.contains(option));
    }

    /**
     * Refuses prompts without a prompt, and columns that nothing would be done with.
     *
     * @throws IllegalArgumentException naming what can be there
     */
    static void require(StructType prompts) {
        List<String> names = List.of(prompts.fieldNames());
        if (!names.contains(PROMPT)) {
            throw new IllegalArgumentException("The prompts have no column 'prompt', but " + String.join(", ", names));
        }
        String unknown = names.stream()
                .filter(name -> !name.equals(KEY)
                        && !name.equals(PROMPT)
                        && option(name).isEmpty())
                .collect(Collectors.joining(", "));
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("The prompts have columns that no image is made of: " + unknown
                    + ". There can be key, prompt, " + String.join(", ", optionNames()));
        }
    }
}
