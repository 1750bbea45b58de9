package io.tome4j.models.unet;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.StoredTensors;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.util.function.Predicate;

/**
 * What the tensors of an IP-Adapter's file tell of it: it has no config.
 *
 * @param stored the tensors
 * @param kind how it makes tokens
 */
record IPAdapterFile(StoredTensors stored, Kind kind) {
    private static final String PROJECTION = "image_proj.";
    private static final String FIRST = "ip_adapter.1.to_k_ip.weight";

    /** Tokens that are made of an embedding, always. */
    private static final int TOKENS = 4;

    enum Kind {
        PLAIN,
        FULL,
        PLUS
    }

    /** @throws TomeException if it is no IP-Adapter, of a kind that is not supported, or for another model */
    static IPAdapterFile of(StoredTensors file, UNetConfig unet) {
        if (!any(file, name -> name.startsWith(PROJECTION)) || !any(file, name -> name.startsWith("ip_adapter."))) {
            throw new TomeException(file.origin("") + " is no IP-Adapter: it has no tensors '" + PROJECTION
                    + "...' and 'ip_adapter....'.");
        }
        IPAdapterFile read = new IPAdapterFile(file, kind(file));
        long textSize = read.size(FIRST, 1);
        if (textSize != unet.crossAttentionDim()) {
            throw new TomeException("The IP-Adapter " + file.origin("") + " is for " + ControlNetFile.family(textSize)
                    + ", and the model is " + ControlNetFile.family(unet.crossAttentionDim())
                    + ": choose an IP-Adapter of the model's family.");
        }
        return read;
    }

    private static Kind kind(StoredTensors file) {
        if (file.has(PROJECTION + "proj.weight")) {
            return Kind.PLAIN;
        }
        if (file.has(PROJECTION + "proj.3.weight")) {
            return Kind.FULL;
        }
        if (file.has(PROJECTION + "latents")) {
            return Kind.PLUS;
        }
        throw new TomeException("The IP-Adapter " + file.origin("") + " goes by a face that another program has found"
                + " (FaceID), or is of a kind that is not known: plain ones, full ones and those called 'plus' are"
                + " supported.");
    }

    private static boolean any(StoredTensors file, Predicate<String> test) {
        return file.names().stream().anyMatch(test);
    }

    /** Whether it looks at states, and not at an embedding. */
    boolean seesStates() {
        return kind != Kind.PLAIN;
    }

    /** Size of what it looks at. */
    int seenSize() {
        return switch (kind) {
            case PLAIN -> size(PROJECTION + "proj.weight", 1);
            case FULL -> size(PROJECTION + "proj.0.weight", 1);
            case PLUS -> size(PROJECTION + "proj_in.weight", 1);
        };
    }

    /** @param weights the view of {@code image_proj} */
    ImageProjection projection(Weights weights, AttentionKernel kernel) {
        int textSize = size(FIRST, 1);
        return switch (kind) {
            case PLAIN -> new ImageProjection.Plain(weights, seenSize(), TOKENS, textSize);
            case FULL -> new ImageProjection.Full(weights, seenSize(), textSize);
            case PLUS ->
                new ImageProjection.Resampler(
                        weights,
                        seenSize(),
                        size(PROJECTION + "latents", 1),
                        size(PROJECTION + "latents", 2),
                        size(PROJECTION + "layers.0.0.to_q.weight", 0) / ImageProjection.Resampler.HEAD,
                        size(PROJECTION + "layers.0.1.1.weight", 0),
                        depth(),
                        textSize,
                        kernel);
        };
    }

    private int depth() {
        int layers = 0;
        while (stored.has(PROJECTION + "layers." + layers + ".0.to_q.weight")) {
            layers++;
        }
        return layers;
    }

    private int size(String name, int dimension) {
        if (!stored.has(name)) {
            throw stored.missing(name);
        }
        long[] shape = stored.shape(name);
        if (dimension >= shape.length) {
            throw new TomeException("The tensor '" + name + "' in " + stored.origin(name) + " has " + shape.length
                    + " dimensions: it is none of an IP-Adapter.");
        }
        return (int) shape[dimension];
    }
}
