package io.tome4j.evaluation.run;

import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Where finished images are kept with what they took, so that a run that was stopped need not make them twice. */
public interface ResultStore {
    /** Keeps nothing. */
    ResultStore NONE = new ResultStore() {
        @Override
        public boolean has(ResultKey key) {
            return false;
        }

        @Override
        public Optional<Kept> find(ResultKey key) {
            return Optional.empty();
        }

        @Override
        public Kept keep(ResultKey key, Made made) {
            return Kept.of(made);
        }
    };

    /**
     * A finished image.
     *
     * @param image the image
     * @param times what it took
     * @param map which tokens were merged, if that was recorded
     */
    record Kept(BufferedImage image, Times times, Optional<KeptMap> map) {
        static Kept of(Made made) {
            return new Kept(made.image(), made.times(), made.map().map(map -> KeptMap.of(map, made.image())));
        }
    }

    /**
     * A merge map, drawn.
     *
     * @param image the map
     * @param block the block's name in the model
     * @param step the step, from 0
     * @param tokens tokens before merging
     * @param groups tokens after merging
     */
    record KeptMap(BufferedImage image, String block, int step, int tokens, int groups) {
        static KeptMap of(MergeMap map, BufferedImage image) {
            return new KeptMap(
                    map.draw(image), map.block(), map.step(), map.grid().tokens(), map.groups());
        }
    }

    /**
     * An image that is in the store now.
     *
     * @param making how long it took to make; empty if it was there already
     */
    record Finished(Kept kept, Optional<Duration> making) {}

    /** Whether an image is there; {@link #find} may still find it damaged. */
    boolean has(ResultKey key);

    /** An image that was kept, whole. */
    Optional<Kept> find(ResultKey key);

    /**
     * Keeps an image.
     *
     * @return what will be found from now on
     */
    Kept keep(ResultKey key, Made made);

    /**
     * An image from the store, made and kept if it is not there.
     *
     * @param mapped whether one without a merge map is made anew
     */
    default Finished findOrMake(ResultKey key, boolean mapped, Supplier<Made> maker) {
        Optional<Kept> found = find(key).filter(kept -> !mapped || kept.map().isPresent());
        if (found.isPresent()) {
            return new Finished(found.get(), Optional.empty());
        }
        Made made = maker.get();
        return new Finished(keep(key, made), Optional.of(made.took()));
    }

    /**
     * The same store, writing only through a guard.
     *
     * @param guard runs what it is given, at once, and sees to it that it is not cut off
     */
    default ResultStore guardedBy(Consumer<Runnable> guard) {
        return new GuardedStore(this, guard);
    }
}
