package io.tome4j.spark;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;

/** A folder of PNG files named by their keys, on any file system that Hadoop knows. */
final class ImageFolder implements Serializable {
    private static final long serialVersionUID = 1L;

    /** With what is added to it while it is written: file systems take names of 255 bytes. */
    private static final int LONGEST_NAME = 150;

    private final String folder;
    private final Map<String, String> hadoop; // Hadoop's own configuration does not travel

    ImageFolder(String folder, Configuration configuration) {
        this.folder = folder;
        this.hadoop = new LinkedHashMap<>();
        configuration.forEach(entry -> hadoop.put(entry.getKey(), entry.getValue()));
    }

    /**
     * Writes a file beside and renames it: it is there whole, or not at all. One of an earlier try is replaced.
     *
     * @return its name in the folder
     */
    String write(String key, byte[] png) {
        String name = fileName(key);
        Path target = new Path(folder, name);
        Path part = new Path(folder, "_" + name + "." + TaskContext.get().taskAttemptId() + ".part");
        Configuration configuration = new Configuration(false);
        hadoop.forEach(configuration::set);
        try {
            FileSystem files = target.getFileSystem(configuration);
            try (FSDataOutputStream out = files.create(part, true)) {
                out.write(png);
            }
            files.delete(target, false);
            if (!files.rename(part, target)) {
                throw new IOException("it could not be renamed to its name");
            }
        } catch (IOException e) {
            throw new UncheckedIOException("The image " + target + " could not be written: " + e.getMessage(), e);
        }
        return name;
    }

    /**
     * A key as a file's name: what is not a letter, digit, dot, dash or underscore is percent-encoded; one that would be too
     * long for file systems is cut, with a hash of all of it behind.
     */
    static String fileName(String key) {
        String name = URLEncoder.encode(key, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("*", "%2A");
        if (name.length() > LONGEST_NAME) {
            name = name.substring(0, LONGEST_NAME) + "-" + PromptRow.hash(key).substring(0, 16);
        }
        return (name.startsWith(".") || name.startsWith("_")
                        ? "%" + Integer.toHexString(name.charAt(0)).toUpperCase(Locale.ROOT) + name.substring(1)
                        : name)
                + ".png";
    }
}
