package io.tome4j.cli.session;

import io.tome4j.checkpoint.WholeFile;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Chooses where images go, and finds out whether that will work before hours are spent on them. */
public final class OutputFiles {
    private static final int LONGEST_SLUG = 50;
    private static final String PNG = ".png";

    private OutputFiles() {}

    /**
     * @param out the option {@code --out}
     * @return {@code count} different files that can be written; only one that the user named may exist
     * @throws OptionException if the option is neither a PNG file nor a folder
     * @throws TomeException if nothing can be written there
     */
    public static List<Path> choose(Optional<Path> out, String prompt, long seed, int count) {
        boolean isFolder = out.isEmpty() || isFolder(out.get());
        if (!isFolder && !out.get().toString().toLowerCase(Locale.ROOT).endsWith(PNG)) {
            throw new OptionException("--out is "
                    + OptionException.literal(out.get().toString()) + ": it must end in .png, or be a folder");
        }
        if (!isFolder && count == 1) {
            requireFile(out.get());
            return List.of(out.get());
        }
        Path folder = isFolder ? out.orElse(Path.of("")) : parent(out.get());
        if (isFolder) {
            requireFolder(folder);
        } else {
            requireWritable(folder);
        }
        String name = isFolder ? slug(prompt) + "-" + seed : stem(out.get());
        Set<Path> taken = new HashSet<>();
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Path file = isFolder ? free(folder, name, taken) : folder.resolve(name + "-" + (i + 1) + PNG);
            requireReplaceable(file);
            taken.add(file);
            files.add(file);
        }
        return files;
    }

    /** Whether a path is a folder, or would be one: any name without an ending. */
    public static boolean isFolder(Path path) {
        if (Files.exists(path)) {
            return Files.isDirectory(path);
        }
        // a Path has lost the separator it was written with, so any name without an ending is a new folder's
        return !String.valueOf(path.getFileName()).contains(".");
    }

    private static Path free(Path folder, String name, Set<Path> taken) {
        Path file = folder.resolve(name + PNG);
        for (int i = 2; taken.contains(file) || Files.exists(file); i++) {
            file = folder.resolve(name + "-" + i + PNG);
        }
        return file;
    }

    private static String stem(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.length() - PNG.length());
    }

    /** The prompt as a file's name: letters and digits of any script, the rest as dashes. */
    static String slug(String prompt) {
        String slug = prompt.toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{M}\\p{N}]+", "-")
                .replaceAll("^-+", "");
        int end = slug.offsetByCodePoints(0, Math.min(LONGEST_SLUG, slug.codePointCount(0, slug.length())));
        slug = slug.substring(0, end).replaceAll("-+$", "");
        return slug.isEmpty() ? "image" : slug;
    }

    /**
     * Makes a folder if it is not there, and tries whether files can be made in it.
     *
     * @throws TomeException if not
     */
    public static void requireFolder(Path folder) {
        makeFolder(folder);
        requireWritable(folder);
    }

    /**
     * Tries whether a file can be made, or replaced if it is there.
     *
     * @throws TomeException if not
     */
    public static void requireFile(Path file) {
        requireWritable(parent(file));
        requireReplaceable(file);
    }

    private static Path parent(Path file) {
        return Optional.ofNullable(file.getParent()).orElse(Path.of(""));
    }

    /**
     * Writes a text, in UTF-8: it is there whole, or not at all.
     *
     * @throws TomeException if it cannot be written
     */
    public static void write(Path file, String text) {
        WholeFile.write("report", file, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void makeFolder(Path folder) {
        try {
            Files.createDirectories(folder.toAbsolutePath());
        } catch (IOException e) {
            throw new TomeException("The folder " + folder + " cannot be made: " + reason(e) + ".", e);
        }
    }

    /**
     * Tries it with an empty file: permission bits do not tell all.
     *
     * @throws TomeException if no file can be made in the folder
     */
    private static void requireWritable(Path folder) {
        Path absolute = folder.toAbsolutePath().normalize();
        if (!Files.isDirectory(absolute)) {
            throw new TomeException("Nothing can be written to the folder " + absolute + ": "
                    + (Files.exists(absolute) ? "it is a file" : "it does not exist; make it first") + ".");
        }
        try {
            Files.delete(Files.createTempFile(absolute, ".tome", ".part"));
        } catch (IOException e) {
            throw new TomeException("Nothing can be written to the folder " + absolute + ": " + reason(e) + ".", e);
        }
    }

    /**
     * @throws TomeException if there is something in the file's place that must not be replaced
     */
    public static void requireReplaceable(Path file) {
        if (Files.isDirectory(file)) {
            throw new TomeException(file + " is a folder: name a file in it.");
        }
        if (Files.exists(file) && !Files.isWritable(file)) {
            throw new TomeException("The file " + file + " is there and may not be replaced: choose another name.");
        }
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "this user may not write there";
        }
        if (e instanceof FileAlreadyExistsException) {
            return "a file of that name is in the way";
        }
        if (e instanceof NoSuchFileException) {
            return "the system lets no file be made there";
        }
        String reason = e instanceof FileSystemException system ? system.getReason() : e.getMessage();
        return reason == null ? e.toString() : reason.toLowerCase(Locale.ROOT);
    }
}
