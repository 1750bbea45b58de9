package io.tome4j.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Writes tensors as a safetensors file that any reader of the format accepts. */
public final class SafetensorsWriter {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long PIECE = 1L << 28;

    private SafetensorsWriter() {}

    /** As {@link #write(Path, Map, Map)}, without metadata. */
    public static void write(Path file, Map<String, Tensor> tensors) {
        write(file, tensors, Map.of());
    }

    /**
     * Writes a file, or replaces it; it is there {@linkplain WholeFile whole}, or not at all.
     *
     * @param tensors by name: of any shape, on any device, in a dtype that {@link SafetensorsFile} reads
     * @param metadata strings to keep beside the tensors
     * @throws TomeException if the file cannot be written
     */
    public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
        // The widest elements first: so every tensor is aligned in the file.
        List<Named> ordered = new ArrayList<>();
        tensors.forEach((name, tensor) -> ordered.add(new Named(name, tensor, dtype(name, tensor))));
        ordered.sort(
                Comparator.comparingInt((Named named) -> -named.dtype().bytes()).thenComparing(Named::name));
        WholeFile.write("file of tensors", file, part -> {
            try (FileChannel channel =
                    FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                writeFully(channel, header(ordered, metadata));
                for (Named named : ordered) {
                    writeData(channel, named.tensor());
                }
            }
        });
    }

    private record Named(String name, Tensor tensor, SafetensorsDType dtype) {}

    private static SafetensorsDType dtype(String name, Tensor tensor) {
        SafetensorsDType dtype = SafetensorsDType.of(tensor);
        if (dtype == null) {
            throw new TomeException("The tensor '" + name + "' cannot be written as safetensors: its dtype "
                    + Tensors.dtype(tensor) + " is none of " + SafetensorsDType.names() + ".");
        }
        return dtype;
    }

    private static ByteBuffer header(List<Named> tensors, Map<String, String> metadata) throws IOException {
        ObjectNode header = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            header.set(SafetensorsHeader.METADATA, JSON.valueToTree(metadata));
        }
        long end = 0;
        for (Named named : tensors) {
            long begin = end;
            end += named.tensor().numel() * named.dtype().bytes();
            ObjectNode entry = header.putObject(named.name());
            entry.put("dtype", named.dtype().name());
            entry.set("shape", JSON.valueToTree(Tensors.shape(named.tensor())));
            entry.set("data_offsets", JSON.valueToTree(new long[] {begin, end}));
        }
        byte[] json = JSON.writeValueAsBytes(header);
        int padded = (json.length + 7) / 8 * 8; // so that the data begins aligned
        ByteBuffer buffer = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(padded).put(json);
        while (buffer.hasRemaining()) {
            buffer.put((byte) ' ');
        }
        return buffer.flip();
    }

    private static void writeData(FileChannel channel, Tensor tensor) throws IOException {
        try (var scope = TensorScope.open()) {
            Tensor flat = tensor.to(new Device(torch.DeviceType.CPU), Tensors.dtype(tensor))
                    .contiguous();
            long length = flat.nbytes();
            for (long done = 0; done < length; done += PIECE) {
                long end = Math.min(length, done + PIECE);
                writeFully(
                        channel,
                        new BytePointer(flat.data_ptr())
                                .position(done)
                                .limit(end)
                                .asByteBuffer());
            }
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }
}
