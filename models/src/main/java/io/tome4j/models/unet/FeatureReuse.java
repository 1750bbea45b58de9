package io.tome4j.models.unet;

import io.tome4j.models.unet.UNetLayout.Cut;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The deep features of a run, which change little from step to step: a pass keeps them, and later passes compute only the
 * shallow part of the UNet around them (DeepCache, arXiv 2312.00858, section 3.3). It belongs to one run and one model, and
 * owns the memory of what it keeps. For one thread at a time.
 */
public final class FeatureReuse implements AutoCloseable {
    /** Keeps nothing and reuses nothing. */
    public static final FeatureReuse NONE = new FeatureReuse(Optional.empty());

    private final Optional<Cut> cut;
    private @Nullable Tensor kept; // [B, C, H, W], none before the first pass
    private boolean closed;

    private FeatureReuse(Optional<Cut> cut) {
        this.cut = cut;
    }

    /** Reuse of what lies beyond a cut; {@link UNet2DConditionModel#reuse} makes one that fits the model. */
    static FeatureReuse beyond(Cut cut) {
        return new FeatureReuse(Optional.of(cut));
    }

    /**
     * What a forward pass does about deep features.
     *
     * @param run whose they are
     * @param reuses whether it takes the kept ones, if there are any that fit; otherwise it computes all, and keeps them
     */
    public record Pass(FeatureReuse run, boolean reuses) {
        /** Computes all and keeps nothing. */
        public static final Pass WHOLE = new Pass(NONE, false);

        /** Where the kept features have their place; empty if none are kept. */
        Optional<Cut> cut() {
            return run.cut;
        }

        /**
         * The kept features.
         *
         * @param rows of this pass's batch; where more were kept, the last so many, which are those with the prompt
         * @return {@code [rows, C, H, W]}; empty if this pass is to compute them
         */
        Optional<Tensor> kept(long rows) {
            Tensor features = run.kept;
            if (!reuses || features == null || features.size(0) < rows) {
                run.free(); // the pass makes others
                return Optional.empty();
            }
            return Optional.of(Tensors.slice(features, 0, features.size(0) - rows, features.size(0)));
        }

        /** Keeps features for later passes. */
        void keep(Tensor features) {
            run.keep(features);
        }
    }

    /** A forward pass that reuses the kept features, or computes and keeps them. */
    public Pass pass(boolean reuses) {
        return new Pass(this, reuses);
    }

    private void keep(Tensor features) {
        if (closed) {
            throw new IllegalStateException("This reuse of features is closed: another run opens its own");
        }
        try (var scope = TensorScope.open()) {
            kept = scope.retain(new Tensor(features));
        }
    }

    private void free() {
        if (kept != null) {
            kept.close();
            kept = null;
        }
    }

    /** Frees the features. Closing twice does no harm. */
    @Override
    public void close() {
        closed = cut.isPresent();
        free();
    }
}
