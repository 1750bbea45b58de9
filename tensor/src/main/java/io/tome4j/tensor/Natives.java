package io.tome4j.tensor;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Properties;
import org.bytedeco.javacpp.Loader;

/** The artifacts with native libraries, one a platform, and what to say where none of them is there. */
final class Natives {
    private static final List<String> PLATFORMS = List.of("linux-x86_64", "macosx-arm64", "windows-x86_64");
    private static final String CUDA_PLATFORM = "linux-x86_64";

    private Natives() {}

    /** Why libtorch cannot be had: there is nothing for this platform, its artifact is missing, or it does not load. */
    static TomeException failure(LinkageError cause) {
        String platform = Loader.getPlatform();
        String message;
        if (!PLATFORMS.contains(platform)) {
            message = "There are no native libraries of PyTorch for " + platform + ". tome4j runs on "
                    + String.join(", ", PLATFORMS) + ".";
        } else if (areThere(platform) || areThere(platform + "-gpu")) {
            message = "The native libraries of PyTorch are on the class path, and could not be loaded on " + platform
                    + " ("
                    + Engine.firstLine(String.valueOf(cause.getMessage()))
                    + "). Linux needs glibc 2.34 or later (Debian 12, Ubuntu 22.04, RHEL 9); musl (Alpine) will not do.";
        } else {
            message =
                    "The native libraries of PyTorch for " + platform + " are not on the class path. Add the artifact "
                            + name(platform) + ".\n" + howToAdd(name(platform));
        }
        return new TomeException(message, cause);
    }

    /** What to do for CUDA, as the rest of a sentence. */
    static String forCuda() {
        return CUDA_PLATFORM.equals(Loader.getPlatform())
                ? "take the artifact " + name(CUDA_PLATFORM + "-gpu") + " instead of " + name(CUDA_PLATFORM)
                        + " (the program: TOME_MAVEN_OPTIONS=-Pgpu ./tome ...)"
                : "there are others for " + CUDA_PLATFORM + " alone";
    }

    private static String name(String platform) {
        return "tome4j-natives-" + platform;
    }

    private static String howToAdd(String artifact) {
        String version = version();
        return "Maven:  <dependency><groupId>io.tome4j</groupId><artifactId>" + artifact + "</artifactId><version>"
                + version + "</version></dependency>\nGradle: runtimeOnly 'io.tome4j:" + artifact + ":" + version + "'";
    }

    /** Whether the class path holds all three: JavaCPP's own, OpenBLAS and PyTorch. */
    private static boolean areThere(String platform) {
        String cpu = platform.replace("-gpu", "");
        return holds("javacpp", cpu, "jnijavacpp")
                && holds("openblas", cpu, "jniopenblas")
                && holds("pytorch", platform, "jnitorch");
    }

    private static boolean holds(String module, String platform, String library) {
        String path = "org/bytedeco/" + module + "/" + platform + "/" + System.mapLibraryName(library);
        return Loader.class.getClassLoader().getResource(path) != null;
    }

    /** The version of this build; where classes are run from a folder, words that stand for it. */
    private static String version() {
        // Maven puts this file into the jar.
        try (InputStream in =
                Natives.class.getResourceAsStream("/META-INF/maven/io.tome4j/tome4j-tensor/pom.properties")) {
            if (in != null) {
                Properties properties = new Properties();
                properties.load(in);
                return properties.getProperty("version", "VERSION").strip();
            }
        } catch (IOException e) {
            // the version of tome4j: its user knows which
        }
        return "VERSION";
    }
}
