package io.tome4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.fixtures.Fixtures;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.spark.launcher.JavaModuleOptions;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * 200 prompts with executors in processes of their own, killed and started again. Takes minutes: {@code mvn -B test -pl spark
 * -am -Dtest=KilledBatchTest -Dsurefire.failIfNoSpecifiedTests=false -Dtest.argLine=-Dtome4j.long=true}.
 */
@EnabledIfSystemProperty(named = "tome4j.long", matches = "true")
class KilledBatchTest {
    private static final int PROMPTS = 200;

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

        long start = System.nanoTime();
        assertThat(batch(prompts, "whole", 1).waitFor()).isZero();
        double one = seconds(start);

        Process killed = batch(prompts, "killed", 2);
        while (tables("killed") < 2 && killed.isAlive()) { // two waves of five are published
            TimeUnit.MILLISECONDS.sleep(100);
        }
        assertThat(killed.isAlive()).isTrue();
        List<ProcessHandle> executors = killed.descendants().toList();
        killed.destroyForcibly().waitFor(); // kill -9
        executors.forEach(ProcessHandle::destroyForcibly);
        Map<String, byte[]> half = images("killed");
        start = System.nanoTime();
        assertThat(batch(prompts, "killed", 2).waitFor()).isZero();
        double rest = seconds(start);

        start = System.nanoTime();
        assertThat(batch(prompts, "two", 2).waitFor()).isZero();
        double two = seconds(start);

        Map<String, byte[]> whole = images("whole");
        Map<String, byte[]> resumed = images("killed");
        assertThat(half.size()).isPositive().isLessThan(PROMPTS);
        assertThat(executors).hasSizeGreaterThanOrEqualTo(2);
        assertThat(whole).hasSize(PROMPTS);
        for (Map<String, byte[]> other : List.of(resumed, images("two"))) {
            assertThat(other.keySet()).isEqualTo(whole.keySet());
            other.forEach((key, png) -> assertThat(png).as(key).isEqualTo(whole.get(key)));
        }
        System.out.printf(
                "%d prompts: 1 executor %.1f s, 2 executors %.1f s; killed with %d done by %d executors, the rest %.1f s%n",
                PROMPTS, one, two, half.size(), executors.size(), rest);
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    private int tables(String name) throws Exception {
        Path table = folder.resolve(name).resolve("table");
        if (!Files.isDirectory(table)) {
            return 0;
        }
        try (var files = Files.list(table)) {
            return (int) files.map(file -> file.getFileName().toString())
                            .filter(file -> file.endsWith(".parquet"))
                            .count()
                    / 8; // tasks of a wave
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
            for (Row row : spark.read()
                    .parquet(folder.resolve(name).resolve("table").toString())
                    .collectAsList()) {
                assertThat(row.<String>getAs("error")).isNull();
                assertThat(images.put(row.getAs("key"), row.getAs("png"))).isNull();
            }
            return images;
        } finally {
            spark.stop();
        }
    }

    /** A driver with so many executors, each a process of its own. */
    private Process batch(Path prompts, String output, int executors) throws Exception {
        Path jars = folder.resolve("spark-home").resolve("jars"); // all that executors get on their class path
        Files.createDirectories(jars);
        String classPath = System.getProperty("java.class.path");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                Arrays.asList(JavaModuleOptions.defaultModuleOptions().trim().split("\\s+")));
        command.addAll(List.of(
                "-Xmx512m",
                "-Dspark.master=local-cluster[" + executors + ",1,1024]",
                "-Dspark.executor.extraClassPath=" + classPath,
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
                "--wave=40",
                "--partitions=8"));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new File(folder.toFile(), output + ".log")));
        builder.environment().put("SPARK_HOME", jars.getParent().toString());
        builder.environment().put("SPARK_SCALA_VERSION", "2.13"); // or Spark looks for its own build
        builder.environment().put("OMP_NUM_THREADS", "1");
        return builder.start();
    }
}
