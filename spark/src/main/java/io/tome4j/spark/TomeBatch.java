package io.tome4j.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.to_json;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * Images of many prompts on a Spark cluster; also the main class for {@code spark-submit}.
 *
 * <pre>{@code
 * BatchSettings settings = BatchSettings.of("stable-diffusion-v1-5/stable-diffusion-v1-5").dtype(DTypeChoice.BF16);
 * TomeBatch.of(settings).run(spark.read().parquet("prompts"), "images", TomeBatch.Images.IN_TABLE);
 * }</pre>
 *
 * <p>Prompts are rows with the column {@code prompt}, a {@code key} that is theirs alone (without one it is drawn from all
 * that the row says), and any option of a request by its name, such as {@code negative_prompt} or {@code seed}; a null is
 * the settings' own. Images are rows {@code key, seed, png | file, parameters, seconds, error}. The same row gives the same
 * image whatever the cluster looks like; a row that cannot be made has an {@code error} and no image.
 */
public final class TomeBatch {
    /** Where the images themselves go. */
    public enum Images {
        /** Into the column {@code png} of the table. */
        IN_TABLE,
        /** Into PNG files named by their keys; the table's column {@code file} names them. */
        AS_FILES
    }

    private static final int USUAL_WAVE = 400;
    private static final int TASKS_A_SLOT = 4;

    private final BatchSettings settings;
    private final int wave;
    private final int partitions;

    private TomeBatch(BatchSettings settings, int wave, int partitions) {
        this.settings = settings;
        this.wave = wave;
        this.partitions = partitions;
    }

    /** A batch with waves of 400 images, in four tasks for each task that can run at once. */
    public static TomeBatch of(BatchSettings settings) {
        return new TomeBatch(settings, USUAL_WAVE, 0);
    }

    /** How many images are made and written together, at least 1: what a killed run loses at most. */
    public TomeBatch wave(int images) {
        if (images < 1) {
            throw new IllegalArgumentException("A wave has " + images + " images: it needs at least 1");
        }
        return new TomeBatch(settings, images, partitions);
    }

    /** How many tasks a wave is cut into, at least 1. */
    public TomeBatch partitions(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("There are " + count + " partitions: there must be at least 1");
        }
        return new TomeBatch(settings, wave, count);
    }

    /**
     * The images of prompts as a dataset, made when it is used, and made again each time it is: for many, {@link #run}.
     *
     * @return rows of {@code key, seed, png, parameters, seconds, error}
     * @throws IllegalArgumentException if there is no prompt, or a column that no image is made of
     */
    public Dataset<Row> generate(Dataset<Row> prompts) {
        return made(keyed(prompts), null);
    }

    /**
     * Makes the images that a folder does not have yet, wave by wave, each written as a whole. A run that was killed goes on
     * there: nothing is made twice and nothing is lost but the wave that it was in.
     *
     * <ol>
     *   <li>What a killed run left unfinished goes away; only one run at a time may have the folder.
     *   <li>Keys must be there, and each once; the settings must be those of the run before.
     *   <li>Then, until none is left: the next prompts whose keys the table does not have, made, and appended to the table.
     * </ol>
     *
     * @param output a folder on any file system that Hadoop knows; {@code table} and, with {@link Images#AS_FILES},
     *     {@code images} are made in it
     * @return how many rows were added
     * @throws IllegalArgumentException if the prompts have no prompt, a column that no image is made of, no key or a key
     *     twice, or the folder's images were made with other settings
     */
    public long run(Dataset<Row> prompts, String output, Images images) {
        SparkSession spark = prompts.sparkSession();
        Dataset<Row> keyed = keyed(prompts).cache();
        try {
            requireKeys(keyed);
            BatchFolder folder = new BatchFolder(output, images, spark);
            folder.claim(settings);
            long added = 0;
            while (true) {
                List<Row> next = keyed.join(
                                folder.keys(), keyed.col(Columns.KEY).equalTo(col("done")), "left_anti")
                        .limit(wave)
                        .collectAsList();
                if (next.isEmpty()) {
                    return added;
                }
                Dataset<Row> rows = spark.createDataFrame(next, keyed.schema());
                made(rows.repartition(tasks(spark, next.size())), folder.imageFolder())
                        .write()
                        .mode(SaveMode.Append)
                        .option("compression", "uncompressed") // PNG does not get smaller
                        .option("parquet.enable.dictionary#png", "false")
                        .parquet(folder.table());
                added += next.size();
            }
        } finally {
            keyed.unpersist();
        }
    }

    private Dataset<Row> made(Dataset<Row> keyed, @Nullable ImageFolder folder) {
        return keyed.mapPartitions(new ImageTask(settings, folder), Encoders.row(Columns.images(folder != null)));
    }

    private int tasks(SparkSession spark, int images) {
        if (partitions > 0) {
            return partitions;
        }
        int cores = spark.sparkContext().defaultParallelism();
        int coresATask = spark.sparkContext().conf().getInt("spark.task.cpus", 1);
        return Math.min(images, Math.max(1, cores / coresATask) * TASKS_A_SLOT);
    }

    private static Dataset<Row> keyed(Dataset<Row> prompts) {
        Columns.require(prompts.schema());
        if (Arrays.asList(prompts.columns()).contains(Columns.KEY)) {
            return prompts.withColumn(Columns.KEY, col(Columns.KEY).cast("string"));
        }
        Column[] all =
                Arrays.stream(prompts.columns()).sorted().map(functions::col).toArray(Column[]::new);
        return prompts.withColumn(Columns.KEY, substring(sha2(to_json(struct(all)), 256), 1, 16));
    }

    private static void requireKeys(Dataset<Row> keyed) {
        List<Row> wrong = keyed.groupBy(Columns.KEY)
                .count()
                .filter(col(Columns.KEY).isNull().or(col("count").gt(1)))
                .limit(1)
                .collectAsList();
        if (!wrong.isEmpty()) {
            Row first = wrong.get(0);
            throw new IllegalArgumentException(
                    first.isNullAt(0)
                            ? first.getLong(1) + " rows have no key"
                            : "The key '" + first.getString(0) + "' stands for " + first.getLong(1)
                                    + " rows: give each a key of its own; without a column 'key' it is drawn from the row, and"
                                    + " rows that say the same are one image");
        }
    }

    /** {@code spark-submit --class io.tome4j.spark.TomeBatch ...}; {@code --help} says what it takes. */
    public static void main(String[] args) {
        int status = new CommandLine(new BatchCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args);
        if (status != 0) {
            System.exit(status); // not otherwise: YARN takes any call for a failure
        }
    }
}
