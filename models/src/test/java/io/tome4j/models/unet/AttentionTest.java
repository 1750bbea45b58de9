package io.tome4j.models.unet;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.AttentionMerge;
import io.tome4j.merging.KeyWeights;
import io.tome4j.merging.TokenMerge;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class AttentionTest {
    private static final int CHANNELS = 16;
    private static final int HEADS = 2;

    /** Keeps every second token; back, each stands for its neighbour too. */
    private static final TokenMerge HALF = new TokenMerge() {
        @Override
        public Tensor merge(Tensor x) {
            return x.slice(
                    1, new org.bytedeco.pytorch.LongOptional(0), new org.bytedeco.pytorch.LongOptional(x.size(1)), 2);
        }

        @Override
        public Tensor unmerge(Tensor x) {
            return x.repeat_interleave(
                    2, new org.bytedeco.pytorch.LongOptional(1), new org.bytedeco.pytorch.LongOptional());
        }
    };

    private record InMemory(Map<String, Tensor> tensors) implements StoredTensors {
        @Override
        public Set<String> names() {
            return tensors.keySet();
        }

        @Override
        public long[] shape(String name) {
            return Tensors.shape(load(name));
        }

        @Override
        public Tensor load(String name) {
            return tensors.get(name);
        }

        @Override
        public String origin(String name) {
            return "memory";
        }
    }

    private static Map<String, Tensor> weights() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (String name : new String[] {"to_q", "to_k", "to_v", "to_out.0"}) {
            tensors.put(name + ".weight", Tensors.randn(Tensors.generator(name.hashCode()), CHANNELS, CHANNELS));
        }
        tensors.put("to_out.0.bias", Tensors.randn(Tensors.generator(9), CHANNELS));
        return tensors;
    }

    /** Projections one by one, of what each is to see. */
    private static Tensor expected(Map<String, Tensor> weights, Tensor queries, Tensor keys) {
        Tensor attended = AttentionKernel.NAIVE.attend(
                torch.linear(queries, weights.get("to_q.weight")),
                torch.linear(keys, weights.get("to_k.weight")),
                torch.linear(keys, weights.get("to_v.weight")),
                HEADS);
        return torch.linear(attended, weights.get("to_out.0.weight"), new TensorOptional(weights.get("to_out.0.bias")));
    }

    @Test
    void queriesAndKeysSeeWhatTheMergeLeavesEachOfThem() {
        try (var scope = TensorScope.open();
                var weights = Weights.of(new InMemory(weights()), Placement.CPU_FP32)) {
            Attention attention = Attention.self(weights, CHANNELS, HEADS, AttentionKernel.EFFICIENT);
            Map<String, Tensor> w = weights();
            Tensor x = Tensors.randn(Tensors.generator(1), 2, 12, CHANNELS);
            Tensor half = HALF.merge(x);
            assertSame(attention.forward(x, AttentionMerge.NONE), expected(w, x, x));
            assertSame(attention.forward(x, AttentionMerge.of(HALF)), expected(w, half, half));
            AttentionMerge queries = new AttentionMerge(HALF, TokenMerge.NONE, KeyWeights.EQUAL);
            assertSame(attention.forward(x, queries), expected(w, half, x));
            AttentionMerge keys = new AttentionMerge(TokenMerge.NONE, HALF, KeyWeights.EQUAL);
            assertSame(attention.forward(x, keys), expected(w, x, half));
            // each key for two tokens: as if there were two of it, which changes nothing where all do
            KeyWeights twice = KeyWeights.bySize(torch.ones(2, 6, 1).mul(new org.bytedeco.pytorch.Scalar(2)));
            assertSame(attention.forward(x, new AttentionMerge(HALF, HALF, twice)), expected(w, half, half));
        }
    }

    private static void assertSame(Tensor actual, Tensor expected) {
        assertThat(Fixtures.maxDifference(actual, expected)).isLessThan(1e-4);
    }
}
