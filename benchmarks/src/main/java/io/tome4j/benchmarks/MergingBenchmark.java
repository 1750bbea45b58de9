package io.tome4j.benchmarks;

import io.tome4j.merging.MergePlan;
import io.tome4j.merging.Precision;
import io.tome4j.tensor.TensorScope;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Merging tokens, and unmerging them, by a plan that is there already. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class MergingBenchmark {
    /** A plan in a scope that stays open for the whole trial. */
    @State(Scope.Thread)
    public static class Plan {
        private TensorScope scope = TensorScope.open();
        private Tensor merged = new Tensor();
        private @org.jspecify.annotations.Nullable MergePlan plan;

        @Setup(Level.Trial)
        public void match(Tokens tokens) {
            scope.close();
            scope = TensorScope.open();
            plan = tokens.plan(Precision.FP32);
            merged = plan.merge(tokens.x);
        }

        @TearDown(Level.Trial)
        public void free() {
            scope.close();
        }
    }

    @Benchmark
    public long merge(Tokens tokens, Plan plan) {
        try (var scope = TensorScope.open()) {
            return java.util.Objects.requireNonNull(plan.plan).merge(tokens.x).size(1);
        }
    }

    @Benchmark
    public long unmerge(Plan plan) {
        try (var scope = TensorScope.open()) {
            return java.util.Objects.requireNonNull(plan.plan)
                    .unmerge(plan.merged)
                    .size(1);
        }
    }
}
