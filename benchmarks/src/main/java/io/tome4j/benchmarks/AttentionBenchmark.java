package io.tome4j.benchmarks;

import io.tome4j.merging.KeyWeights;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Self-attention with eight heads, of all tokens, of half of them, and of half of them weighted by size. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 3)
@Measurement(iterations = 3, time = 3)
@Fork(1)
public class AttentionBenchmark {
    private static final long HEADS = 8;

    @Param
    public AttentionKernel kernel = AttentionKernel.EFFICIENT;

    @Benchmark
    public long whole(Tokens tokens) {
        try (var scope = TensorScope.open()) {
            return kernel.attend(tokens.x, tokens.x, tokens.x, HEADS).size(1);
        }
    }

    @Benchmark
    public long merged(Tokens tokens) {
        try (var scope = TensorScope.open()) {
            Tensor x = half(tokens);
            return kernel.attend(x, x, x, HEADS).size(1);
        }
    }

    @Benchmark
    public long mergedAndSizeWeighted(Tokens tokens) {
        try (var scope = TensorScope.open()) {
            Tensor x = half(tokens);
            Tensor sizes = torch.ones(x.size(0), x.size(1), 1);
            return KeyWeights.bySize(sizes)
                    .attend(x, x, x, HEADS, KeyWeights.Attention.of(kernel))
                    .size(1);
        }
    }

    private static Tensor half(Tokens tokens) {
        return Tensors.slice(tokens.x, 1, 0, tokens.x.size(1) / 2).contiguous();
    }
}
