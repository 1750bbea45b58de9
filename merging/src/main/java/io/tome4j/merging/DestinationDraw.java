package io.tome4j.merging;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.nio.ByteBuffer;
import java.util.function.Supplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Draws, for each cell of a token grid, which of its tokens is the destination. */
public interface DestinationDraw {
    /** Always the first token of a cell, its top left one. */
    DestinationDraw TOP_LEFT = (cells, tokensPerCell) -> new long[cells];

    /**
     * @param cells number of cells
     * @param tokensPerCell tokens in each
     * @return {@code cells} numbers in [0, {@code tokensPerCell}), in row-major order of the cells
     */
    long[] draw(int cells, int tokensPerCell);

    /** Draws that depend on the seed alone: what {@code torch.randint} gives on a CPU generator seeded so. */
    static DestinationDraw seeded(long seed) {
        return (cells, tokensPerCell) -> {
            try (var scope = TensorScope.open()) {
                return randint(Tensors.generator(seed), cells, tokensPerCell);
            }
        };
    }

    /**
     * Draws as tomesd makes them: from a copy of libtorch's default CPU generator, taken at the first draw, that runs on
     * from draw to draw.
     */
    static DestinationDraw forkedFromDefaultGenerator() {
        return new RunningOn(() -> torch.getDefaultCPUGenerator().clone());
    }

    /** As tomesd's draws after {@code torch.manual_seed(seed)}; libtorch's default generator is neither read nor changed. */
    static DestinationDraw runningOnFrom(long seed) {
        return new RunningOn(() -> Tensors.generator(seed));
    }

    private static long[] randint(Generator generator, int cells, int tokensPerCell) {
        return Tensors.longs(torch.randint(
                tokensPerCell,
                new long[] {cells},
                new GeneratorOptional(generator),
                new TensorOptions(ScalarType.Long)));
    }

    /** Holds the generator's state as bytes rather than the generator, so that nothing native has to be freed. */
    final class RunningOn implements DestinationDraw {
        private final Supplier<Generator> start;
        private byte[] state = {};

        private RunningOn(Supplier<Generator> start) {
            this.start = start;
        }

        @Override
        public synchronized long[] draw(int cells, int tokensPerCell) {
            try (var scope = TensorScope.open()) {
                Generator generator;
                if (state.length == 0) {
                    generator = start.get();
                } else {
                    generator = Tensors.generator(0);
                    generator.set_state(tensorOf(state));
                }
                long[] drawn = randint(generator, cells, tokensPerCell);
                state = bytesOf(generator.get_state());
                return drawn;
            }
        }

        private static byte[] bytesOf(Tensor tensor) {
            ByteBuffer buffer =
                    new BytePointer(tensor.data_ptr()).capacity(tensor.nbytes()).asByteBuffer();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return bytes;
        }

        private static Tensor tensorOf(byte[] bytes) {
            Tensor tensor = torch.zeros(new long[] {bytes.length}, new TensorOptions(ScalarType.Byte));
            new BytePointer(tensor.data_ptr()).put(bytes);
            return tensor;
        }
    }
}
