package io.tome4j.evaluation.bench;

import io.tome4j.models.unet.UNetConfig;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A UNet's weights without a checkpoint, each tensor drawn when it is asked for: the speed does not depend on them. Weights
 * are scaled so that activations keep a sane size, norms and biases begin as training begins them. The same seed draws the
 * same weights.
 */
final class RandomWeights implements Weights.Source {
    private final Map<String, long[]> shapes;
    private final long seed;

    private RandomWeights(Map<String, long[]> shapes, long seed) {
        this.shapes = shapes;
        this.seed = seed;
    }

    /** All the tensors that a UNet of this config has, under the names that its checkpoint uses. */
    static RandomWeights of(UNetConfig config, long seed) {
        return new RandomWeights(new Names(config).all(), seed);
    }

    @Override
    public Set<String> names() {
        return shapes.keySet();
    }

    @Override
    public long[] shape(String name) {
        return sizes(name).clone();
    }

    @Override
    public Tensor load(String name) {
        long[] shape = sizes(name);
        if (name.endsWith(".bias")) {
            return torch.zeros(shape);
        }
        if (shape.length == 1) {
            return torch.ones(shape); // of a norm
        }
        long fanIn = 1;
        for (int i = 1; i < shape.length; i++) {
            fanIn *= shape[i];
        }
        try (var scope = TensorScope.open()) {
            Generator generator = Tensors.generator(seed + name.hashCode());
            return scope.release(Tensors.randn(generator, shape).mul_(new Scalar(1 / Math.sqrt(fanIn))));
        }
    }

    private long[] sizes(String name) {
        long[] sizes = shapes.get(name);
        if (sizes == null) {
            throw new IllegalArgumentException("This UNet has no tensor " + name);
        }
        return sizes;
    }

    @Override
    public String origin(String name) {
        return "random weights";
    }

    /** The names and sizes of a UNet's tensors. */
    private static final class Names {
        private final UNetConfig config;
        private final List<Integer> channels;
        private final Map<String, long[]> shapes = new LinkedHashMap<>();

        Names(UNetConfig config) {
            this.config = config;
            this.channels = config.blockOutChannels();
        }

        Map<String, long[]> all() {
            int first = channels.get(0);
            int time = config.timeEmbeddingSize();
            int last = config.levels() - 1;
            conv("conv_in", config.inChannels(), first, 3);
            linear("time_embedding.linear_1", first, time);
            linear("time_embedding.linear_2", time, time);
            for (int level = 0; level <= last; level++) {
                down("down_blocks." + level + ".", level);
            }
            resnet("mid_block.resnets.0", channels.get(last), channels.get(last));
            transformer("mid_block.attentions.0", channels.get(last));
            resnet("mid_block.resnets.1", channels.get(last), channels.get(last));
            for (int number = 0; number <= last; number++) {
                up("up_blocks." + number + ".", number);
            }
            norm("conv_norm_out", first);
            conv("conv_out", first, config.outChannels(), 3);
            return shapes;
        }

        private void down(String block, int level) {
            int out = channels.get(level);
            for (int i = 0; i < config.layersPerBlock(); i++) {
                resnet(block + "resnets." + i, i == 0 ? channels.get(Math.max(0, level - 1)) : out, out);
                if (config.downAttention().get(level)) {
                    transformer(block + "attentions." + i, out);
                }
            }
            if (level < config.levels() - 1) {
                conv(block + "downsamplers.0.conv", out, out, 3);
            }
        }

        private void up(String block, int number) {
            int level = config.levels() - 1 - number;
            int out = channels.get(level);
            int previous = channels.get(Math.min(config.levels() - 1, level + 1));
            int layers = config.layersPerBlock() + 1;
            for (int i = 0; i < layers; i++) {
                int skip = i == layers - 1 ? channels.get(Math.max(0, level - 1)) : out;
                resnet(block + "resnets." + i, (i == 0 ? previous : out) + skip, out);
                if (config.upAttention().get(number)) {
                    transformer(block + "attentions." + i, out);
                }
            }
            if (level > 0) {
                conv(block + "upsamplers.0.conv", out, out, 3);
            }
        }

        private void resnet(String name, int in, int out) {
            norm(name + ".norm1", in);
            conv(name + ".conv1", in, out, 3);
            linear(name + ".time_emb_proj", config.timeEmbeddingSize(), out);
            norm(name + ".norm2", out);
            conv(name + ".conv2", out, out, 3);
            if (in != out) {
                conv(name + ".conv_shortcut", in, out, 1);
            }
        }

        private void transformer(String name, int size) {
            norm(name + ".norm", size);
            projection(name + ".proj_in", size);
            for (int i = 0; i < config.transformerLayers(); i++) {
                String block = name + ".transformer_blocks." + i + ".";
                attention(block + "attn1", size, size);
                attention(block + "attn2", size, config.crossAttentionDim());
                for (int norm = 1; norm <= 3; norm++) {
                    norm(block + "norm" + norm, size);
                }
                linear(block + "ff.net.0.proj", size, 8 * size);
                linear(block + "ff.net.2", 4 * size, size);
            }
            projection(name + ".proj_out", size);
        }

        private void attention(String name, int size, int textSize) {
            matrix(name + ".to_q", size, size);
            matrix(name + ".to_k", textSize, size);
            matrix(name + ".to_v", textSize, size);
            linear(name + ".to_out.0", size, size);
        }

        private void projection(String name, int size) {
            if (config.useLinearProjection()) {
                linear(name, size, size);
            } else {
                conv(name, size, size, 1);
            }
        }

        private void conv(String name, int in, int out, int kernel) {
            shapes.put(name + ".weight", new long[] {out, in, kernel, kernel});
            shapes.put(name + ".bias", new long[] {out});
        }

        private void linear(String name, int in, int out) {
            matrix(name, in, out);
            shapes.put(name + ".bias", new long[] {out});
        }

        private void matrix(String name, int in, int out) {
            shapes.put(name + ".weight", new long[] {out, in});
        }

        private void norm(String name, int size) {
            shapes.put(name + ".weight", new long[] {size});
            shapes.put(name + ".bias", new long[] {size});
        }
    }
}
