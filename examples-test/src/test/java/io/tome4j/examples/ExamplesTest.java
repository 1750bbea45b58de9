package io.tome4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tome4j.fixtures.Fixtures;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** What examples/ and docs/java.md say works, from an empty local repository. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class) // what Gradle needs is there after Maven has run
class ExamplesTest {
    private static final String TINY = Fixtures.path("tiny-sd1").toString();

    @TempDir
    Path folder;

    @BeforeAll
    static void install() throws Exception {
        LocalRepository.fill(Example.REPOSITORY, Example.ROOT);
    }

    @Test
    @Order(2)
    void plainJavaDrawsWithTheEmbeddedModel() throws Exception {
        Example example = Example.copied("plain-java", folder);
        String output = example.maven("compile", "exec:java", "-Dexec.args='a red apple' apple.png");
        assertThat(output).contains("blocks merge").contains("ratio 0.5");
        requireImage(example.file("apple.png"), 512, "a red apple", "Token merging ratio: 0.5");
    }

    @Test
    @Order(3)
    void gradleTakesTheSameArtifacts() throws Exception {
        Path gradle = Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(path -> Path.of(path, "gradle"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
        assumeTrue(gradle != null, "there is no Gradle here");
        Example example = Example.copied("gradle", folder);
        String output = example.run(List.of(
                gradle.toString(),
                "--no-daemon",
                "--console=plain",
                "--offline", // all is in the local repository since the test before
                "--project-cache-dir=" + folder.resolve("cache"),
                "-Dmaven.repo.local=" + Example.REPOSITORY,
                "-Dgradle.user.home=" + folder.resolve("gradle-home"),
                "-Pnatives=" + Example.NATIVES,
                "run"));
        assertThat(output).contains("blocks merge");
        requireImage(example.file("apple.png"), 512, "a red apple", "Token merging ratio: 0.5");
    }

    @Test
    @Order(4)
    void aTransformerOfOnesOwnSeesFewerTokens() throws Exception {
        String output = Example.copied("own-transformer", folder).maven("compile", "exec:java");
        assertThat(output).contains("attention sees 256 tokens").contains("merged, 128");
    }

    @Test
    @Order(5)
    void langChain4jDrawsAndEdits() throws Exception {
        Example example = Example.copied("langchain4j", folder);
        String output = example.maven(
                "compile", "exec:java", "-Dexec.args='" + TINY + "' 'a red apple' apple.png 'a green apple' green.png");
        assertThat(output).contains("Seed: 42");
        requireImage(example.file("green.png"), 128, "a green apple", "Denoising strength: 0.8");
        requireImage(example.file("apple.png"), 128, "a red apple", "Token merging ratio: 0.5");
    }

    @Test
    @Order(6)
    void springBootDraws() throws Exception {
        Example example = Example.copied("spring-boot", folder);
        Files.writeString(
                example.file("src/main/resources/application.properties"),
                "\ntome4j.model=" + TINY.replace("\\", "/") + "\nspring.ai.tome4j.image.steps=2\n",
                java.nio.file.StandardOpenOption.APPEND);
        String output = example.maven("compile", "exec:java", "-Dexec.args='a red apple' apple.png");
        assertThat(output).contains("ratio 0.5");
        requireImage(example.file("apple.png"), 128, "a red apple", "Seed: 42");
    }

    @Test
    @Order(7)
    void sparkDrawsMany() throws Exception {
        Example example = Example.copied("spark", folder);
        Path images = folder.resolve("out");
        assertThat(example.maven("compile", "exec:exec", "-Dmodel=" + TINY, "-Doutput=" + images))
                .contains("3 images added");
        requireImage(images.resolve("images/a%20red%20apple.png"), 128, "a red apple", "Token merging ratio: 0.5");
    }

    @Test
    @Order(1)
    void noInstalledPomDependsOnTheMachineThatBuiltIt() throws Exception {
        try (var files = Files.walk(Example.REPOSITORY)) {
            List<Path> poms =
                    files.filter(file -> file.toString().endsWith(".pom")).toList();
            assertThat(poms).hasSizeGreaterThan(15).allSatisfy(pom -> {
                String text = Files.readString(pom);
                String name = pom.getFileName().toString();
                assertThat(text).doesNotContain("<parent>", "<profile>", "${native");
                assertThat(text).contains("<name>", "<description>", "<url>", "<license>", "<developer>", "<scm");
                if (!name.startsWith("tome4j-natives-") && !name.startsWith("tome4j-bom")) {
                    assertThat(text).as(name).doesNotContain("<classifier>", "tome4j-natives");
                }
            });
        }
    }

    private static void requireImage(Path png, int side, String... parameters) throws Exception {
        var image = ImageIO.read(png.toFile());
        assertThat(image.getWidth()).isEqualTo(side);
        assertThat(image.getHeight()).isEqualTo(side);
        assertThat(Files.readString(png, StandardCharsets.ISO_8859_1)).contains(parameters);
    }
}
