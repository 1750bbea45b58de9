package io.tome4j.models.unet;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.LayerNorm;
import io.tome4j.tensor.Linear;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** What an IP-Adapter makes tokens with, of what an image encoder gives. */
interface ImageProjection {
    /** What layer normalisations add to the variance. */
    double EPS = 1e-5;

    /**
     * @param image {@code [B, E]}, or, of those that look at states, {@code [B, N, E]}
     * @return {@code [B, M, D]}, in the open scope
     */
    Tensor forward(Tensor image);

    /** Of an image's embedding, {@code diffusers.ImageProjection}. */
    final class Plain implements ImageProjection {
        private final Linear proj;
        private final LayerNorm norm;
        private final int size;

        /** @param tokens how many */
        Plain(Weights weights, int embedding, int tokens, int size) {
            this.proj = Linear.of(weights.scope("proj"), embedding, (long) tokens * size);
            this.norm = LayerNorm.of(weights.scope("norm"), size, EPS);
            this.size = size;
        }

        @Override
        public Tensor forward(Tensor image) {
            try (var scope = TensorScope.open()) {
                return scope.release(norm.forward(proj.forward(image).view(image.size(0), -1, size)));
            }
        }
    }

    /** Of each of an image's states a token, {@code diffusers.IPAdapterFullImageProjection}. */
    final class Full implements ImageProjection {
        private final Linear first;
        private final Linear second;
        private final LayerNorm norm;

        Full(Weights weights, int state, int size) {
            this.first = Linear.of(weights.scope("proj.0"), state, state);
            this.second = Linear.of(weights.scope("proj.2"), state, size);
            this.norm = LayerNorm.of(weights.scope("proj.3"), size, EPS);
        }

        @Override
        public Tensor forward(Tensor image) {
            try (var scope = TensorScope.open()) {
                return scope.release(norm.forward(second.forward(torch.gelu(first.forward(image)))));
            }
        }
    }

    /** Learned queries that look at an image's states, {@code diffusers.IPAdapterPlusImageProjection}. */
    final class Resampler implements ImageProjection {
        /** Channels of an attention head. */
        static final int HEAD = 64;

        private final Tensor latents; // [1, M, H]
        private final Linear projIn;
        private final List<Layer> layers = new ArrayList<>();
        private final Linear projOut;
        private final LayerNorm normOut;

        /**
         * @param tokens how many
         * @param hidden channels within
         * @param heads of attention
         * @param inner channels of the feed-forward layers
         * @param depth how many layers
         */
        Resampler(
                Weights weights,
                int state,
                int tokens,
                int hidden,
                int heads,
                int inner,
                int depth,
                int size,
                AttentionKernel kernel) {
            this.latents = weights.take("latents", 1, tokens, hidden);
            this.projIn = Linear.of(weights.scope("proj_in"), state, hidden);
            for (int i = 0; i < depth; i++) {
                layers.add(new Layer(weights.scope("layers." + i), hidden, heads, inner, kernel));
            }
            this.projOut = Linear.of(weights.scope("proj_out"), hidden, size);
            this.normOut = LayerNorm.of(weights.scope("norm_out"), size, EPS);
        }

        @Override
        public Tensor forward(Tensor image) {
            try (var scope = TensorScope.open()) {
                Tensor seen = projIn.forward(image); // [B, N, H]
                Tensor hidden = latents.expand(image.size(0), -1, -1);
                for (Layer layer : layers) {
                    hidden = layer.forward(hidden, seen);
                }
                return scope.release(normOut.forward(projOut.forward(hidden)));
            }
        }

        private static final class Layer {
            private final LayerNorm seenNorm;
            private final LayerNorm queryNorm;
            private final Linear toQueries;
            private final Linear toPairs;
            private final Linear toOut;
            private final LayerNorm norm;
            private final Linear wide;
            private final Linear narrow;
            private final int heads;
            private final AttentionKernel kernel;

            Layer(Weights weights, int hidden, int heads, int inner, AttentionKernel kernel) {
                long channels = (long) HEAD * heads;
                this.seenNorm = LayerNorm.of(weights.scope("0.norm1"), hidden, EPS);
                this.queryNorm = LayerNorm.of(weights.scope("0.norm2"), hidden, EPS);
                this.toQueries = Linear.withoutBias(weights.scope("0.to_q"), hidden, channels);
                this.toPairs = Linear.withoutBias(weights.scope("0.to_kv"), hidden, 2 * channels);
                this.toOut = Linear.withoutBias(weights.scope("0.to_out"), channels, hidden);
                this.norm = LayerNorm.of(weights.scope("1.0"), hidden, EPS);
                this.wide = Linear.withoutBias(weights.scope("1.1"), hidden, inner);
                this.narrow = Linear.withoutBias(weights.scope("1.3"), inner, hidden);
                this.heads = heads;
                this.kernel = kernel;
            }

            /** The queries see the image, and each other. */
            Tensor forward(Tensor queries, Tensor seen) {
                try (var scope = TensorScope.open()) {
                    Tensor normed = queryNorm.forward(queries);
                    Tensor pairs = toPairs.forward(Tensors.cat(1, seenNorm.forward(seen), normed));
                    long channels = toQueries.out();
                    Tensor attended = kernel.attend(
                            toQueries.forward(normed),
                            Tensors.slice(pairs, 2, 0, channels),
                            Tensors.slice(pairs, 2, channels, 2 * channels),
                            heads);
                    Tensor hidden = toOut.forward(attended).add_(queries);
                    Tensor fed = narrow.forward(torch.gelu(wide.forward(norm.forward(hidden))));
                    return scope.release(fed.add_(hidden));
                }
            }
        }
    }
}
