package io.tome4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.fixtures.Fixtures;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.launcher.JavaModuleOptions;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * A batch with executors in processes of their own, killed in the middle of a wave and started again. A small one always;
 * one of 200 prompts, which takes minutes, with {@code mvn -B test -pl spark -am -Dtest=KilledBatchTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dtest.argLine="-Xmx1g -Dtome4j.long=true"}.
 */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "Hadoop needs programs of its own there")
class KilledBatchTest {
    private static final boolean LONG = Boolean.getBoolean("tome4j.long");
    private static final int PROMPTS = LONG ? 200 : 16;
    private static final int WAVE = LONG ? 40 : 4;
    private static final int PARTITIONS = LONG ? 8 : 4;

    /** So many waves are published before the run is killed in the next. */
    private static final int WAVES_BEFORE = LONG ? 2 : 1;

    /** The job that wrote it names each file of a table. */
    private static final Pattern JOB = Pattern.compile("part-\\d+-([0-9a-f-]{36})-.*\\.parquet");

    @TempDir
    Path folder;

    @Test
    void aKilledRunStartedAgainGivesWhatAnUninterruptedOneGivesWhateverTheNumberOfExecutors() throws Exception {
        Path prompts = folder.resolve("prompts.csv");
        List<String> lines = new ArrayList<>(List.of("key,prompt"));
        for (int i = 0; i < PROMPTS; i++) {
            lines.add("k" + i + ",a photo of " + i + " cats");
        }
        Files.write(prompts, lines);

        double one = timed(prompts, "whole", 1);
        Process killed = start(prompts, "killed", 2);
        while (killed.isAlive() && !isInTheMiddleOfAWave("killed")) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        List<ProcessHandle> executors = killed.descendants().toList();
        killed.destroyForcibly().waitFor(); // kill -9
        executors.forEach(ProcessHandle::destroyForcibly);
        int published = waves("killed");
        double rest = timed(prompts, "killed", 2);

        assertThat(executors).hasSizeGreaterThanOrEqualTo(2);
        assertThat(published).isGreaterThanOrEqualTo(WAVES_BEFORE).isLessThan(PROMPTS / WAVE);
        assertThat(waves("killed")).isEqualTo(PROMPTS / WAVE); // what was published was not made again
        Map<String, byte[]> whole = images("whole");
        assertThat(whole).hasSize(PROMPTS);
        requireSame(images("killed"), whole);
        if (LONG) {
            double two = timed(prompts, "two", 2);
            requireSame(images("two"), whole);
            System.out.printf(
                    "%d prompts: 1 executor %.1f s, 2 executors %.1f s; killed after %d of %d waves, the rest %.1f s%n",
                    PROMPTS, one, two, published, PROMPTS / WAVE, rest);
        }
    }

    private static void requireSame(Map<String, byte[]> actual, Map<String, byte[]> expected) {
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        actual.forEach((key, png) -> assertThat(png).as(key).isEqualTo(expected.get(key)));
    }

    private double timed(Path prompts, String output, int executors) throws Exception {
        long start = System.nanoTime();
        assertThat(start(prompts, output, executors).waitFor())
                .as("see " + folder.resolve(output + ".log"))
                .isZero();
        return (System.nanoTime() - start) / 1e9;
    }

    /** Some waves are published, and some images of the next are written that are not. */
    private boolean isInTheMiddleOfAWave(String name) throws IOException {
        Path unpublished = table(name).resolve("_temporary/0");
        if (waves(name) < WAVES_BEFORE || !Files.isDirectory(unpublished)) {
            return false;
        }
        try (var tasks = Files.list(unpublished)) {
            return tasks.anyMatch(task -> task.getFileName().toString().startsWith("task_"));
        } catch (IOException e) {
            return false; // published between the two looks
        }
    }

    private Path table(String name) {
        return folder.resolve(name).resolve("table");
    }

    private int waves(String name) throws IOException {
        if (!Files.isDirectory(table(name))) {
            return 0;
        }
        try (var files = Files.list(table(name))) {
            return (int) files.map(file -> JOB.matcher(file.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(file -> file.group(1))
                    .distinct()
                    .count();
        }
    }

    /** Each key once, or the assertion fails. */
    private Map<String, byte[]> images(String name) {
        SparkSession spark = SparkSession.builder()
                .master("local[1]")
                .config("spark.ui.enabled", "false")
                .getOrCreate();
        try {
            Map<String, byte[]> images = new TreeMap<>();
            for (Row row : spark.read().parquet(table(name).toString()).collectAsList()) {
                assertThat(row.<String>getAs("error")).isNull();
                assertThat(images.put(row.getAs("key"), row.getAs("png"))).isNull();
            }
            return images;
        } finally {
            spark.stop();
        }
    }

    /** A driver with so many executors, each a process of its own. */
    private Process start(Path prompts, String output, int executors) throws Exception {
        Path jars = folder.resolve("spark-home").resolve("jars"); // all that executors get on their class path
        Files.createDirectories(jars);
        String classPath = System.getProperty("java.class.path");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                Arrays.asList(JavaModuleOptions.defaultModuleOptions().trim().split("\\s+")));
        command.addAll(List.of(
                "-Xmx512m",
                "-XX:TieredStopAtLevel=1",
                "-Dspark.master=local-cluster[" + executors + ",1,1024]",
                "-Dspark.executor.extraClassPath=" + classPath,
                "-Dspark.executor.extraJavaOptions=-XX:TieredStopAtLevel=1",
                "-Dspark.ui.enabled=false",
                "-Dspark.sql.shuffle.partitions=1",
                "-cp",
                classPath,
                TomeBatch.class.getName(),
                "--input",
                prompts.toString(),
                "--output",
                folder.resolve(output).toString(),
                "--model",
                Fixtures.path("tiny-sd1").toString(),
                "--option=num_inference_steps=2",
                "--option=width=64",
                "--option=height=64",
                "--merging=ratio=0.5",
                "--wave=" + WAVE,
                "--partitions=" + PARTITIONS));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new File(folder.toFile(), output + ".log")));
        builder.environment().put("SPARK_HOME", jars.getParent().toString());
        builder.environment().put("SPARK_SCALA_VERSION", "2.13"); // or Spark looks for its own build
        builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        builder.environment().put("OMP_NUM_THREADS", "1");
        return builder.start();
    }
}
