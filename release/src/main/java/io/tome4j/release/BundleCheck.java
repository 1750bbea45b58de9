package io.tome4j.release;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What is wrong with a bundle. Central's rules: coordinates in our namespace and as the paths have them, no snapshots; in each
 * POM name, description, URL, licence with URL, developer and scm; sources and Javadoc beside each jar; right checksums and
 * signatures. Ours: POMs that are the same whichever machine built them; natives of a platform in its own artifact alone; a
 * module name in each jar; an SBOM; all that the BOM names, and nothing else.
 */
final class BundleCheck {
    static final String GROUP = "io.tome4j";
    private static final String BOM = "tome4j-bom";
    private static final String NATIVES = "tome4j-natives-";
    private static final Map<String, String> CHECKSUMS = Map.of(".md5", "MD5", ".sha1", "SHA-1");
    private static final Set<String> NO_CHECKSUM = Set.of(".md5", ".sha1", ".sha256", ".sha512", ".asc");

    private final Bundle bundle;
    private final String version;
    private final Optional<Signatures> signatures;
    private final List<String> faults = new ArrayList<>();

    private BundleCheck(Bundle bundle, String version, Optional<Signatures> signatures) {
        this.bundle = bundle;
        this.version = version;
        this.signatures = signatures;
    }

    /**
     * All that is wrong, a sentence each; empty if nothing is.
     *
     * @param signatures empty for a bundle that is not signed
     */
    static List<String> faults(Bundle bundle, String version, Optional<Signatures> signatures) throws IOException {
        BundleCheck check = new BundleCheck(bundle, version, signatures);
        check.run();
        return check.faults;
    }

    private void run() throws IOException {
        require(!version.endsWith("-SNAPSHOT"), version + " is a snapshot's version");
        for (String path : bundle.paths()) {
            Optional<String> of = NO_CHECKSUM.stream().filter(path::endsWith).findFirst();
            if (of.isPresent()) {
                String file = path.substring(0, path.length() - of.get().length());
                require(bundle.file(file).isPresent(), path + " belongs to no file");
            } else {
                place(path);
                checksums(path);
                signature(path);
            }
        }
        Set<String> published = new TreeSet<>();
        for (String path : bundle.paths()) {
            if (path.endsWith(".pom")) {
                Pom pom = Pom.parse(bundle.file(path).orElseThrow());
                published.add(pom.artifact());
                pom(path, pom);
            }
        }
        bom(published);
    }

    /** Where a file has to lie: {@code group/artifact/version/artifact-version...}. */
    private void place(String path) {
        String[] parts = path.split("/", -1);
        String artifact = parts.length == 5 ? parts[2] : "";
        require(
                path.startsWith(GROUP.replace('.', '/') + "/" + artifact + "/" + version + "/" + artifact + "-"
                                + version)
                        && !artifact.isEmpty(),
                path + " is no file of an artifact of " + GROUP + " in version " + version);
    }

    private void checksums(String path) {
        byte[] file = bundle.file(path).orElseThrow();
        CHECKSUMS.forEach((ending, algorithm) -> require(
                bundle.text(path + ending).strip().equals(digest(algorithm, file)),
                path + ending + " is missing or wrong"));
    }

    private static String digest(String algorithm, byte[] file) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(file));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has both
        }
    }

    private void signature(String path) throws IOException {
        if (signatures.isPresent()) {
            Optional<byte[]> signature = bundle.file(path + ".asc");
            require(signature.isPresent(), path + " is not signed");
            if (signature.isPresent()) {
                boolean right = signatures
                        .get()
                        .isSignature(signature.get(), bundle.file(path).orElseThrow());
                require(right, path + ".asc is no signature of it");
            }
        }
    }

    private void pom(String path, Pom pom) throws IOException {
        require(path.equals(path(pom.artifact(), ".pom")), path + " is the POM of " + pom.artifact());
        require(pom.text("groupId").equals(GROUP), path + " has the group '" + pom.text("groupId") + "'");
        require(pom.text("version").equals(version), path + " has the version '" + pom.text("version") + "'");
        for (List<String> wanted : List.of(
                List.of("name"),
                List.of("description"),
                List.of("url"),
                List.of("licenses", "license", "name"),
                List.of("licenses", "license", "url"),
                List.of("developers", "developer", "name"),
                List.of("scm", "url"),
                List.of("scm", "connection"))) {
            require(!pom.text(wanted.toArray(String[]::new)).isEmpty(), path + " has no " + String.join("/", wanted));
        }
        for (String unwanted : List.of("parent", "profiles", "repositories", "pluginRepositories", "build")) {
            require(!pom.has(unwanted), path + " has " + unwanted);
        }
        require(!bundle.text(path).contains("${"), path + " has a property that is not filled in");
        boolean ofPlatform = pom.artifact().startsWith(NATIVES);
        for (Pom.Dependency each : pom.dependencies()) {
            require(!each.version().isEmpty(), path + " does not say which version of " + each.artifact());
            require(!each.version().contains("SNAPSHOT"), path + " needs a snapshot of " + each.artifact());
            require(!each.scope().equals("test"), path + " has the test dependency " + each.artifact());
            require(
                    each.classifier().isEmpty()
                            || pom.artifact().equals(BOM)
                            || (ofPlatform && pom.artifact().startsWith(NATIVES + each.classifier())),
                    path + " depends on " + each.artifact() + " of the platform " + each.classifier());
        }
        if (ofPlatform) {
            require(
                    pom.dependencies().stream().anyMatch(each -> each.artifact().equals("pytorch")),
                    path + " has no natives of PyTorch");
            require(bundle.file(path(pom.artifact(), ".jar")).isPresent(), path + " has no jar beside it");
        }
        if (pom.packaging().equals("jar")) {
            jars(path, pom.artifact());
        }
    }

    private void jars(String path, String artifact) throws IOException {
        Jar jar = Jar.read(bundle.file(path(artifact, ".jar")));
        Jar sources = Jar.read(bundle.file(path(artifact, "-sources.jar")));
        Jar javadoc = Jar.read(bundle.file(path(artifact, "-javadoc.jar")));
        require(jar.isThere(), path + " has no jar");
        require(sources.has(".java"), path + " has no jar of sources, or none in it");
        require(javadoc.has("index.html"), path + " has no jar of Javadoc, or none in it");
        require(
                jar.moduleName().matches("io\\.tome4j(\\.[a-z0-9]+)+"),
                path(artifact, ".jar") + " has the module name '" + jar.moduleName() + "'");
        String sbom = bundle.text(path(artifact, "-cyclonedx.json"));
        require(
                sbom.contains("CycloneDX") && sbom.contains("pkg:maven/" + GROUP + "/" + artifact + "@" + version),
                path + " has no SBOM of it");
    }

    private void bom(Set<String> published) throws IOException {
        Optional<byte[]> file = bundle.file(path(BOM, ".pom"));
        require(file.isPresent(), "There is no " + BOM);
        if (file.isPresent()) {
            Set<String> managed = Pom.parse(file.get()).dependencies().stream()
                    .filter(each -> each.group().equals(GROUP))
                    .map(Pom.Dependency::artifact)
                    .collect(Collectors.toCollection(TreeSet::new));
            for (String artifact : managed) {
                require(published.contains(artifact), BOM + " names " + artifact + ", which is not in the bundle");
            }
            for (String artifact : published) {
                require(
                        artifact.equals(BOM) || managed.contains(artifact),
                        artifact + " is in the bundle, and " + BOM + " does not name it: is it to be published?");
            }
        }
    }

    private String path(String artifact, String ending) {
        return GROUP.replace('.', '/') + "/" + artifact + "/" + version + "/" + artifact + "-" + version + ending;
    }

    private void require(boolean right, String fault) {
        if (!right) {
            faults.add(fault);
        }
    }
}
