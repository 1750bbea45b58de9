package io.tome4j.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.Buffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A native library with bindings of its own, so that several can be tested in one process: the one in the jar, and,
 * where there is a C compiler, what it makes of the sources today.
 */
final class LibraryUnderTest {
    private final String name;
    private final Class<?> calls;

    private LibraryUnderTest(String name, byte[] library) throws ReflectiveOperationException {
        this.name = name;
        var loader = new Bindings();
        Method load = loader.loadClass(NativeLibrary.class.getName()).getDeclaredMethod("load", byte[].class);
        load.setAccessible(true);
        load.invoke(null, (Object) library);
        this.calls = loader.loadClass(NativeCalls.class.getName());
    }

    /** Defines the classes that bind native methods anew: a class loader has its own libraries. */
    private static final class Bindings extends ClassLoader {
        private static final Set<String> OWN = Set.of(NativeCalls.class.getName(), NativeLibrary.class.getName());

        Bindings() {
            super(LibraryUnderTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!OWN.contains(name)) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            try (InputStream file = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] bytes = file.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    private static final List<LibraryUnderTest> ALL = load();

    /** Those that this machine can run: none, if its CPU cannot. */
    static List<LibraryUnderTest> all() {
        return ALL;
    }

    private static List<LibraryUnderTest> load() {
        List<LibraryUnderTest> libraries = new ArrayList<>();
        if (!NativeLibrary.isForThisPlatform()) {
            return libraries;
        }
        try {
            libraries.add(new LibraryUnderTest("committed", bundled()));
            Path rebuilt = Path.of("target", "rebuilt", "libtome4j-kernels.so");
            if (rebuild(rebuilt)) {
                libraries.add(new LibraryUnderTest("rebuilt", Files.readAllBytes(rebuilt)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
        libraries.removeIf(library -> !library.runsHere());
        return libraries;
    }

    static byte[] bundled() throws IOException {
        try (InputStream file = NativeLibrary.class.getResourceAsStream("linux-x86_64/libtome4j-kernels.so")) {
            return file.readAllBytes();
        }
    }

    /** Runs {@code build.sh}. Returns whether there is a compiler; that it fails with one is an error. */
    private static boolean rebuild(Path out) throws IOException {
        try {
            new ProcessBuilder("gcc", "--version")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor(10, TimeUnit.SECONDS);
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        var builder = new ProcessBuilder("sh", "build.sh", out.toAbsolutePath().toString()).redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process build = builder.start();
        String log = new String(build.getInputStream().readAllBytes());
        try {
            if (build.waitFor() != 0) {
                throw new IllegalStateException(log);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return true;
    }

    private boolean runsHere() {
        return (boolean) call("hasAvx512Bf16");
    }

    long address(Buffer buffer) {
        return (long) call("address", buffer);
    }

    long scratchBytes(long keys, long size) {
        return (long) call("scratchBytes", keys, size);
    }

    void attend(AttentionHead head, long scratch) {
        call(
                "attend",
                head.queries().address(),
                head.queries().stride(),
                head.keys().address(),
                head.keys().stride(),
                head.values().address(),
                head.values().stride(),
                head.mask().address(),
                head.mask().stride(),
                head.bias(),
                head.out().address(),
                head.out().stride(),
                head.rows(),
                head.count(),
                head.size(),
                head.scale(),
                scratch);
    }

    Object call(String method, Object... arguments) {
        for (Method candidate : calls.getDeclaredMethods()) {
            if (candidate.getName().equals(method)) {
                candidate.setAccessible(true);
                try {
                    return candidate.invoke(null, arguments);
                } catch (IllegalAccessException | InvocationTargetException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
        throw new IllegalStateException(method);
    }

    @Override
    public String toString() {
        return name;
    }
}
