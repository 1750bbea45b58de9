package io.tome4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** JBang's script and catalogue, without JBang: what they name is what is published, and the script starts the program. */
class JBangTest {
    private static final Path SCRIPT = Example.ROOT.resolve("jbang/tome.java");
    private static final Path CATALOG = Example.ROOT.resolve("jbang-catalog.json");

    @Test
    void scriptAndCatalogueNameArtifactsOfTheBomInTheVersionToBeReleased() throws Exception {
        String bom = Files.readString(Example.ROOT.resolve("bom/pom.xml"));
        String version = first("<version>([^<]*)-SNAPSHOT</version>|<version>([^<]*)</version>", bom)
                .map(match -> match.group(1) == null ? match.group(2) : match.group(1))
                .orElseThrow();
        String named = Files.readString(SCRIPT) + Files.readString(CATALOG);
        List<MatchResult> artifacts = Pattern.compile("io\\.tome4j:(tome4j-[a-z0-9_-]+):([0-9A-Za-z.-]+)")
                .matcher(named)
                .results()
                .toList();
        assertThat(artifacts).hasSize(5).allSatisfy(artifact -> {
            assertThat(bom).contains("<artifactId>" + artifact.group(1) + "</artifactId>");
            assertThat(artifact.group(2)).isEqualTo(version);
        });
        assertThat(first("\"script-ref\": \"([^\"]*)\"", Files.readString(CATALOG))
                        .map(match -> match.group(1)))
                .contains("jbang/tome.java");
    }

    private static Optional<MatchResult> first(String pattern, String text) {
        return Pattern.compile(pattern).matcher(text).results().findFirst();
    }

    @Test
    void theScriptStartsTheProgram() throws Exception {
        Process java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        SCRIPT.toString(),
                        "generate",
                        "--help")
                .redirectErrorStream(true)
                .start();
        String output = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(java.waitFor()).as(output).isZero();
        assertThat(output).contains("--steps");
    }
}
