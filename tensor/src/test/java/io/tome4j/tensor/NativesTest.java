package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;

class NativesTest {
    private static final String PLATFORM = Loader.getPlatform();

    @Test
    void whereTheNativesAreMissingTheErrorNamesTheArtifactAndTheLinesToAdd() throws Exception {
        assertThat(startedWithout(jar -> jar.contains(PLATFORM)))
                .contains("The native libraries of PyTorch for " + PLATFORM + " are not on the class path")
                .contains("<artifactId>tome4j-natives-" + PLATFORM + "</artifactId>")
                .contains("runtimeOnly 'io.tome4j:tome4j-natives-" + PLATFORM + ":");
    }

    @Test
    void nativesOfPyTorchAloneAreNotAllNatives() throws Exception {
        assertThat(startedWithout(jar -> jar.startsWith("openblas-") && jar.contains(PLATFORM)))
                .contains("Add the artifact tome4j-natives-" + PLATFORM);
    }

    @Test
    void whereTheNativesAreThereTheEngineStarts() throws Exception {
        assertThat(startedWithout(jar -> false)).contains("started");
    }

    /** What a program says that starts the engine without some of the jars. */
    private static String startedWithout(Predicate<String> left) throws Exception {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !left.test(Path.of(entry).getFileName().toString()))
                .collect(Collectors.joining(File.pathSeparator));
        Process java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        classPath,
                        StartsTheEngine.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        java.waitFor();
        return output;
    }

    /** A user's program. */
    static final class StartsTheEngine {
        private StartsTheEngine() {}

        public static void main(String[] args) {
            try {
                Engine.start();
                System.out.println("started");
            } catch (TomeException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
