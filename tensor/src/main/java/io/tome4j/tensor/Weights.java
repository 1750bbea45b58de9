package io.tome4j.tensor;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * A name-scoped view of a checkpoint's tensors, from which layers take theirs: {@code weights.scope("mid_block")}
 * sees {@code mid_block.attentions.0.norm.weight} as {@code attentions.0.norm.weight}.
 *
 * <p>Each tensor is brought from the checkpoint into the model's placement when it is taken. The root view owns what
 * was taken through it and through its scopes, and frees it when it is closed. It is strict: a missing tensor, a tensor
 * of another shape and (by {@link #requireAllTaken}) a tensor that nobody asked for are errors that name file and
 * tensor.
 */
public final class Weights implements AutoCloseable {
    /**
     * Where the tensors come from: {@linkplain StoredTensors stored ones}, or a source around another that renames,
     * changes or makes them. Those that wrap live in {@code io.tome4j.checkpoint}.
     */
    public interface Source {
        /** The names of all tensors that a model must take; a source that makes what it is asked for has none. */
        Set<String> names();

        /** Whether a tensor of this name can be loaded. */
        default boolean has(String name) {
            return names().contains(name);
        }

        /**
         * Loads a tensor, in the dtype it is stored in, on the CPU. The result belongs to the scope that is open, and must
         * not be changed.
         *
         * @param shape the sizes it must have
         * @throws TomeException if it is missing or has other sizes
         */
        Tensor load(String name, long[] shape);

        /**
         * Whether models may use what {@link #load} gives as it is, where it is in their placement already, instead of a
         * copy: it owns its memory, and is never changed. Files are read into memory of the model's own so, and two models can
         * share one set of weights.
         */
        default boolean isShared() {
            return false;
        }

        /** Where a tensor (or, for a name that is not there, the whole source) lies, for messages. */
        String origin(String name);

        /** What {@link #load} throws if there is no tensor of this name. */
        default TomeException missing(String name) {
            return new TomeException("The tensor '" + name + "' is missing from " + origin(name)
                    + ": the file belongs to another model than its config says, or is incomplete.");
        }
    }

    private final Source source;
    private final Placement placement;
    private final String prefix;
    private final Set<String> taken;
    private final List<Tensor> owned;
    private final List<Made> made;

    /**
     * A tensor that a layer has, and how it came about.
     *
     * @param names of the tensors it was made of
     * @param making makes it once more
     */
    private record Made(Tensor tensor, List<String> names, Supplier<Tensor> making) {}

    private Weights(
            Source source, Placement placement, String prefix, Set<String> taken, List<Tensor> owned, List<Made> made) {
        this.source = source;
        this.placement = placement;
        this.prefix = prefix;
        this.taken = taken;
        this.owned = owned;
        this.made = made;
    }

    /** The root view of a source; what is taken goes to {@code placement}. */
    public static Weights of(Source source, Placement placement) {
        return new Weights(source, placement, "", new HashSet<>(), new ArrayList<>(), new ArrayList<>());
    }

    public Placement placement() {
        return placement;
    }

    /** The same view, but what is taken through it goes to another placement. */
    public Weights placed(Placement other) {
        return new Weights(source, other, prefix, taken, owned, made);
    }

    /**
     * The same view of a source around this one's, under whose names all is taken from here on.
     *
     * @throws IllegalStateException if something was taken already, under the names of this one
     */
    public Weights through(UnaryOperator<Source> wrapping) {
        if (!taken.isEmpty()) {
            throw new IllegalStateException("Tensors of " + source.origin("") + " were taken under other names");
        }
        return new Weights(wrapping.apply(source), placement, prefix, taken, owned, made);
    }

    /** The view of what lies below a name. */
    public Weights scope(String name) {
        return new Weights(source, placement, prefix + name + ".", taken, owned, made);
    }

    /** Whether a tensor of this name is there. */
    public boolean has(String name) {
        return source.has(prefix + name);
    }

    /**
     * Takes a tensor; it lives until the root view is closed.
     *
     * @param name the tensor's name below this view
     * @param shape the sizes it must have
     * @throws TomeException if it is missing or has other sizes
     */
    public Tensor take(String name, long... shape) {
        return make(List.of(name), () -> {
            try (var scope = TensorScope.open()) {
                Tensor placed = load(name, shape);
                return scope.retain(shape.length == 4 ? placed.contiguous(MemoryFormat.ChannelsLast) : placed);
            }
        });
    }

    /**
     * Takes a tensor, and keeps only what a kernel makes of it.
     *
     * @param layOut gives the same tensor, or a part of it, in another layout or shape; no view
     */
    Tensor take(String name, UnaryOperator<Tensor> layOut, long... shape) {
        return takeJoined(List.of(name), layOut, shape);
    }

    /**
     * Takes several tensors of one shape as one, joined along their first dimension: the weights of layers that read
     * the same input.
     *
     * @param shape the sizes that each of them must have
     * @return {@code [names * shape[0], shape[1], ...]}
     */
    public Tensor takeJoined(List<String> names, long... shape) {
        return takeJoined(names, UnaryOperator.identity(), shape);
    }

    /**
     * Takes several tensors of one shape as one, and keeps only what a kernel makes of it.
     *
     * @param layOut gives the same tensor in another layout or shape
     */
    Tensor takeJoined(List<String> names, UnaryOperator<Tensor> layOut, long... shape) {
        return make(names, () -> {
            try (var scope = TensorScope.open()) {
                Tensor[] parts = names.stream().map(name -> load(name, shape)).toArray(Tensor[]::new);
                return scope.retain(layOut.apply(parts.length == 1 ? parts[0] : Tensors.cat(0, parts)));
            }
        });
    }

    private Tensor make(List<String> names, Supplier<Tensor> making) {
        Tensor tensor = own(making.get());
        made.add(new Made(tensor, names.stream().map(prefix::concat).toList(), making));
        return tensor;
    }

    /**
     * Takes tensors anew from the source, which gives others by now: layers that have them go on with the new ones, and
     * nothing else of the model changes. The model must not run meanwhile. If it fails, some are old and some are new.
     *
     * @param names the tensors, by their names in the source; those that nobody took are passed over
     * @throws TomeException if one cannot be loaded
     */
    public void takeAnew(Set<String> names) {
        for (Made one : made) {
            if (one.names().stream().anyMatch(names::contains)) {
                try (Tensor anew = one.making().get()) {
                    one.tensor().put(anew); // the handle that the layer has now refers to the new tensor
                }
            }
        }
    }

    /** A copy of a tensor in the model's placement, in the open scope. */
    private Tensor load(String name, long... shape) {
        String full = prefix + name;
        Tensor loaded = source.load(full, shape);
        taken.add(full);
        // A copy: the source may let go of it, or change it, while the model lives.
        boolean copy = !source.isShared();
        return loaded.to(placement.torchDevice(), placement.scalarType(), false, copy, new MemoryFormatOptional());
    }

    /**
     * Gives the root view a tensor that a layer made from what it took (one that lives beyond all scopes, from
     * {@link TensorScope#retain}), to be freed with the rest.
     */
    public Tensor own(Tensor retained) {
        owned.add(retained);
        return retained;
    }

    /** Marks a tensor as known and not needed, so that {@link #requireAllTaken} does not complain of it. */
    public void ignore(String name) {
        taken.add(prefix + name);
    }

    /** As {@link #ignore}, for all tensors whose names begin so. */
    public void ignoreBelow(String beginning) {
        source.names().stream()
                .filter(name -> name.startsWith(prefix + beginning))
                .forEach(taken::add);
    }

    /**
     * Checks that every tensor below this view was taken or ignored.
     *
     * @throws TomeException naming the first few that were not
     */
    public void requireAllTaken() {
        Set<String> unexpected = new TreeSet<>();
        for (String name : source.names()) {
            if (name.startsWith(prefix) && !taken.contains(name)) {
                unexpected.add(name);
            }
        }
        if (!unexpected.isEmpty()) {
            String first = unexpected.iterator().next();
            throw new TomeException("Unexpected in " + source.origin(first) + ": "
                    + String.join(
                            ", ",
                            unexpected.stream().limit(5).map(n -> "'" + n + "'").toList())
                    + (unexpected.size() > 5 ? " and " + (unexpected.size() - 5) + " more" : "")
                    + ". The model that its config describes has no such "
                    + (unexpected.size() == 1 ? "tensor." : "tensors."));
        }
    }

    /** Bytes of everything taken through this view and all its relatives, without what layouts are padded by. */
    public long bytes() {
        return owned.stream()
                .mapToLong(tensor -> tensor.numel() * tensor.element_size())
                .sum();
    }

    /** Frees everything taken through this view and all its relatives; the layers made from it must not run again. */
    @Override
    public void close() {
        owned.forEach(Tensor::close);
        owned.clear();
        made.clear();
    }
}
