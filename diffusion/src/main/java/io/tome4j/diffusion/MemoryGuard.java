package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.PromptSyntax;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.vae.AutoencoderKL;
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
 * @param guides the networks besides that guide the model, as far as they are loaded
 */
record MemoryGuard(Stages stages, GuideNetworks guides) {
    /** Latents of an image that is decoded as a whole where nobody knows how much memory is free: 1024x1024 pixels. */
    private static final int LARGEST_WHOLE = 128 * 128;

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
        long rows = (long) copies(request) * request.imagesAtATime();
        return new MemoryEstimate(
                stages.weightBytes() + guides.weightBytes(),
                Math.max(
                        stages.denoiser().forwardBytes(rows, grid, kernel) + guides.besidePass(request, rows, grid),
                        stages.refiner()
                                .map(refiner -> refiner.denoiser().forwardBytes(rows, grid, kernel))
                                .orElse(0L)),
                Math.max(
                        decodeBytes(stages.decoder(), grid),
                        stages.previews()
                                .map(decoder -> decodeBytes(decoder, grid))
                                .orElse(0L)));
    }

    private long decodeBytes(ImageDecoder decoder, TokenGrid grid) {
        return decoder.bytes(grid, decodesInTiles(grid));
    }

    /** How often the batch holds each image. */
    private int copies(Request request) {
        boolean inParts = request.promptSyntax() == PromptSyntax.A1111;
        Guidance guidance =
                stages.denoiser().isToldGuidance() ? Guidance.OFF : Guidance.of(stages.withDefaults(request));
        return guidance.copies() + (inParts ? ComposedPrompts.mostParts(request) - 1 : 0);
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

    /** Whether images of this size are decoded in tiles. */
    boolean decodesInTiles(TokenGrid grid) {
        if (Math.max(grid.height(), grid.width()) <= AutoencoderKL.TILE) {
            return false;
        }
        if (stages.options().vaeTiling() != VaeTiling.AUTO) {
            return stages.options().vaeTiling() == VaeTiling.ON;
        }
        long whole = stages.decoder().bytes(grid, false);
        OptionalLong free = available(whole);
        return free.isPresent() ? whole > free.getAsLong() : grid.tokens() > LARGEST_WHOLE;
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
        return new MemoryRanOutException(
                String.format(
                        Locale.ROOT,
                        "Memory ran out; about %.1f GB besides the model were expected to do. A smaller size, fewer images"
                                + " at a time or attention 'efficient' need less. (%s)",
                        estimate(request).beyondWeights() / (double) (1 << 30),
                        Engine.firstLine(message)),
                e);
    }
}
