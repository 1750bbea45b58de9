package io.tome4j.release;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script of the stand-alone zip, with a program in lib/ that says what it was given. */
@DisabledOnOs(OS.WINDOWS)
class ZipLauncherTest {
    private static final Path SCRIPT = Path.of(System.getProperty("tome4j.root"), "distribution/src/zip/bin/tome");

    @TempDir
    Path folder;

    /** The script as the zip unpacks it, in a folder whose name has a space. */
    private Path unpacked() throws Exception {
        Path home = folder.resolve("tome4j 1");
        Path source = folder.resolve("Tome.java");
        Files.writeString(
                source,
                """
                package io.tome4j.cli;
                public class Tome {
                    public static void main(String[] arguments) {
                        String said = String.join("|", arguments) + "|" + System.getProperty("tome4j.terminal")
                                + System.getProperty("asked", "");
                        System.out.writeBytes(said.getBytes(java.nio.charset.StandardCharsets.UTF_8));
                        System.out.flush();
                        System.exit(7);
                    }
                }
                """);
        assertThat(ToolProvider.getSystemJavaCompiler()
                        .run(null, null, null, "-d", folder.resolve("classes").toString(), source.toString()))
                .isZero();
        Path jar = home.resolve("lib/tome4j-cli.jar");
        Files.createDirectories(jar.getParent());
        Files.write(
                jar,
                TestBundle.jar(
                        "",
                        "io/tome4j/cli/Tome.class",
                        Files.readAllBytes(folder.resolve("classes/io/tome4j/cli/Tome.class"))));
        Path script = home.resolve("bin/tome");
        Files.createDirectories(script.getParent());
        Files.copy(SCRIPT, script, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        return script;
    }

    private static String run(Path script, List<String> environment, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("env", "-u", "LC_ALL", "-u", "LC_CTYPE", "-u", "LANG"));
        command.addAll(environment);
        command.add(script.toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() + ":" + output;
    }

    @Test
    void argumentsAndTheStatusPassUnchangedFromAnywhere() throws Exception {
        Path script = unpacked();
        assertThat(run(script, List.of(), "generate", "a \"red\" apple, *", ""))
                .isEqualTo("7:generate|a \"red\" apple, *||false");
        Path link = Files.createSymbolicLink(folder.resolve("tome"), script);
        assertThat(run(link, List.of(), "x")).isEqualTo("7:x|false");
    }

    @Test
    void promptsBeyondAsciiPassWithoutALocale() throws Exception {
        Path script = unpacked();
        // what a process is given here depends on this JVM's own locale, so a shell writes it
        Path caller = folder.resolve("caller");
        Files.writeString(caller, "#!/bin/sh\nexec \"" + script + "\" \"$(printf '\\303\\244pfel')\"\n");
        assertThat(caller.toFile().setExecutable(true)).isTrue();
        assertThat(run(caller, List.of())).isEqualTo("7:äpfel|false");
    }

    @Test
    void optionsForTheJvmComeFromTheEnvironment() throws Exception {
        assertThat(run(unpacked(), List.of("TOME_JAVA_OPTIONS=-Xmx64m -Dasked=yes")))
                .isEqualTo("7:|falseyes");
    }

    @Test
    void anOldJavaIsNamed() throws Exception {
        Path java = folder.resolve("old/bin/java");
        Files.createDirectories(java.getParent());
        Files.copy(
                new ByteArrayInputStream(
                        "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n".getBytes(StandardCharsets.UTF_8)),
                java);
        assertThat(java.toFile().setExecutable(true)).isTrue();
        assertThat(run(unpacked(), List.of("JAVA_HOME=" + folder.resolve("old"))))
                .startsWith("1:")
                .contains("is Java 11", "version 17");
    }
}
