package io.tome4j.evaluation.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A store that writes through a guard, such as one that holds an interruption off. */
record GuardedStore(ResultStore store, Consumer<Runnable> guard) implements ResultStore {
    @Override
    public boolean has(ResultKey key) {
        return store.has(key);
    }

    @Override
    public Optional<Kept> find(ResultKey key) {
        return store.find(key);
    }

    @Override
    public Kept keep(ResultKey key, Made made) {
        List<Kept> kept = new ArrayList<>();
        guard.accept(() -> kept.add(store.keep(key, made)));
        return kept.get(0);
    }
}
