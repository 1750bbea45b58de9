package io.tome4j.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A local repository that holds what {@code mvn install} puts there, and nothing else: a POM and a jar of each module. */
final class LocalRepository {
    private static final Pattern ARTIFACT =
            Pattern.compile("<artifactId>(tome4j-[^<]*)</artifactId>\\s*<version>([^<]*)<");

    private LocalRepository() {}

    static void fill(Path repository, Path root) throws IOException {
        if (Files.exists(repository)) {
            try (var files = Files.walk(repository)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
        try (var files = Files.walk(root, 4)) {
            for (Path pom : files.filter(file -> file.endsWith(Path.of("target", "published-pom.xml")))
                    .toList()) {
                install(pom, repository, root);
            }
        }
    }

    private static void install(Path pom, Path repository, Path root) throws IOException {
        Matcher artifact = ARTIFACT.matcher(Files.readString(pom));
        if (!artifact.find()
                || artifact.group(1)
                        .matches("tome4j-(fixtures|benchmarks|examples-test|distribution|container|natives)")) {
            return;
        }
        String file = artifact.group(1) + "-" + artifact.group(2);
        Path folder = repository.resolve("io/tome4j").resolve(artifact.group(1)).resolve(artifact.group(2));
        Files.createDirectories(folder);
        Files.copy(pom, folder.resolve(file + ".pom"));
        Path jar = artifact.group(1).startsWith("tome4j-natives-")
                ? root.resolve("natives/target/readme-only.jar")
                : pom.resolveSibling(file + ".jar");
        if (Files.exists(jar)) {
            Files.copy(jar, folder.resolve(file + ".jar"));
        }
    }
}
