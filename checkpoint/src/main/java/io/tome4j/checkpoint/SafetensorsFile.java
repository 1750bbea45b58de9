package io.tome4j.checkpoint;

import io.tome4j.checkpoint.SafetensorsHeader.Entry;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * A safetensors file. Opening it reads and checks the header alone; a tensor's bytes are mapped into memory when it is
 * loaded, and unmapped when it is freed. Nothing is held open in between, so there is nothing to close; the file must
 * not shrink while tensors of it are alive.
 *
 * <p>The dtypes F64, F32, F16, BF16, I64, I32, I16, I8, U8 and BOOL are read. The format is that of
 * {@code https://huggingface.co/docs/safetensors}.
 */
public final class SafetensorsFile implements StoredTensors {
    /** Most bytes that one buffer may hold: Java's buffers count in {@code int}. */
    private static final long MAX_BUFFER = 1L << 30;

    private final Path path;
    private final SafetensorsHeader header;

    private SafetensorsFile(Path path, SafetensorsHeader header) {
        this.path = path;
        this.header = header;
    }

    /**
     * Reads and checks a file's header.
     *
     * @throws TomeException if the file is missing, unreadable, truncated or contradicts itself, naming file and tensor
     */
    public static SafetensorsFile open(Path path) {
        try (FileChannel channel = FileChannel.open(path)) {
            return new SafetensorsFile(path, SafetensorsHeader.read(channel, path));
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
     * @return a tensor of the file's shape and dtype on the CPU, which belongs to the scope that is open; it is a view
     *     of the mapped file, wherever its bytes are aligned for that, and must not be changed
     * @throws TomeException if the file cannot be read any more
     */
    @Override
    public Tensor load(String name) {
        return load(entry(name), MAX_BUFFER);
    }

    Tensor load(Entry entry, long maxBuffer) {
        try (var scope = TensorScope.open();
                FileChannel channel = FileChannel.open(path)) {
            if (channel.size() < entry.end()) {
                throw new IOException("it has become shorter since it was opened");
            }
            boolean aligned = entry.position() % entry.dtype().bytes() == 0;
            boolean view = aligned && entry.length() > 0 && entry.length() <= maxBuffer;
            return scope.release(view ? map(channel, entry) : copy(channel, entry, maxBuffer));
        } catch (IOException e) {
            throw new TomeException(
                    "The tensor '" + entry.name() + "' cannot be read from " + path + ": " + e.getMessage(), e);
        }
    }

    private static Tensor map(FileChannel channel, Entry entry) throws IOException {
        var buffer = channel.map(FileChannel.MapMode.READ_ONLY, entry.position(), entry.length());
        return FileMapping.tensor(buffer, entry.shape(), entry.dtype().scalarType());
    }

    private static Tensor copy(FileChannel channel, Entry entry, long maxBuffer) throws IOException {
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
