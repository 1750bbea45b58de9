package io.tome4j.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the build's container image says of itself and holds, and that what it holds runs. */
class ContainerTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path root; // what the layers put upon the base

    private static final Map<String, Integer> MODES = new TreeMap<>();
    private static JsonNode manifest;
    private static JsonNode config;

    @BeforeAll
    static void unpack() throws IOException {
        Path tar = Path.of(System.getProperty("tome4j.container"));
        Map<String, byte[]> documents = new TreeMap<>();
        try (TarArchiveInputStream in = new TarArchiveInputStream(new BufferedInputStream(Files.newInputStream(tar)))) {
            for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                if (entry.getName().endsWith(".json")) {
                    documents.put(entry.getName(), in.readAllBytes());
                } else {
                    unpackLayer(new GZIPInputStream(in));
                }
            }
        }
        manifest = JSON.readTree(documents.get("manifest.json")).get(0);
        config = JSON.readTree(documents.get(manifest.get("Config").asText()));
    }

    private static void unpackLayer(InputStream layer) throws IOException {
        TarArchiveInputStream in = new TarArchiveInputStream(layer); // the tar goes on after it: not to be closed
        for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
            Path file = root.resolve(entry.getName()).normalize();
            assertThat(file.startsWith(root)).as(entry.getName()).isTrue();
            MODES.put("/" + root.relativize(file), entry.getMode() & 0777);
            if (entry.isDirectory()) {
                Files.createDirectories(file);
            } else {
                Files.createDirectories(file.getParent());
                Files.copy(in, file);
            }
        }
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(each -> texts.add(each.asText()));
        return texts;
    }

    @Test
    void itSaysHowItRunsAndAsWhom() {
        assertThat(texts(manifest.get("RepoTags")))
                .contains("tome4j:latest", "tome4j:" + System.getProperty("tome4j.version"));
        assertThat(config.get("os").asText()).isEqualTo("linux");
        assertThat(config.get("architecture").asText()).isEqualTo("amd64");
        JsonNode runs = config.get("config");
        assertThat(texts(runs.get("Entrypoint")))
                .startsWith("java")
                .contains("-cp", "@/app/jib-classpath-file", "-Duser.home=/cache")
                .endsWith("io.tome4j.cli.Tome");
        assertThat(texts(runs.get("Cmd"))).containsExactly("serve", "--host", "0.0.0.0");
        assertThat(runs.get("User").asText()).isEqualTo("10001:10001");
        assertThat(runs.get("ExposedPorts").has("7860/tcp")).isTrue();
        assertThat(runs.get("Volumes").has("/cache")).isTrue();
        assertThat(texts(runs.get("Env"))).contains("HF_HOME=/cache/huggingface", "DJL_CACHE_DIR=/cache/djl");
        assertThat(runs.at("/Labels/org.opencontainers.image.version").asText())
                .isEqualTo(System.getProperty("tome4j.version"));
        assertThat(runs.at("/Labels/org.opencontainers.image.licenses").asText())
                .isEqualTo("Apache-2.0");
    }

    @Test
    void anyUserMayWriteIntoTheVolumeAndNowhereElse() {
        assertThat(MODES).containsEntry("/cache", 0777);
        MODES.forEach((file, mode) ->
                assertThat(file.equals("/cache") ? 0 : mode & 022).as(file).isZero());
    }

    @Test
    void allThatIsOnItsClassPathIsInIt() throws IOException {
        String classPath = Files.readString(root.resolve("app/jib-classpath-file"));
        List<String> jars = List.of(classPath.split(":"));
        assertThat(jars).anyMatch(jar -> jar.matches(".*/pytorch-[\\d.-]+-linux-x86_64\\.jar"));
        assertThat(jars).noneMatch(jar -> jar.contains("macosx") || jar.contains("windows") || jar.contains("junit"));
        for (String jar : jars) {
            if (jar.endsWith(".jar")) {
                assertThat(root.resolve(jar.substring(1))).isRegularFile();
            }
        }
    }

    /** As the image has it, with this machine's Java, and its folders where they were unpacked. */
    @Test
    void whatItStartsServes(@TempDir Path cache) throws Exception {
        assumeThat(System.getProperty("os.name") + " " + System.getProperty("os.arch"))
                .isEqualTo("Linux amd64");
        Path classPath = Files.writeString(
                cache.resolve("class-path"),
                Files.readString(root.resolve("app/jib-classpath-file")).replace("/app/", root + "/app/"));
        List<String> command = new ArrayList<>();
        for (String word : texts(config.at("/config/Entrypoint"))) {
            command.add(
                    word.replace("@/app/jib-classpath-file", "@" + classPath).replace("/cache", cache.toString()));
        }
        command.set(0, ProcessHandle.current().info().command().orElse("java"));
        command.addAll(texts(config.at("/config/Cmd")));
        command.addAll(List.of("--port", "0"));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectError(cache.resolve("err").toFile());
        for (String variable : texts(config.at("/config/Env"))) {
            String[] pair = variable.split("=", 2);
            builder.environment().put(pair[0], pair[1].replace("/cache", cache.toString()));
        }
        builder.environment().put("TOME_TOKEN", "a-long-secret");
        builder.environment().put("OMP_NUM_THREADS", "1");
        Process process = builder.start();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            String line = out.readLine();
            assertThat(line).as(Files.readString(cache.resolve("err"))).startsWith("Listening on http://0.0.0.0:");
            String port = line.substring(line.lastIndexOf(':') + 1);
            HttpClient http = HttpClient.newHttpClient();
            HttpRequest health = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/healthz"))
                    .build();
            assertThat(http.send(health, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
            process.destroy(); // SIGTERM, as a container is stopped
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
    }
}
