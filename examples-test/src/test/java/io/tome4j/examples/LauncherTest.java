package io.tome4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.condition.OS.WINDOWS;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code ./tome} on a copy of the repository that has not been built: packages, runs, and builds again where it must. The
 * classes of this build are copied along and not compiled again.
 */
@DisabledOnOs(WINDOWS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LauncherTest {
    /** What is no part of the repository, or of no use to the launcher. */
    private static final Set<String> LEFT_OUT =
            Set.of(".git", "repository", "surefire-reports", "app", "current", "test-classes", "examples");

    @TempDir
    static Path folder;

    private static Path home;

    @BeforeAll
    static void copy() throws IOException {
        home = folder.resolve("a copy");
        Files.walkFileTree(Example.ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) throws IOException {
                if (LEFT_OUT.contains(path.getFileName().toString())) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                Files.createDirectories(copyOf(path));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) throws IOException {
                boolean built = path.toString().contains("target");
                if (!LEFT_OUT.contains(path.getFileName().toString()) && !(built && isPackaged(path))) {
                    Files.copy(path, copyOf(path));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        assertThat(home.resolve("tome")).isExecutable();
    }

    private static boolean isPackaged(Path path) {
        return path.toString().endsWith(".jar") || path.endsWith("class-path");
    }

    private static Path copyOf(Path path) {
        return home.resolve(Example.ROOT.relativize(path).toString());
    }

    @Test
    @Order(1)
    void firstRunSaysThatItBuildsAndDraws() throws Exception {
        Path image = folder.resolve("apple.png");
        String output = run(0, "generate", "a red apple", "--steps", "1", "--seed", "1", "--out", image.toString());
        assertThat(output)
                .contains(
                        "not built yet",
                        "building tome4j",
                        "tome4j diffusion",
                        "built in",
                        "Model: the embedded",
                        image.toString());
        assertThat(ImageIO.read(image.toFile()).getWidth()).isEqualTo(512);
    }

    @Test
    @Order(2)
    void secondRunBuildsNothingFromWhereverItIsCalled() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("tome-link"), home.resolve("tome"));
        assertThat(runProgram(link, 0, "--version")).startsWith("tome4j ").doesNotContain("building");
    }

    @Test
    @Order(3)
    void changedSourcesAreBuiltBesideWhatRuns() throws Exception {
        List<Path> before = apps();
        FileTime later = FileTime.from(Instant.now().plusSeconds(2));
        Files.setLastModifiedTime(home.resolve("cli/pom.xml"), later);
        assertThat(run(0, "--version")).contains("the sources have changed; building", "tome4j 0.");
        assertThat(before).hasSize(1).allSatisfy(app -> assertThat(app.resolve("class-path"))
                .exists());
        assertThat(apps()).hasSize(2).containsAll(before);
    }

    @Test
    @Order(4)
    void failedBuildIsSaidAndWhatIsWrong() throws Exception {
        Path pom = home.resolve("cli/pom.xml");
        Files.writeString(pom, Files.readString(pom).replaceFirst("<dependencies>", "<dependenciez>"));
        Files.setLastModifiedTime(pom, FileTime.from(Instant.now().plusSeconds(4)));
        assertThat(run(1, "--version")).contains("[ERROR]", "The build failed; all of it is in ", "build.log");
        assertThat(home.resolve("cli/target/lock")).doesNotExist();
    }

    private static List<Path> apps() throws IOException {
        try (var apps = Files.list(home.resolve("cli/target/app"))) {
            return apps.toList();
        }
    }

    private static String run(int status, String... arguments) throws Exception {
        return runProgram(home.resolve("tome"), status, arguments);
    }

    private static String runProgram(Path program, int status, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output.txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        var environment = builder.environment();
        environment.put("PATH", Path.of(System.getProperty("tome4j.maven"), "bin") + ":" + environment.get("PATH"));
        environment.put("HF_HOME", folder.resolve("hub").toString());
        environment.put("OMP_NUM_THREADS", "1");
        // Nothing is fetched that the build running this test has not fetched, and nothing compiled that it has
        // compiled.
        environment.put(
                "TOME_MAVEN_OPTIONS",
                "-o -Dmaven.main.skip=true -Dmaven.repo.local=" + System.getProperty("tome4j.seed"));
        environment.remove("MAVEN_OPTS");
        int ended = builder.start().waitFor();
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(ended).as(text).isEqualTo(status);
        return text;
    }
}
