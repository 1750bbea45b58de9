package io.tome4j.diffusion;

import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.LongFunction;

/**
 * Refuses a request that would not fit into memory, and says what would: where memory is promised freely, the system
 * kills a process that uses too much of it, without a word.
 */
final class MemoryCheck {
    private static final int STEP = 64; // pixels
    private static final double GIGA = 1 << 30;

    private final Function<Request, MemoryEstimate> estimate;
    private final Function<Request, MemoryEstimate> withEfficientAttention;

    /**
     * @param estimate for a request with its size set
     * @param withEfficientAttention likewise, were attention computed by {@link AttentionKernel#EFFICIENT}
     */
    MemoryCheck(Function<Request, MemoryEstimate> estimate, Function<Request, MemoryEstimate> withEfficientAttention) {
        this.estimate = estimate;
        this.withEfficientAttention = withEfficientAttention;
    }

    /**
     * @param request with its size set
     * @param available says how many bytes are free, given how many are needed; empty where nobody knows, and nothing
     *     is refused
     * @throws TomeException if it would not fit
     */
    void require(Request request, LongFunction<OptionalLong> available) {
        long needed = estimate.apply(request).beyondWeights();
        OptionalLong free = available.apply(needed);
        if (free.isEmpty() || needed <= free.getAsLong()) {
            return;
        }
        List<String> advice = new ArrayList<>();
        if (withEfficientAttention.apply(request).beyondWeights() <= free.getAsLong()) {
            advice.add("attention 'efficient'");
        }
        if (request.images() > 1 && estimate.apply(oneImage(request)).beyondWeights() <= free.getAsLong()) {
            advice.add("one image at a time");
        }
        smallerSize(request, free.getAsLong()).ifPresent(side -> advice.add("a size of " + side + "x" + side));
        throw TomeException.about(
                "memory_check",
                String.format(
                        Locale.ROOT,
                        "%d x %d pixels%s need about %.1f GB besides the model, and %.1f GB are free. %s The check can be"
                                + " switched off (memory_check).",
                        request.width(),
                        request.height(),
                        request.images() == 1 ? "" : " and " + request.images() + " images at a time",
                        needed / GIGA,
                        free.getAsLong() / GIGA,
                        advice.isEmpty()
                                ? "No smaller size would fit."
                                : "What would fit: " + String.join("; or ", advice) + "."));
    }

    private static Request oneImage(Request request) {
        return request.prompts(request.prompts().subList(0, 1)).imagesPerPrompt(1);
    }

    private OptionalLong smallerSize(Request request, long free) {
        int side = Math.min(request.width(), request.height());
        for (int smaller = (side - 1) / STEP * STEP; smaller >= STEP; smaller -= STEP) {
            if (estimate.apply(request.size(smaller, smaller)).beyondWeights() <= free) {
                return OptionalLong.of(smaller);
            }
        }
        return OptionalLong.empty();
    }
}
