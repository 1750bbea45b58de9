package io.tome4j.benchmarks;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Attention in bf16 at the shapes of Stable Diffusion 1.5, keys and values from one projection as the UNet has them. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 3)
@Measurement(iterations = 3, time = 3)
@Fork(1)
public class HeadsBenchmark {
    @Param
    public AttentionKernel kernel = AttentionKernel.EFFICIENT;

    /** Queries, keys and head size of each of eight heads. */
    @Param({"4096 4096 40", "1024 1024 80", "256 256 160", "16384 16384 40", "4096 77 40", "1024 77 80", "256 77 160"})
    public String shape = "";

    private static final long HEADS = 8;

    private Tensor queries = new Tensor(); // [1, N, 8 d]
    private Tensor keys = new Tensor(); // [1, M, 8 d]
    private Tensor values = new Tensor();

    @Setup(Level.Trial)
    public void draw() {
        long[] sizes =
                Arrays.stream(shape.split(" ")).mapToLong(Long::parseLong).toArray();
        long channels = HEADS * sizes[2];
        try (var scope = TensorScope.open()) {
            var bf16 = new Placement(ComputeDevice.CPU, DType.BF16);
            queries = scope.retain(bf16.place(Tensors.randn(Tensors.generator(1), 1, sizes[0], channels)));
            Tensor pairs = bf16.place(Tensors.randn(Tensors.generator(2), 1, sizes[1], 2 * channels));
            keys = scope.retain(Tensors.slice(pairs, 2, 0, channels));
            values = scope.retain(Tensors.slice(pairs, 2, channels, 2 * channels));
        }
    }

    @Benchmark
    public long attend() {
        try (var scope = TensorScope.open()) {
            return kernel.attend(queries, keys, values, HEADS).size(1);
        }
    }
}
