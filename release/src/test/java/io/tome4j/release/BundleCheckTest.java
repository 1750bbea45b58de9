package io.tome4j.release;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each rule, by a bundle that breaks it and no other. */
class BundleCheckTest {
    /** A signature is what {@link TestBundle} takes for one. */
    private static final Signatures LENGTHS =
            (signature, data) -> new String(signature, StandardCharsets.US_ASCII).equals(String.valueOf(data.length));

    private static List<String> faults(TestBundle bundle) throws IOException {
        return BundleCheck.faults(bundle.bundle(), TestBundle.VERSION, Optional.of(LENGTHS));
    }

    private static void requireFault(TestBundle bundle, String words) throws IOException {
        assertThat(faults(bundle)).singleElement().asString().contains(words);
    }

    @Test
    void aBundleWithAllThatIsAskedForHasNoFaults() throws Exception {
        assertThat(faults(TestBundle.right())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<name>n</name><d|<d|has no name",
                "<description>d</description>||has no description",
                "<url>u</url><licenses>|<licenses>|has no url",
                "<name>l</name>||has no licenses/license/name",
                "<name>l</name><url>u</url>|<name>l</name>|has no licenses/license/url",
                "<name>d</name>||has no developers/developer/name",
                "<connection>c</connection>||has no scm/connection",
                "</connection><url>u</url>|</connection>|has no scm/url",
                "</project>|<profiles/></project>|has profiles",
                "</project>|<parent/></project>|has parent",
                "</project>|<repositories/></project>|has repositories",
                "<name>n</name>|<name>${n}</name>|not filled in",
                "<groupId>io.tome4j|<groupId>io.other|has the group 'io.other'",
                "<version>2|<version>2-SNAPSHOT|needs a snapshot of pytorch",
                "<version>2</version>||does not say which version of pytorch",
                "<version>2</version>|<version>2</version><scope>test</scope>|has the test dependency pytorch",
                "<version>2</version>|<version>2</version><classifier>linux-x86_64</classifier>|of the platform linux-x86_64"
            })
    void aPomSaysAllThatOthersNeedAndNoMore(String change) throws Exception {
        String[] parts = change.split("\\|", -1);
        TestBundle bundle = TestBundle.right().change(TestBundle.LIBRARY + ".pom", pom -> {
            assertThat(pom).contains(parts[0]);
            return pom.replace(parts[0], parts[1]);
        });
        requireFault(bundle, parts[2]);
    }

    @Test
    void sourcesJavadocSbomAndModuleNameAreThereAndNotEmpty() throws Exception {
        String library = TestBundle.LIBRARY;
        requireFault(TestBundle.right().withoutAll(library + "-sources"), "no jar of sources");
        requireFault(
                TestBundle.right().put(library + "-sources.jar", TestBundle.jar("", "A.txt")), "no jar of sources");
        requireFault(TestBundle.right().withoutAll(library + "-javadoc"), "no jar of Javadoc");
        requireFault(TestBundle.right().put(library + "-javadoc.jar", TestBundle.jar("", "A")), "no jar of Javadoc");
        requireFault(TestBundle.right().withoutAll(library + "-cyclonedx"), "no SBOM");
        requireFault(
                TestBundle.right().change(library + "-cyclonedx.json", json -> json.replace("tensor", "kernels")),
                "no SBOM");
        requireFault(TestBundle.right().put(library + ".jar", TestBundle.jar("", "A.class")), "has the module name ''");
        requireFault(TestBundle.right().put(library + ".jar", TestBundle.jar("tensor", "A")), "module name 'tensor'");
    }

    @Test
    void checksumsAndSignaturesAreThoseOfTheFile() throws Exception {
        String jar = TestBundle.LIBRARY + ".jar";
        requireFault(TestBundle.right().without(jar + ".md5"), ".jar.md5 is missing or wrong");
        requireFault(TestBundle.right().set(jar + ".sha1", "0".repeat(40)), ".jar.sha1 is missing or wrong");
        requireFault(TestBundle.right().without(jar + ".asc"), ".jar is not signed");
        requireFault(TestBundle.right().set(jar + ".asc", "1"), ".jar.asc is no signature of it");
        assertThat(BundleCheck.faults(
                        TestBundle.right().without(jar + ".asc").bundle(), TestBundle.VERSION, Optional.empty()))
                .isEmpty();
    }

    @Test
    void nativesAreOfTheirOwnPlatform() throws Exception {
        requireFault(
                TestBundle.right()
                        .change(
                                TestBundle.NATIVES + ".pom",
                                pom -> pom.replace("linux-x86_64</cl", "macosx-arm64</cl")),
                "of the platform macosx-arm64");
        requireFault(
                TestBundle.right()
                        .change(
                                TestBundle.NATIVES + ".pom",
                                pom -> pom.replace("linux-x86_64</cl", "linux-x86_64-gpu</cl")),
                "of the platform linux-x86_64-gpu");
        requireFault(TestBundle.right().withoutAll(TestBundle.NATIVES + ".jar"), "has no jar beside it");
    }

    @Test
    void theBomNamesWhatIsPublishedAndNothingElse() throws Exception {
        assertThat(faults(TestBundle.right().withoutAll(TestBundle.NATIVES)))
                .singleElement()
                .asString()
                .contains("names tome4j-natives-linux-x86_64, which is not in the bundle");
        requireFault(
                TestBundle.right()
                        .put(
                                "io/tome4j/tome4j-fixtures/1.2.3/tome4j-fixtures-1.2.3.pom",
                                TestBundle.pom("tome4j-fixtures", "pom", "")),
                "does not name it");
        requireFault(TestBundle.right().withoutAll(TestBundle.BOM), "There is no tome4j-bom");
    }

    @Test
    void filesLieWhereTheirCoordinatesSay() throws Exception {
        requireFault(
                TestBundle.right().put("io/tome4j/tome4j-tensor/maven-metadata.xml", "x"), "is no file of an artifact");
        requireFault(TestBundle.right().put("org/other/a/1.2.3/a-1.2.3.txt", "x"), "is no file of an artifact");
        requireFault(TestBundle.right().set(TestBundle.LIBRARY + ".txt.md5", "0"), "belongs to no file");
        assertThat(BundleCheck.faults(TestBundle.right().bundle(), "1.2.4", Optional.of(LENGTHS)))
                .anySatisfy(fault -> assertThat(fault).contains("in version 1.2.4"));
    }

    @Test
    void aZipIsReadAsItIs(@TempDir Path folder) throws Exception {
        Path zip = folder.resolve("bundle.zip");
        Bundle right = TestBundle.right().bundle();
        try (var out = new ZipOutputStream(Files.newOutputStream(zip))) {
            out.putNextEntry(new ZipEntry("io/"));
            for (var file : right.files().entrySet()) {
                out.putNextEntry(new ZipEntry(file.getKey()));
                out.write(file.getValue());
            }
        }
        assertThat(Bundle.read(zip).files().keySet()).isEqualTo(right.files().keySet());
        assertThat(BundleCheck.faults(Bundle.read(zip), TestBundle.VERSION, Optional.of(LENGTHS)))
                .isEmpty();
    }
}
