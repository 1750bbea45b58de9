package io.tome4j.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How much address space this process may still use: {@code ulimit -v} and some containers limit it. */
final class AddressSpace {
    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Pattern LIMIT = Pattern.compile("Max address space\\s+(\\d+)\\s.*");
    private static final Pattern SIZE = Pattern.compile("VmSize:\\s+(\\d+) kB");

    /** What libtorch and its libraries map when they are loaded, measured to be 1.0 GB, and room for the first tensors. */
    private static final long NEEDED = 3L << 29;

    private static final double GIGA = 1 << 30;

    private AddressSpace() {}

    /** Bytes that are left; empty if there is no limit, or the system does not tell. */
    static OptionalLong free() {
        try {
            return free(Files.readAllLines(LIMITS), Files.readAllLines(STATUS));
        } catch (IOException | RuntimeException e) {
            return OptionalLong.empty();
        }
    }

    /** What the lines of the two files in {@code /proc} say. */
    static OptionalLong free(List<String> limits, List<String> status) {
        OptionalLong limit = first(LIMIT, limits);
        OptionalLong kilobytes = first(SIZE, status);
        return limit.isPresent() && kilobytes.isPresent()
                ? OptionalLong.of(Math.max(0, limit.getAsLong() - kilobytes.getAsLong() * 1024))
                : OptionalLong.empty();
    }

    private static OptionalLong first(Pattern pattern, List<String> lines) {
        return lines.stream()
                .map(pattern::matcher)
                .filter(Matcher::matches)
                .mapToLong(matcher -> Long.parseLong(matcher.group(1)))
                .findFirst();
    }

    /**
     * @param free what is left
     * @throws TomeException if libtorch would not find room: it would take the process with it
     */
    static void requireRoomForLibtorch(OptionalLong free) {
        if (free.isPresent() && free.getAsLong() < NEEDED) {
            throw new TomeException(String.format(
                    Locale.ROOT,
                    "This process may use %.1f GB more of address space, and libtorch needs %.1f GB. Lift the limit"
                            + " (ulimit -v unlimited), or have Java take less of it (-Xmx512m; the program:"
                            + " TOME_JAVA_OPTIONS=-Xmx512m).",
                    free.getAsLong() / GIGA,
                    NEEDED / GIGA));
        }
    }
}
