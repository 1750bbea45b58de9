package io.tome4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A project of examples/, copied away so that nothing of this repository is near it. */
final class Example {
    static final Path ROOT = Path.of(System.getProperty("tome4j.root"));
    static final Path REPOSITORY = Path.of(System.getProperty("tome4j.repository"));
    static final String NATIVES = System.getProperty("tome4j.natives");
    private static final boolean WINDOWS = File.separatorChar == '\\';

    private final Path folder;

    private Example(Path folder) {
        this.folder = folder;
    }

    static Example copied(String name, Path under) throws IOException {
        Path source = ROOT.resolve("examples").resolve(name);
        Path target = under.resolve(name);
        try (var files = Files.walk(source)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = target.resolve(source.relativize(file).toString());
                Files.createDirectories(copy.resolveSibling("."));
                Files.copy(file, copy);
            }
        }
        return new Example(target);
    }

    /** Runs Maven with the repository of this build, and what it prints if it succeeds. */
    String maven(String... arguments) throws Exception {
        String program = Path.of(System.getProperty("tome4j.maven"), "bin", WINDOWS ? "mvn.cmd" : "mvn")
                .toString();
        List<String> command = new ArrayList<>(List.of(
                program,
                "-B",
                "-q",
                "-s",
                settings().toString(),
                "-Dmaven.repo.local=" + REPOSITORY,
                "-Dnatives=" + NATIVES));
        command.addAll(List.of(arguments));
        return run(command);
    }

    String run(List<String> command) throws Exception {
        Path output = folder.resolve("output.txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("HF_HOME", folder.resolve("hub").toString());
        builder.environment().put("OMP_NUM_THREADS", "1");
        builder.environment().remove("MAVEN_OPTS");
        int status = builder.start().waitFor();
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(status).as(text).isZero();
        return text;
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    /**
     * The local repository is empty but for this build; what else a project needs is taken from the user's own, as from a
     * server, so that it is not downloaded again.
     */
    private Path settings() throws IOException {
        String seed = Path.of(System.getProperty("tome4j.seed")).toUri().toString();
        String repository = "<id>seed</id><url>" + seed + "</url>"
                + "<releases><checksumPolicy>ignore</checksumPolicy></releases><snapshots><enabled>false</enabled></snapshots>";
        return Files.writeString(
                folder.resolve("settings.xml"),
                "<settings><profiles><profile><id>seed</id>"
                        + "<repositories><repository>" + repository + "</repository></repositories>"
                        + "<pluginRepositories><pluginRepository>" + repository
                        + "</pluginRepository></pluginRepositories></profile></profiles>"
                        + "<activeProfiles><activeProfile>seed</activeProfile></activeProfiles></settings>");
    }
}
