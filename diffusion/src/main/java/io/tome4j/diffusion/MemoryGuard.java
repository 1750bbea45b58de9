package io.tome4j.diffusion;

import io.tome4j.merging.TokenGrid;
import io.tome4j.models.vae.VaeTiling;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DeviceMemory;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TomeException;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * Foresees what memory a request needs, refuses what would not fit, and decodes in tiles where the whole would not.
 *
 * @param stages whose memory it is
 */
record MemoryGuard(Stages stages) {
    /**
     * How much memory a request needs, about.
     *
     * @param request its size may be left to the model
     */
    MemoryEstimate estimate(Request request) {
        return estimate(request, stages.options().attention());
    }

    private MemoryEstimate estimate(Request request, AttentionKernel kernel) {
        TokenGrid grid = request.latentGrid(stages.denoiser().nominalGrid());
        long rows = (long) new Guidance(request.guidanceScale()).copies() * request.images();
        return new MemoryEstimate(
                stages.weightBytes(),
                stages.denoiser().forwardBytes(rows, grid, kernel),
                stages.decoder().bytes(grid, tiling(grid)));
    }

    /**
     * @param request with its size set
     * @throws TomeException if it would not fit, unless the pipeline's options switch the check off
     */
    void require(Request request) {
        if (stages.options().memoryCheck()) {
            new MemoryCheck(this::estimate, asked -> estimate(asked, AttentionKernel.EFFICIENT))
                    .require(request, this::available);
        }
    }

    /** Tiles, even where the image would not need any for its size, if it would otherwise not fit into memory. */
    VaeTiling tiling(TokenGrid grid) {
        long whole = stages.decoder().bytes(grid, VaeTiling.AUTO);
        OptionalLong free = available(whole);
        return free.isPresent() && whole > free.getAsLong() ? VaeTiling.ON : VaeTiling.AUTO;
    }

    /**
     * On the CPU alone: CUDA refuses an allocation that does not fit, and keeps what it once had for later.
     *
     * @param needed bytes; if there are less, what malloc keeps for later is given back first
     */
    private OptionalLong available(long needed) {
        if (stages.placement().device() != ComputeDevice.CPU) {
            return OptionalLong.empty();
        }
        DeviceMemory memory = DeviceMemory.of(stages.placement());
        OptionalLong free = memory.available();
        if (free.isPresent() && free.getAsLong() < needed) {
            memory.releaseUnused();
            free = memory.available();
        }
        return free;
    }

    /** The failure itself, or, if memory ran out, one that says so. */
    RuntimeException explained(RuntimeException e, Request request) {
        String message = String.valueOf(e.getMessage());
        if (e instanceof TomeException
                || !(message.contains("out of memory") || message.contains("can't allocate memory"))) {
            return e;
        }
        return new TomeException(
                String.format(
                        Locale.ROOT,
                        "Memory ran out; about %.1f GB besides the model were expected to do. A smaller size, fewer images"
                                + " at a time or attention 'efficient' need less. (%s)",
                        estimate(request).beyondWeights() / (double) (1 << 30),
                        Engine.firstLine(message)),
                e);
    }
}
