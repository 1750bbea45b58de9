package io.tome4j.emoji;

import io.tome4j.checkpoint.WholeFile;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;

/**
 * A folder of resources as a folder on the disk: itself where it lies open, else unpacked from its jar. The jar's own
 * table of contents is the manifest: it has each file's size and checksum without a byte being unpacked.
 */
final class ResourceFolder {
    private static final int FINGERPRINT_DIGITS = 16;

    /**
     * A file.
     *
     * @param name below the folder, with slashes
     * @param crc its CRC-32
     */
    record Entry(String name, long size, long crc) {}

    private final URL marker;
    private final String path;
    private final Optional<Path> open;
    private final List<Entry> entries;

    private ResourceFolder(URL marker, String path, Optional<Path> open, List<Entry> entries) {
        this.marker = marker;
        this.path = path;
        this.open = open;
        this.entries =
                entries.stream().sorted(Comparator.comparing(Entry::name)).toList();
    }

    /**
     * @param path the folder's on the class path
     * @param markerName a file in the folder by which to find it
     * @throws TomeException if there is no such folder, or it lies where no list of its files can be had
     */
    static ResourceFolder of(ClassLoader loader, String path, String markerName) {
        URL marker = loader.getResource(path + "/" + markerName);
        if (marker == null) {
            throw Resources.missing(path + "/" + markerName);
        }
        try {
            if (marker.getProtocol().equals("file")) {
                Path folder = Path.of(new URI(marker.toString())).resolveSibling("");
                return new ResourceFolder(marker, path, Optional.of(folder), entriesOnDisk(folder));
            }
            URLConnection connection = marker.openConnection();
            if (!(connection instanceof JarURLConnection)) {
                throw new TomeException("The resource " + marker + " lies neither in a folder nor in a jar.");
            }
            try (JarFile jar = openJar(marker)) {
                return new ResourceFolder(marker, path, Optional.empty(), entriesInJar(jar, path));
            }
        } catch (IOException | UncheckedIOException | URISyntaxException e) {
            throw new TomeException("The resource " + marker + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Of our own, so that it can be closed: a connection's usual jar is the class loader's. */
    private static JarFile openJar(URL inside) throws IOException {
        JarURLConnection connection = (JarURLConnection) inside.openConnection();
        connection.setUseCaches(false);
        return connection.getJarFile();
    }

    private static List<Entry> entriesInJar(JarFile jar, String path) {
        String prefix = path + "/";
        return jar.stream()
                .filter(entry -> entry.getName().startsWith(prefix) && !entry.isDirectory())
                .map(entry -> new Entry(entry.getName().substring(prefix.length()), entry.getSize(), entry.getCrc()))
                .toList();
    }

    private static List<Entry> entriesOnDisk(Path folder) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = folder.relativize(file).toString().replace('\\', '/');
                try (var in = new CheckedInputStream(Files.newInputStream(file), new CRC32())) {
                    long size = in.transferTo(OutputStream.nullOutputStream());
                    entries.add(new Entry(name, size, in.getChecksum().getValue()));
                }
            }
        }
        return entries;
    }

    /** The sum of the files' sizes. */
    long bytes() {
        return entries.stream().mapToLong(Entry::size).sum();
    }

    /** Of all names, sizes and checksums. */
    String fingerprint() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Entry entry : entries) {
                digest.update((entry.name() + "\n" + entry.size() + "\n" + entry.crc() + "\n")
                        .getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest()).substring(0, FINGERPRINT_DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    /** Where {@link #folder(Path)} is, without unpacking anything. */
    Path location(Path cache) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        return open.orElseGet(() ->
                cache.resolve("tome4j").resolve(name + "-" + fingerprint()).resolve(name));
    }

    /**
     * The folder on the disk, with all its files. From a jar, each file that is not there in its full size is unpacked
     * beside its place and renamed: who comes later, or at the same time, sees it whole or not at all.
     *
     * @throws TomeException if that cannot be done
     */
    Path folder(Path cache) {
        Path folder = location(cache).toAbsolutePath();
        if (open.isPresent() || missing(folder).isEmpty()) {
            return folder;
        }
        try (JarFile jar = openJar(marker)) {
            Unpacking.removeLeftovers(folder);
            for (Entry entry : missing(folder)) {
                ZipEntry packed = jar.getJarEntry(path + "/" + entry.name());
                if (packed == null) {
                    throw new IOException("the jar " + jar.getName() + " was replaced meanwhile");
                }
                try (InputStream in = jar.getInputStream(packed)) {
                    Unpacking.write(in, entry.size(), folder.resolve(entry.name()));
                }
            }
            return folder;
        } catch (IOException e) {
            throw new TomeException(
                    "The embedded model cannot be unpacked into " + folder + ": " + WholeFile.reason(e) + ". It needs "
                            + (bytes() / 1_000_000 + 1) + " MB there; to have it elsewhere, set HF_HUB_CACHE to"
                            + " another folder.",
                    e);
        }
    }

    private List<Entry> missing(Path folder) {
        return entries.stream()
                .filter(entry -> folder.resolve(entry.name()).toFile().length() != entry.size())
                .toList();
    }
}
