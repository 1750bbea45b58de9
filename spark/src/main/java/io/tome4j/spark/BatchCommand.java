package io.tome4j.spark;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.spark.TomeBatch.Images;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Option;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of {@link TomeBatch}. */
@Command(
        name = "TomeBatch",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Makes images of many prompts; a run that was killed goes on in the same folder.")
final class BatchCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @picocli.CommandLine.Option(
            names = "--input",
            required = true,
            paramLabel = "PATH",
            description = "Prompts: Parquet, CSV with a header, or JSON lines.")
    private String input = "";

    @picocli.CommandLine.Option(
            names = "--input-format",
            paramLabel = "parquet|csv|json",
            description = "What they are; by the name's end unless given.")
    private @Nullable String inputFormat;

    @picocli.CommandLine.Option(
            names = "--output",
            required = true,
            paramLabel = "FOLDER",
            description = "Where the table goes, and the images.")
    private String output = "";

    @picocli.CommandLine.Option(
            names = "--images",
            paramLabel = "in_table|as_files",
            description = "In a column of the table, or as PNG files beside it.")
    private Images images = Images.IN_TABLE;

    @picocli.CommandLine.Option(
            names = "--model",
            required = true,
            paramLabel = "MODEL",
            description = "A folder that every node has, or an id on the Hugging Face hub.")
    private String model = "";

    @picocli.CommandLine.Option(
            names = "--revision",
            paramLabel = "NAME",
            description = "Branch, tag or commit on the hub.")
    private String revision = "";

    @picocli.CommandLine.Option(
            names = "--variant",
            paramLabel = "NAME",
            description = "Set of weight files, such as fp16.")
    private String variant = "";

    @picocli.CommandLine.Option(names = "--device", paramLabel = "cpu|cuda", description = "Where to compute.")
    private DeviceChoice device = DeviceChoice.CPU;

    @picocli.CommandLine.Option(
            names = "--dtype",
            paramLabel = "fp32|bf16|fp16",
            description = "What to compute in, on every node alike.")
    private DTypeChoice dtype = DTypeChoice.FP32;

    @picocli.CommandLine.Option(
            names = "--attention",
            description = "How to compute attention: ${COMPLETION-CANDIDATES}; the last two without own kernels.")
    private AttentionKernel attention = AttentionKernel.EFFICIENT;

    @picocli.CommandLine.Option(
            names = "--option",
            paramLabel = "NAME=VALUE",
            description =
                    "An option of every request whose row does not say otherwise, such as num_inference_steps=20.")
    private Map<String, String> options = new LinkedHashMap<>();

    @picocli.CommandLine.Option(
            names = "--merging",
            paramLabel = "NAME=VALUE",
            description = "An option of token merging, such as ratio=0.5; none is no merging.")
    private Map<String, String> merging = new LinkedHashMap<>();

    @picocli.CommandLine.Option(
            names = "--wave",
            paramLabel = "IMAGES",
            description = "How many are made and written together: what a killed run loses at most.")
    private int wave = 400;

    @picocli.CommandLine.Option(
            names = "--partitions",
            paramLabel = "N",
            description = "How many tasks a wave is cut into; by the cluster's size unless given.")
    private @Nullable Integer partitions;

    @Override
    public Integer call() {
        TomeBatch batch;
        String format = format();
        try {
            batch = TomeBatch.of(settings()).wave(wave);
            batch = partitions == null ? batch : batch.partitions(partitions);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        boolean isOurs = isOurs();
        SparkSession spark = SparkSession.builder().appName("tome4j").getOrCreate();
        try {
            Dataset<Row> prompts =
                    spark.read().format(format).options(csv(format)).load(input);
            long added = batch.run(prompts, output, images);
            spec.commandLine().getOut().println(added + " images added to " + output);
            spec.commandLine().getOut().flush();
            return 0;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        } finally {
            if (isOurs) {
                spark.stop();
            }
        }
    }

    /** Quotes inside quotes are doubled, and prompts may have several lines (RFC 4180): neither is Spark's default. */
    private static Map<String, String> csv(String format) {
        return format.equalsIgnoreCase("csv")
                ? Map.of("header", "true", "escape", "\"", "multiLine", "true")
                : Map.of();
    }

    /** A session that was there already is not ours to stop. */
    private static boolean isOurs() {
        return SparkSession.getActiveSession().isEmpty()
                && SparkSession.getDefaultSession().isEmpty();
    }

    private String format() {
        if (inputFormat != null) {
            return inputFormat;
        }
        String name = input.toLowerCase(Locale.ROOT);
        if (name.endsWith(".csv")) {
            return "csv";
        }
        return name.endsWith(".json") || name.endsWith(".jsonl") ? "json" : "parquet";
    }

    private BatchSettings settings() {
        BatchSettings settings = BatchSettings.of(model)
                .revision(revision)
                .variant(variant)
                .device(device)
                .dtype(dtype)
                .attention(attention);
        for (var entry : options.entrySet()) {
            settings = settings.option(entry.getKey(), entry.getValue());
        }
        return merging.isEmpty() ? settings : settings.merging(merging());
    }

    /** The options in an order that does not matter to the user: the mode first, which takes back what was chosen before. */
    private ToMeOptions merging() {
        for (String name : merging.keySet()) {
            if (ToMeOptions.OPTIONS.stream().noneMatch(option -> option.name().equals(name))) {
                throw new IllegalArgumentException("There is no option of merging '" + name + "'. There are: "
                        + String.join(
                                ", ",
                                ToMeOptions.OPTIONS.stream().map(Option::name).toList()));
            }
        }
        ToMeOptions result = ToMeOptions.ratio(ToMeOptions.RATIO.defaultValue());
        for (Option<?> option : Stream.concat(
                        Stream.of(ToMeOptions.MODE, ToMeOptions.METHOD), ToMeOptions.OPTIONS.stream())
                .distinct()
                .toList()) {
            String value = merging.get(option.name());
            result = value == null ? result : result.withText(option, value);
        }
        return result;
    }
}
