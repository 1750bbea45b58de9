package io.tome4j.release;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** A bundle of a BOM, a library and natives, with nothing wrong; and ways to spoil it. */
final class TestBundle {
    static final String VERSION = "1.2.3";
    static final String LIBRARY = "io/tome4j/tome4j-tensor/1.2.3/tome4j-tensor-1.2.3";
    static final String NATIVES = "io/tome4j/tome4j-natives-linux-x86_64/1.2.3/tome4j-natives-linux-x86_64-1.2.3";
    static final String BOM = "io/tome4j/tome4j-bom/1.2.3/tome4j-bom-1.2.3";

    private final Map<String, byte[]> files = new TreeMap<>();

    static TestBundle right() throws IOException {
        TestBundle bundle = new TestBundle();
        String tensor = dependency("io.tome4j", "tome4j-tensor", "1.2.3", "");
        String natives = dependency("io.tome4j", "tome4j-natives-linux-x86_64", "1.2.3", "");
        bundle.put(
                BOM + ".pom",
                pom(
                        "tome4j-bom",
                        "pom",
                        "<dependencyManagement><dependencies>" + tensor + natives
                                + "</dependencies></dependencyManagement>"));
        bundle.put(
                NATIVES + ".pom",
                pom(
                        "tome4j-natives-linux-x86_64",
                        "pom",
                        "<dependencies>" + dependency("org.bytedeco", "pytorch", "2", "linux-x86_64")
                                + "</dependencies>"));
        bundle.put(NATIVES + ".jar", jar("", "README.md"));
        bundle.put(
                LIBRARY + ".pom",
                pom(
                        "tome4j-tensor",
                        "jar",
                        "<dependencies>" + dependency("org.bytedeco", "pytorch", "2", "") + "</dependencies>"));
        bundle.put(LIBRARY + ".jar", jar("io.tome4j.tensor", "io/tome4j/tensor/A.class"));
        bundle.put(LIBRARY + "-sources.jar", jar("", "io/tome4j/tensor/A.java"));
        bundle.put(LIBRARY + "-javadoc.jar", jar("", "index.html"));
        bundle.put(
                LIBRARY + "-cyclonedx.json",
                "{\"bomFormat\": \"CycloneDX\", \"purl\": \"pkg:maven/io.tome4j/tome4j-tensor@1.2.3?type=jar\"}");
        return bundle;
    }

    static String pom(String artifact, String packaging, String rest) {
        return "<project><groupId>io.tome4j</groupId><artifactId>" + artifact + "</artifactId><version>1.2.3</version>"
                + "<packaging>" + packaging + "</packaging><name>n</name><description>d</description><url>u</url>"
                + "<licenses><license><name>l</name><url>u</url></license></licenses>"
                + "<developers><developer><name>d</name></developer></developers>"
                + "<scm><connection>c</connection><url>u</url></scm>" + rest + "</project>";
    }

    static String dependency(String group, String artifact, String version, String classifier) {
        return "<dependency><groupId>" + group + "</groupId><artifactId>" + artifact + "</artifactId><version>"
                + version
                + "</version>" + (classifier.isEmpty() ? "" : "<classifier>" + classifier + "</classifier>")
                + "</dependency>";
    }

    static byte[] jar(String module, String entry) throws IOException {
        return jar(module, entry, new byte[0]);
    }

    static byte[] jar(String module, String entry, byte[] content) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        if (!module.isEmpty()) {
            manifest.getMainAttributes().putValue("Automatic-Module-Name", module);
        }
        var bytes = new ByteArrayOutputStream();
        try (var out = new JarOutputStream(bytes, manifest)) {
            out.putNextEntry(new JarEntry(entry));
            out.write(content);
            out.closeEntry();
        }
        return bytes.toByteArray();
    }

    /** With checksums and a signature, the file's length. */
    TestBundle put(String path, byte[] file) {
        files.put(path, file);
        files.put(path + ".md5", digest("MD5", file));
        files.put(path + ".sha1", digest("SHA-1", file));
        files.put(path + ".asc", String.valueOf(file.length).getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    TestBundle put(String path, String file) {
        return put(path, file.getBytes(StandardCharsets.UTF_8));
    }

    /** Another text in a file, with the checksums and the signature that belong to it. */
    TestBundle change(String path, UnaryOperator<String> change) {
        return put(path, change.apply(new String(files.get(path), StandardCharsets.UTF_8)));
    }

    TestBundle set(String path, String text) {
        files.put(path, text.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    TestBundle without(String path) {
        files.remove(path);
        return this;
    }

    /** Without a file and what belongs to it. */
    TestBundle withoutAll(String path) {
        files.keySet().removeIf(each -> each.startsWith(path));
        return this;
    }

    Bundle bundle() {
        return new Bundle(files);
    }

    private static byte[] digest(String algorithm, byte[] file) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance(algorithm).digest(file))
                    .getBytes(StandardCharsets.US_ASCII);
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
