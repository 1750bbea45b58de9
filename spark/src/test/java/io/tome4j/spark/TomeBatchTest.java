package io.tome4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.spark.TomeBatch.Images;
import io.tome4j.tensor.DTypeChoice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One session for all: starting one takes most of the time. */
class TomeBatchTest {
    private static final BatchSettings SETTINGS = BatchSettings.of(
                    Fixtures.path("tiny-sd1").toString())
            .option(Request.STEPS, 1)
            .option(Request.WIDTH, 64)
            .option(Request.HEIGHT, 64)
            .merging(ToMeOptions.ratio(0.5));

    private static final StructType KEYED =
            new StructType().add("key", DataTypes.StringType).add("prompt", DataTypes.StringType);

    private static SparkSession spark;

    @BeforeAll
    static void start() {
        spark = SparkSession.builder()
                .master("local[1]")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", "1")
                .getOrCreate();
    }

    @AfterAll
    static void stop() {
        spark.stop();
    }

    private static Dataset<Row> prompts(String... keysAndPrompts) {
        var rows = new java.util.ArrayList<Row>();
        for (int i = 0; i < keysAndPrompts.length; i += 2) {
            rows.add(RowFactory.create(keysAndPrompts[i], keysAndPrompts[i + 1]));
        }
        return spark.createDataFrame(rows, KEYED);
    }

    private static Map<String, byte[]> images(Path output) {
        Map<String, byte[]> images = new TreeMap<>();
        for (Row row : spark.read().parquet(output.resolve("table").toString()).collectAsList()) {
            assertThat(images.put(row.getAs("key"), row.getAs("png"))).isNull();
        }
        return images;
    }

    @Test
    void anImageIsTheOneThatThePipelineMakesWithTheSeedOfItsKey() {
        Row row = TomeBatch.of(SETTINGS).generate(prompts("k1", "a red apple")).first();
        try (var pipeline = StableDiffusionPipeline.fromPretrained(SETTINGS.model(), SETTINGS.pipelineOptions())) {
            var image = pipeline.generate(Request.of("a red apple")
                            .steps(1)
                            .size(64, 64)
                            .seed(PromptRow.seedOf("k1"))
                            .merging(ToMeOptions.ratio(0.5)))
                    .image();
            assertThat(row.<byte[]>getAs("png")).isEqualTo(image.png());
            assertThat(row.<String>getAs("parameters"))
                    .isEqualTo(image.parameters())
                    .contains("Token merging ratio: 0.5");
        }
        assertThat(row.<Long>getAs("seed")).isEqualTo(PromptRow.seedOf("k1"));
        assertThat(row.<Double>getAs("seconds")).isPositive();
        assertThat(row.<String>getAs("error")).isNull();
    }

    @Test
    void columnsAreOptionsOfARequestAndNullIsTheSettingsOwn() {
        StructType columns = KEYED.add("num_inference_steps", DataTypes.DoubleType)
                .add("seed", DataTypes.LongType)
                .add("negative_prompt", DataTypes.StringType);
        Dataset<Row> rows = spark.createDataFrame(
                List.of(RowFactory.create("a", "x", 2.0, 7L, "blurry"), RowFactory.create("b", "x", null, null, null)),
                columns);
        List<Row> made = TomeBatch.of(SETTINGS).generate(rows).collectAsList();
        assertThat(made.get(0).<String>getAs("parameters")).contains("Steps: 2", "Seed: 7", "Negative prompt: blurry");
        assertThat(made.get(1).<String>getAs("parameters"))
                .contains("Steps: 1", "Seed: " + PromptRow.seedOf("b"))
                .doesNotContain("Negative prompt");
    }

    @Test
    void wholeNumbersMayComeInAnyTypeOfNumber() {
        StructType columns = KEYED.add("num_inference_steps", DataTypes.FloatType)
                .add("seed", DataTypes.createDecimalType(20, 2))
                .add("width", DataTypes.ShortType);
        Dataset<Row> rows = spark.createDataFrame(
                List.of(
                        RowFactory.create("a", "x", 2f, new java.math.BigDecimal("7.00"), (short) 72),
                        RowFactory.create("b", "x", 2.5f, null, null)),
                columns);
        List<Row> made = TomeBatch.of(SETTINGS).generate(rows).collectAsList();
        assertThat(made.get(0).<String>getAs("parameters")).contains("Steps: 2", "Seed: 7", "Size: 72x64");
        assertThat(made.get(1).<String>getAs("error")).contains("num_inference_steps is '2.5'");
    }

    @Test
    void promptsInCsvMayHaveQuotesCommasAndLines(@TempDir Path folder) throws Exception {
        Path input = folder.resolve("prompts.csv");
        Files.writeString(input, "key,prompt\n1,\"a \"\"red\"\" apple, ripe\"\n2,\"two\nlines\"\n");
        Path output = folder.resolve("out");
        int status = new picocli.CommandLine(new BatchCommand())
                .execute(
                        "--input=" + input,
                        "--output=" + output,
                        "--model=" + SETTINGS.model(),
                        "--option=num_inference_steps=1",
                        "--option=width=64",
                        "--option=height=64");
        assertThat(status).isZero();
        Map<String, String> parameters = new TreeMap<>();
        for (Row row : spark.read().parquet(output.resolve("table").toString()).collectAsList()) {
            parameters.put(row.getAs("key"), row.getAs("parameters"));
        }
        assertThat(parameters.get("1")).startsWith("a \"red\" apple, ripe\n");
        assertThat(parameters.get("2")).startsWith("two\nlines\n");
    }

    @Test
    void aRowThatCannotBeMadeHasAnErrorAndTheOthersAreMade() {
        StructType columns = KEYED.add("width", DataTypes.StringType).add("scheduler", DataTypes.StringType);
        Dataset<Row> rows = spark.createDataFrame(
                List.of(
                        RowFactory.create("no-prompt", null, "64", null),
                        RowFactory.create("odd-width", "x", "63", null),
                        RowFactory.create("no-number", "x", "wide", null),
                        RowFactory.create("no-scheduler", "x", "64", "nonesuch"),
                        RowFactory.create("good", "x", "64", null)),
                columns);
        Map<String, String> errors = new TreeMap<>();
        for (Row row : TomeBatch.of(SETTINGS).generate(rows).collectAsList()) {
            String error = row.getAs("error");
            assertThat(row.<byte[]>getAs("png") == null).isEqualTo(error != null);
            errors.put(row.getAs("key"), String.valueOf(error));
        }
        assertThat(errors.get("no-prompt")).contains("no prompt");
        assertThat(errors.get("odd-width")).contains("width is 63");
        assertThat(errors.get("no-number")).contains("width is 'wide'");
        assertThat(errors.get("no-scheduler")).contains("nonesuch");
        assertThat(errors.get("good")).isEqualTo("null");
    }

    @Test
    void aRunGoesOnWhereAnotherStoppedAndGivesWhatOneGives(@TempDir Path whole, @TempDir Path stopped) {
        Dataset<Row> all = prompts("a", "one", "b", "two", "c", "three", "d", "four", "e", "five");
        assertThat(TomeBatch.of(SETTINGS).wave(2).run(all, whole.toString(), Images.IN_TABLE))
                .isEqualTo(5);
        TomeBatch other = TomeBatch.of(SETTINGS).wave(3).partitions(2);
        assertThat(other.run(prompts("b", "two", "d", "four"), stopped.toString(), Images.IN_TABLE))
                .isEqualTo(2);
        assertThat(other.run(all, stopped.toString(), Images.IN_TABLE)).isEqualTo(3);
        assertThat(other.run(all, stopped.toString(), Images.IN_TABLE)).isZero();
        Map<String, byte[]> expected = images(whole);
        Map<String, byte[]> actual = images(stopped);
        assertThat(actual.keySet()).isEqualTo(expected.keySet()).hasSize(5);
        assertThat(actual).allSatisfy((key, png) -> assertThat(png).isEqualTo(expected.get(key)));
    }

    @Test
    void tasksThatAKilledRunHadFinishedAreNotPublishedWithTheNextWave(@TempDir Path output, @TempDir Path other)
            throws Exception {
        Dataset<Row> one = prompts("a", "one");
        TomeBatch.of(SETTINGS).run(one, other.toString(), Images.IN_TABLE);
        Path left = output.resolve("table/_temporary/0/task_1_m_000000");
        Files.createDirectories(left);
        try (var files = Files.list(other.resolve("table"))) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".parquet")).toList()) {
                Files.copy(file, left.resolve("part-00000-of-a-killed-run.parquet"));
            }
        }
        TomeBatch.of(SETTINGS).run(one, output.toString(), Images.IN_TABLE);
        assertThat(images(output)).hasSize(1);
    }

    @Test
    void imagesMayBeFilesNamedByTheirKeys(@TempDir Path output) throws Exception {
        String large = "x".repeat(300); // more than a file may be called
        Dataset<Row> rows = prompts("a/b c", "one", "_x", "two", "ü", "three", large, "four");
        TomeBatch.of(SETTINGS).run(rows, output.toString(), Images.AS_FILES);
        for (Row row : spark.read().parquet(output.resolve("table").toString()).collectAsList()) {
            byte[] png = Files.readAllBytes(output.resolve("images").resolve(row.<String>getAs("file")));
            assertThat(png).startsWith(0x89, 'P', 'N', 'G');
        }
        try (var files = Files.list(output.resolve("images"))) {
            assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".png")))
                    .containsExactlyInAnyOrder(
                            "a%2Fb%20c.png",
                            "%5Fx.png",
                            "%C3%BC.png",
                            "x".repeat(150) + "-" + PromptRow.hash(large).substring(0, 16) + ".png");
        }
    }

    @Test
    void withoutKeysRowsAreKnownByWhatTheySay() {
        Dataset<Row> rows = prompts("k", "one").drop("key");
        String key = TomeBatch.of(SETTINGS).generate(rows).first().getAs("key");
        assertThat(key).hasSize(16);
        assertThat(TomeBatch.of(SETTINGS).generate(rows).first().<String>getAs("key"))
                .isEqualTo(key);
    }

    @Test
    void promptsThatCannotBeABatchAreRefusedBeforeAnyImage(@TempDir Path output) {
        TomeBatch batch = TomeBatch.of(SETTINGS);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> batch.run(prompts("a", "x", "a", "y"), output.toString(), Images.IN_TABLE))
                .withMessageContaining("'a' stands for 2 rows");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> batch.run(prompts(null, "x"), output.toString(), Images.IN_TABLE))
                .withMessageContaining("no key");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> batch.generate(prompts("a", "x").withColumnRenamed("prompt", "text")))
                .withMessageContaining("no column 'prompt'");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        batch.generate(prompts("a", "x").withColumn("sead", org.apache.spark.sql.functions.lit(1))))
                .withMessageContaining("sead")
                .withMessageContaining("num_inference_steps");
        assertThat(output).isEmptyDirectory();
    }

    @Test
    void aFolderHoldsTheImagesOfOneKindOfSettings(@TempDir Path output) {
        TomeBatch.of(SETTINGS).run(prompts("a", "one"), output.toString(), Images.IN_TABLE);
        TomeBatch other = TomeBatch.of(SETTINGS.option(Request.STEPS, 2));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> other.run(prompts("b", "two"), output.toString(), Images.IN_TABLE))
                .withMessageContaining("other settings")
                .withMessageContaining("num_inference_steps 2");
    }

    @Test
    void settingsThatCannotBeAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SETTINGS.dtype(DTypeChoice.AUTO))
                .withMessageContaining("auto");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SETTINGS.option("num_images_per_prompt", "2"))
                .withMessageContaining("num_inference_steps");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SETTINGS.option("width", "7"))
                .withMessageContaining("multiple of 8");
    }

    @Test
    void mergingTravelsAsItWasChosen() {
        for (ToMeOptions options : List.of(
                ToMeOptions.NONE,
                ToMeOptions.ratio(0.3).method(ToMeOptions.Method.TODO),
                ToMeOptions.ratio(0.3).mode(ToMeOptions.Mode.TOMESD).useRand(false),
                ToMeOptions.ratio(0.3).stride(4, 2).matchEvery(3).mergeMlp(true))) {
            assertThat(SETTINGS.merging(options).merging()).isEqualTo(options);
        }
    }
}
