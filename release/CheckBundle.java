import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** Whether a bundle has all that Central asks for, and nothing that depends on the machine that built it. Run by release/check. */
public final class CheckBundle {
    private static final List<String> NATIVES =
            List.of("linux-x86_64", "macosx-arm64", "windows-x86_64", "linux-x86_64-gpu");

    private final Map<String, byte[]> files = new TreeMap<>();
    private final List<String> faults = new ArrayList<>();
    private final String version;
    private final boolean signed = System.getenv("GNUPGHOME") != null;

    private CheckBundle(String version) {
        this.version = version;
    }

    public static void main(String[] args) throws Exception {
        CheckBundle check = new CheckBundle(args[1]);
        check.read(args[0]);
        check.run();
        check.faults.forEach(System.err::println);
        System.out.printf("bundle: %d files, %d faults%n", check.files.size(), check.faults.size());
        System.exit(check.faults.isEmpty() ? 0 : 1);
    }

    private void read(String bundle) throws IOException {
        try (ZipFile zip = new ZipFile(bundle)) {
            for (ZipEntry entry : zip.stream().filter(each -> !each.isDirectory()).toList()) {
                files.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
            }
        }
    }

    private void run() throws Exception {
        List<String> poms = files.keySet().stream().filter(name -> name.endsWith(".pom")).toList();
        for (String artifact : List.of(
                "bom", "kernels", "tensor", "merging", "checkpoint", "models", "diffusion", "emoji", "evaluation", "cli",
                "langchain4j", "spring-ai", "spring-boot-starter", "spark")) {
            require(poms.contains(path("tome4j-" + artifact, ".pom")), "there is no tome4j-" + artifact);
        }
        for (String platform : NATIVES) {
            require(files.containsKey(path("tome4j-natives-" + platform, ".pom")), "no natives for " + platform);
            require(files.containsKey(path("tome4j-natives-" + platform, ".jar")), "no jar of natives for " + platform);
        }
        for (String name : files.keySet()) {
            require(!name.matches(".*(benchmarks|fixtures|examples-test|distribution).*"), name + " is not to be published");
            require(name.startsWith("io/tome4j/"), name + " is not in the namespace");
            if (name.endsWith(".pom") || name.endsWith(".jar")) {
                checksums(name);
                signature(name);
            }
        }
        for (String pom : poms) {
            pom(pom);
        }
    }

    private String path(String artifact, String end) {
        return "io/tome4j/" + artifact + "/" + version + "/" + artifact + "-" + version + end;
    }

    private void checksums(String name) throws Exception {
        for (var each : Map.of(".md5", "MD5", ".sha1", "SHA-1").entrySet()) {
            byte[] there = files.get(name + each.getKey());
            String right = HexFormat.of().formatHex(MessageDigest.getInstance(each.getValue()).digest(files.get(name)));
            require(
                    there != null && new String(there, StandardCharsets.US_ASCII).strip().startsWith(right),
                    name + each.getKey() + " is missing or wrong");
        }
    }

    private void signature(String name) throws Exception {
        if (!signed) {
            return;
        }
        byte[] signature = files.get(name + ".asc");
        require(signature != null, name + " is not signed");
        if (signature == null) {
            return;
        }
        var folder = java.nio.file.Files.createTempDirectory("signature");
        var data = java.nio.file.Files.write(folder.resolve("data"), files.get(name));
        var file = java.nio.file.Files.write(folder.resolve("data.asc"), signature);
        int status = new ProcessBuilder("gpg", "--batch", "--quiet", "--verify", file.toString(), data.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        require(status == 0, name + ".asc is no signature of it");
    }

    private void pom(String name) throws Exception {
        Document xml = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(files.get(name)));
        Element project = xml.getDocumentElement();
        for (String field : List.of("groupId", "artifactId", "version", "name", "description", "url")) {
            require(!text(project, field).isBlank(), name + " has no " + field);
        }
        require(!text(project, "licenses", "license", "name").isBlank(), name + " names no licence");
        require(!text(project, "licenses", "license", "url").isBlank(), name + " has no URL of its licence");
        require(!text(project, "developers", "developer", "name").isBlank(), name + " names no developer");
        require(!text(project, "scm", "url").isBlank(), name + " has no scm url");
        require(!text(project, "scm", "connection").isBlank(), name + " has no scm connection");
        String all = new String(files.get(name), StandardCharsets.UTF_8);
        String artifact = text(project, "artifactId");
        require(!all.contains("SNAPSHOT"), name + " depends on a snapshot");
        require(!all.contains("<profile>") && !all.contains("<parent>"), name + " has profiles or a parent");
        require(!all.contains("<repositor"), name + " names repositories");
        if (!artifact.startsWith("tome4j-natives-") && !artifact.equals("tome4j-bom")) {
            require(!all.contains("<classifier>"), name + " depends on one platform");
            for (String kind : List.of(".jar", "-sources.jar", "-javadoc.jar")) {
                require(files.containsKey(path(artifact, kind)), name + " lacks " + kind);
            }
            require(
                    files.keySet().stream().anyMatch(file -> file.contains("/" + artifact + "-" + version + "-cyclonedx")),
                    name + " has no SBOM");
            moduleName(artifact);
        }
    }

    private void moduleName(String artifact) throws IOException {
        byte[] jar = files.get(path(artifact, ".jar"));
        if (jar == null) {
            return;
        }
        try (JarInputStream in = new JarInputStream(new ByteArrayInputStream(jar))) {
            String module = in.getManifest() == null
                    ? null
                    : in.getManifest().getMainAttributes().getValue("Automatic-Module-Name");
            require(module != null && module.matches("io\\.tome4j(\\.[a-z0-9]+)+"), artifact + " has the module name " + module);
        }
    }

    /** The text of an element; empty if it is not there. */
    private static String text(Element element, String... path) {
        Node node = element;
        for (String name : path) {
            Node next = null;
            for (Node child = node.getFirstChild(); child != null && next == null; child = child.getNextSibling()) {
                next = child.getNodeName().equals(name) ? child : null;
            }
            if (next == null) {
                return "";
            }
            node = next;
        }
        return node.getTextContent();
    }

    private void require(boolean right, String fault) {
        if (!right) {
            faults.add(fault);
        }
    }
}
