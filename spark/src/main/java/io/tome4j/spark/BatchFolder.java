package io.tome4j.spark;

import io.tome4j.spark.TomeBatch.Images;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** The folder that a batch fills: a table, perhaps images, and what they are made with. */
final class BatchFolder {
    private static final String SETTINGS = "settings.txt";

    private final Path folder;
    private final Images images;
    private final SparkSession spark;
    private final Configuration configuration;

    BatchFolder(String folder, Images images, SparkSession spark) {
        this.folder = new Path(folder);
        this.images = images;
        this.spark = spark;
        this.configuration = spark.sparkContext().hadoopConfiguration();
    }

    String table() {
        return new Path(folder, "table").toString();
    }

    /** Where PNG files go; null if they are in the table. */
    @Nullable
    ImageFolder imageFolder() {
        return images == Images.AS_FILES ? new ImageFolder(new Path(folder, "images").toString(), configuration) : null;
    }

    /**
     * Makes the folder ready for a run: tasks that a killed one had finished in a wave that it had not must not be taken for
     * ours when the next wave is published.
     *
     * @throws IllegalArgumentException if the images there were made with other settings
     */
    void claim(BatchSettings settings) {
        String ours = "images " + images + "\n" + settings.describe();
        try {
            FileSystem files = folder.getFileSystem(configuration);
            files.delete(new Path(table(), "_temporary"), true);
            Path file = new Path(folder, SETTINGS);
            if (files.exists(file)) {
                String theirs = read(files, file);
                if (!theirs.equals(ours)) {
                    throw new IllegalArgumentException(
                            "The images in " + folder + " were made with other settings: take another folder. There:\n"
                                    + theirs + "Now:\n" + ours);
                }
            } else {
                files.mkdirs(folder);
                Path part = new Path(folder, "_" + SETTINGS);
                try (FSDataOutputStream out = files.create(part, true)) {
                    out.write(ours.getBytes(StandardCharsets.UTF_8));
                }
                files.rename(part, file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("The folder " + folder + " cannot be used: " + e.getMessage(), e);
        }
    }

    private static String read(FileSystem files, Path file) throws IOException {
        try (FSDataInputStream in = files.open(file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The keys in the table, in the column {@code done}: nothing else of it is read. */
    Dataset<Row> keys() {
        StructType keys = new StructType().add(Columns.KEY, DataTypes.StringType);
        Dataset<Row> there = isEmpty()
                ? spark.createDataFrame(List.<Row>of(), keys)
                : spark.read().schema(keys).parquet(table());
        return there.select(functions.col(Columns.KEY).as("done"));
    }

    private boolean isEmpty() {
        try {
            Path table = new Path(table());
            FileSystem files = table.getFileSystem(configuration);
            return !files.exists(table)
                    || Arrays.stream(files.listStatus(table))
                            .noneMatch(file -> file.getPath().getName().endsWith(".parquet"));
        } catch (IOException e) {
            throw new UncheckedIOException("The table in " + folder + " cannot be read: " + e.getMessage(), e);
        }
    }
}
