package io.tome4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Layers, whose weights oneDNN may have laid out its own way, against libtorch's functions on plain weights. */
class LayersTest {
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

    private static Tensor random(long seed, Placement placement, long... shape) {
        return placement.place(Tensors.randn(Tensors.generator(seed), shape));
    }

    private static void assertSame(Tensor actual, Tensor expected, DType dtype) {
        assertThat(Tensors.shape(actual)).isEqualTo(Tensors.shape(expected));
        assertThat(Tensors.dtype(actual)).isEqualTo(Tensors.dtype(expected));
        double difference = actual.sub(expected).abs().max().item_float();
        double largest = expected.abs().max().item_float();
        assertThat(difference).isLessThanOrEqualTo(largest * (dtype == DType.FP32 ? 1e-5 : 1e-2));
    }

    @ParameterizedTest
    @CsvSource({
        "FP32, 4, 320, 3, 1, 1", "FP32, 16, 3, 3, 2, 0", "FP32, 12, 20, 1, 1, 0",
        "BF16, 4, 320, 3, 1, 1", "BF16, 16, 3, 3, 2, 0", "BF16, 12, 20, 1, 1, 0",
        "BF16, 32, 48, 3, 1, 1", "BF16, 32, 48, 3, 2, 1", "BF16, 32, 48, 3, 1, 0"
    })
    void convolutionsAreTorchs(DType dtype, int in, int out, int kernel, int stride, int padding) {
        var placement = new Placement(ComputeDevice.CPU, dtype);
        try (var scope = TensorScope.open()) {
            Tensor weight = random(1, placement, out, in, kernel, kernel);
            Tensor bias = random(2, placement, out);
            var source = new InMemory(Map.of("weight", weight, "bias", bias));
            try (var weights = Weights.of(source, placement)) {
                Conv2d layer = Conv2d.of(weights, in, out, kernel, stride, padding);
                for (long[] size : new long[][] {{1, 64, 64}, {3, 17, 9}, {2, 8, 8}}) {
                    Tensor x =
                            random(3, placement, size[0], in, size[1], size[2]).contiguous(MemoryFormat.ChannelsLast);
                    Tensor expected = torch.conv2d(
                            x,
                            weight,
                            new TensorOptional(bias),
                            new long[] {stride, stride},
                            new long[] {padding, padding},
                            new long[] {1, 1},
                            1);
                    Tensor actual = layer.forward(x);
                    assertSame(actual, expected, dtype);
                    assertThat(actual.is_contiguous(MemoryFormat.ChannelsLast)).isTrue();
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"FP32", "BF16"})
    void linearLayersAreTorchsHoweverTheirWeightsAreTaken(DType dtype) {
        var placement = new Placement(ComputeDevice.CPU, dtype);
        try (var scope = TensorScope.open()) {
            Tensor weight = random(1, placement, 48, 40);
            Tensor bias = random(2, placement, 48);
            Tensor other = random(3, placement, 48, 40);
            var source = new InMemory(Map.of(
                    "weight",
                    weight,
                    "bias",
                    bias,
                    "other",
                    other,
                    "conv.weight",
                    weight.view(48, 40, 1, 1),
                    "conv.bias",
                    bias));
            try (var weights = Weights.of(source, placement)) {
                Linear plain = Linear.of(weights, 40, 48);
                Linear conv = Linear.ofConv1x1(weights.scope("conv"), 40, 48);
                Linear joined = Linear.joined(weights, List.of("weight", "other"), 40, 48);
                List<Linear> parts = Linear.split(weights, 40, 48, 3);
                assertThat(plain.in()).isEqualTo(40);
                assertThat(joined.out()).isEqualTo(96);
                for (long rows : new long[] {1, 77, 1000}) {
                    Tensor x = random(4, placement, 2, rows, 40);
                    Tensor expected = torch.linear(x, weight, new TensorOptional(bias));
                    assertSame(plain.forward(x), expected, dtype);
                    assertSame(conv.forward(x), expected, dtype);
                    assertSame(joined.forward(x), torch.linear(x, Tensors.cat(0, weight, other)), dtype);
                    Tensor[] pieces =
                            parts.stream().map(part -> part.forward(x)).toArray(Tensor[]::new);
                    assertSame(Tensors.cat(2, pieces), expected, dtype);
                }
            }
        }
    }
}
