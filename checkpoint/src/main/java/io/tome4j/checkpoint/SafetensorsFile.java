package io.tome4j.checkpoint;

import io.tome4j.checkpoint.SafetensorsHeader.Entry;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * A safetensors file. Opening it reads and checks the header alone; a tensor's bytes are read into memory of its own when
 * it is loaded. Nothing is held open in between, so there is nothing to close. Nothing is mapped, either: where another
 * program makes a mapped file shorter, the process dies.
 *
 * <p>The dtypes F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U8 and BOOL are read. The format is that of
 * {@code https://huggingface.co/docs/safetensors}.
 */
public final class SafetensorsFile implements StoredTensors {
    /** Most bytes that are read at once: Java's buffers count in {@code int}. */
    private static final long MAX_BUFFER = 1L << 30;

    private final Path path;
    private final SafetensorsHeader header;
    private final Version version;

    private SafetensorsFile(Path path, SafetensorsHeader header, Version version) {
        this.path = path;
        this.header = header;
        this.version = version;
    }

    /** What changes with a file's content, as a rule. */
    private record Version(long size, FileTime modified) {
        static Version of(Path path) throws IOException {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return new Version(attributes.size(), attributes.lastModifiedTime());
        }
    }

    /**
     * Reads and checks a file's header.
     *
     * @throws TomeException if the file is missing, unreadable, truncated or contradicts itself, naming file and tensor
     */
    public static SafetensorsFile open(Path path) {
        try {
            JsonFile.requireRegular(path);
            Version version = Version.of(path);
            try (FileChannel channel = FileChannel.open(path)) {
                return new SafetensorsFile(path, SafetensorsHeader.read(channel, path), version);
            }
        } catch (ClosedByInterruptException e) {
            throw interrupted(path, e);
        } catch (NoSuchFileException e) {
            throw new TomeException("The safetensors file " + path + " does not exist.", e);
        } catch (IOException e) {
            throw new TomeException("The safetensors file " + path + " cannot be read: " + e.getMessage(), e);
        }
    }

    public Path path() {
        return path;
    }

    /** The strings that whoever wrote the file put beside the tensors; often empty. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** The names of all tensors, in the order in which they lie in the file. */
    @Override
    public Set<String> names() {
        return header.tensors().keySet();
    }

    @Override
    public long[] shape(String name) {
        return entry(name).shape().clone();
    }

    /** The name that the format gives to the type of a tensor's elements, such as {@code F16}. */
    public String dtype(String name) {
        return entry(name).dtype().name();
    }

    /** Bytes of all tensors together. */
    public long dataBytes() {
        return header.tensors().values().stream().mapToLong(Entry::length).sum();
    }

    /**
     * Loads a tensor.
     *
     * @param name one of {@link #names()}
     * @return a tensor of the file's shape and dtype on the CPU, which belongs to the scope that is open and owns its
     *     memory
     * @throws TomeException if the file cannot be read any more, or was changed since it was opened
     */
    @Override
    public Tensor load(String name) {
        return load(entry(name), MAX_BUFFER);
    }

    /** What is loaded is nobody else's, so a model need not copy it again. */
    @Override
    public boolean isShared() {
        return true;
    }

    Tensor load(Entry entry, long maxBuffer) {
        try (var scope = TensorScope.open();
                FileChannel channel = FileChannel.open(path)) {
            requireUnchanged();
            Tensor tensor = read(channel, entry, maxBuffer);
            requireUnchanged();
            return scope.release(tensor);
        } catch (ClosedByInterruptException e) {
            throw interrupted(path, e);
        } catch (IOException e) {
            throw new TomeException(
                    "The tensor '" + entry.name() + "' cannot be read from " + path + ": " + e.getMessage(), e);
        }
    }

    private void requireUnchanged() throws IOException {
        if (!version.equals(Version.of(path))) {
            throw new IOException("it was changed since it was opened. Wait until the program that writes it is done,"
                    + " and try again");
        }
    }

    private static Tensor read(FileChannel channel, Entry entry, long maxBuffer) throws IOException {
        Tensor tensor = torch.empty(
                entry.shape(),
                new TensorOptions(entry.dtype().scalarType()),
                new org.bytedeco.pytorch.MemoryFormatOptional());
        Pointer memory = tensor.data_ptr();
        for (long done = 0; done < entry.length(); ) {
            long piece = Math.min(maxBuffer, entry.length() - done);
            ByteBuffer buffer =
                    new BytePointer(memory).position(done).limit(done + piece).asByteBuffer();
            while (buffer.hasRemaining()) {
                int read = channel.read(buffer, entry.position() + done);
                if (read < 0) {
                    throw new IOException("the file ended while it was read");
                }
                done += read;
            }
        }
        return tensor;
    }

    /** The thread's interrupt stays as it is: who interrupted it wants it to end. */
    private static TomeException interrupted(Path path, IOException e) {
        return new TomeException("Loading " + path + " was interrupted.", e);
    }

    @Override
    public String origin(String name) {
        return path.toString();
    }

    Entry entry(String name) {
        Entry entry = header.tensors().get(name);
        if (entry == null) {
            throw new IllegalArgumentException("There is no tensor '" + name + "' in " + path);
        }
        return entry;
    }
}
