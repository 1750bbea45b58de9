package io.tome4j.cli.session;

import io.tome4j.checkpoint.WholeFile;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/** Chooses where images go, and finds out whether that will work before hours are spent on them. */
public final class OutputFiles {
    private static final int LONGEST_SLUG = 50;
    private static final String PNG = ".png";

    private static final long BYTES_PER_PIXEL = 3;

    /** Parameters, and what a format adds. */
    private static final long BYTES_BESIDE_PIXELS = 4096;

    /** So many images are numbered from the first on. */
    private static final int MANY = 10;

    private OutputFiles() {}

    /**
     * @param out the option {@code --out}
     * @param reserved gets the files that the user did not name: no other run can choose them meanwhile
     * @return {@code count} different files that can be written; only one that the user named may exist
     * @throws OptionException if the option is neither a PNG file nor a folder
     * @throws TomeException if nothing can be written there
     */
    public static List<Path> choose(Optional<Path> out, String prompt, long seed, int count, ReservedFiles reserved) {
        if (out.isEmpty() || isFolder(out.get())) {
            Path folder = out.orElse(Path.of(""));
            requireFolder(folder);
            return chooseFree(folder, slug(prompt) + "-" + Long.toUnsignedString(seed), count, reserved);
        }
        Path named = out.get();
        if (!named.toString().toLowerCase(Locale.ROOT).endsWith(PNG)) {
            throw new OptionException(
                    "--out is " + OptionException.literal(named.toString()) + ": it must end in .png, or be a folder");
        }
        String name = String.valueOf(named.getFileName());
        String stem = name.substring(0, name.length() - PNG.length());
        List<Path> files = count == 1
                ? List.of(named)
                : IntStream.rangeClosed(1, count)
                        .mapToObj(number -> named.resolveSibling(stem + "-" + numbered(number, count) + PNG))
                        .toList();
        files.forEach(OutputFiles::requireFile);
        return files;
    }

    /** Files beside those that are there: {@code a.png, a-2.png}, or {@code a-01.png, a-02.png} where there are many. */
    private static List<Path> chooseFree(Path folder, String name, int count, ReservedFiles reserved) {
        List<Path> files = new ArrayList<>();
        for (int number = 1; files.size() < count; number++) {
            String end = number == 1 && count < MANY ? "" : "-" + numbered(number, count);
            Path file = folder.resolve(name + end + PNG);
            try {
                if (reserved.reserve(file)) {
                    files.add(file);
                }
            } catch (IOException e) {
                throw new TomeException("The file " + file + " cannot be made: " + reason(e) + ".", e);
            }
        }
        return files;
    }

    /** A number with as many digits as the last one has, so that names are in order. */
    private static String numbered(int number, int count) {
        return String.format(Locale.ROOT, "%0" + String.valueOf(count).length() + "d", number);
    }

    /** Whether a path is a folder, or would be one: any name without an ending. */
    public static boolean isFolder(Path path) {
        if (Files.exists(path)) {
            return Files.isDirectory(path);
        }
        // a Path has lost the separator it was written with, so any name without an ending is a new folder's
        return !String.valueOf(path.getFileName()).contains(".");
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
        try {
            if (!Files.exists(file)) {
                Files.delete(Files.createFile(file.toAbsolutePath())); // its name may be too long, or not allowed
            }
        } catch (FileAlreadyExistsException e) {
            requireReplaceable(file); // another process has made it just now
        } catch (IOException e) {
            throw new TomeException("The file " + file + " cannot be made: " + reason(e) + ".", e);
        }
    }

    /**
     * Finds out whether two files would be one.
     *
     * @throws OptionException if so
     */
    public static void requireDifferent(Path file, String option, List<Path> others) {
        for (Path other : others) {
            if (isSame(file, other)) {
                throw new OptionException(option + " is " + OptionException.literal(file.toString())
                        + ", which is where an image goes: choose another name");
            }
        }
    }

    private static boolean isSame(Path file, Path other) {
        try {
            return file.toAbsolutePath()
                            .normalize()
                            .equals(other.toAbsolutePath().normalize())
                    || (Files.exists(file) && Files.exists(other) && Files.isSameFile(file, other));
        } catch (IOException e) {
            return false; // what cannot be told apart cannot be written either, which is found out elsewhere
        }
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

    /**
     * Finds out whether images will find room beside a file, however little they can be compressed.
     *
     * @param pixels of all images together
     * @throws TomeException if not
     */
    public static void requireRoom(Path file, long pixels) {
        Path folder = parent(file).toAbsolutePath();
        long needed = BYTES_PER_PIXEL * pixels + BYTES_BESIDE_PIXELS;
        long free;
        try {
            FileStore store = Files.getFileStore(folder);
            free = store.getTotalSpace() == 0 ? Long.MAX_VALUE : store.getUsableSpace(); // some do not tell
        } catch (IOException e) {
            return; // writing will tell
        }
        if (free < needed) {
            throw new TomeException(String.format(
                    Locale.ROOT,
                    "There is too little room in %s: what is made can take up to %.1f MB, and %.1f MB are free. Make room,"
                            + " or choose another place.",
                    folder,
                    needed / 1e6,
                    free / 1e6));
        }
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
    private static void requireReplaceable(Path file) {
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
