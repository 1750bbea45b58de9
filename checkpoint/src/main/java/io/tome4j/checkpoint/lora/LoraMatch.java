package io.tome4j.checkpoint.lora;

import io.tome4j.checkpoint.lora.LoraNames.Place;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Where what a LoRA file holds belongs in a model.
 *
 * <ol>
 *   <li>Each of the file's modules is looked up among the model's, under all names that files give them.
 *   <li>A file that is known to be for another family than the model, or that fits in names but not in shapes, is refused;
 *       so is one of which nothing fits.
 *   <li>What else fits nowhere is listed: it is never left out in silence. So is what a file has for a module a second time,
 *       under another of its names: it is added once.
 * </ol>
 */
public final class LoraMatch {
    private final LoraFile file;
    private final List<LoraTarget> targets;
    private final Map<LoraModule, Place> places = new LinkedHashMap<>();
    private final List<String> leftOut = new ArrayList<>();

    private LoraMatch(LoraFile file, List<LoraTarget> targets) {
        this.file = file;
        this.targets = targets;
    }

    /**
     * Matches a file with a model.
     *
     * @throws TomeException if it is for another family, nothing of it fits, or it is damaged
     */
    public static LoraMatch of(LoraFile file, List<LoraTarget> targets) {
        LoraMatch match = new LoraMatch(file, targets);
        match.requireSameFamily();
        LoraNames names = new LoraNames(targets);
        Set<String> taken = new HashSet<>();
        for (LoraModule module : file.modules()) {
            names.of(module.spelled())
                    .filter(place -> match.isThere(module, place))
                    .filter(place -> taken.add(place.target().component() + "." + place.module()))
                    .ifPresentOrElse(
                            place -> match.places.put(module, place), () -> match.leftOut.addAll(module.keys()));
        }
        match.leftOut.addAll(file.unknown());
        if (match.places.isEmpty() && file.embeddings().isEmpty()) {
            throw match.nothingFits();
        }
        return match;
    }

    /** A module may have no bias that a delta could be added to. */
    private boolean isThere(LoraModule module, Place place) {
        String bias = place.module() + ".bias";
        if (module.changesBias() && !place.target().tensors().has(bias)) {
            return false;
        }
        if (module.changesWeight()) {
            String weight = place.module() + ".weight";
            long[] shape = place.target().tensors().shape(weight);
            if (!module.fitsWeight(shape, place.module().equals("conv_in"))) {
                throw otherShape(module, place.target().component() + "." + weight, shape);
            }
        }
        if (module.changesBias() && !module.fitsBias(place.target().tensors().shape(bias))) {
            throw otherShape(
                    module,
                    place.target().component() + "." + bias,
                    place.target().tensors().shape(bias));
        }
        return true;
    }

    private void requireSameFamily() {
        Optional<String> ofFile = LoraFamily.of(file);
        Optional<String> ofModel = LoraFamily.of(targets);
        if (ofFile.isPresent() && ofModel.isPresent() && !ofFile.equals(ofModel)) {
            throw otherFamily(ofFile.get());
        }
    }

    private TomeException otherFamily(String family) {
        return new TomeException("The LoRA " + file.path() + " is for " + family + sees(LoraFamily.textSize(file))
                + ", and the model is " + LoraFamily.of(targets).orElse("another") + sees(LoraFamily.textSize(targets))
                + ". Take a LoRA that was trained for the model's family, or the model that it was trained for.");
    }

    private static String sees(OptionalLong textSize) {
        return textSize.isEmpty() ? "" : " (text embeddings of " + textSize.getAsLong() + ")";
    }

    private TomeException otherShape(LoraModule module, String tensor, long[] shape) {
        return LoraFamily.of(file)
                .filter(family -> !LoraFamily.of(targets).equals(Optional.of(family)))
                .map(this::otherFamily)
                .orElseGet(() -> new TomeException("The LoRA " + file.path()
                        + " is for another model: what it has for '"
                        + module.spelled() + "' has the shape " + Arrays.toString(module.deltaShape()) + ", and "
                        + tensor + " is " + Arrays.toString(shape)
                        + ". Take a LoRA that was trained for the model's family."));
    }

    private TomeException nothingFits() {
        return LoraFamily.of(file)
                .filter(family -> !LoraFamily.of(targets).equals(Optional.of(family)))
                .map(this::otherFamily)
                .orElseGet(() -> new TomeException("Nothing in the LoRA " + file.path()
                        + " fits the model: it has no part of the name '" + leftOut.get(0)
                        + "', nor of any other in the file. Is it for another family of models?"));
    }

    /** Tensors of the file that fit nothing in the model; they have no effect. */
    public List<String> leftOut() {
        return Collections.unmodifiableList(leftOut);
    }

    /**
     * What is added to a component's tensors.
     *
     * @param component one of the targets
     * @param strength 1 is as it was trained
     * @param changes by tensor; the LoRA's own come after those that are there
     */
    public void addTo(Map<String, List<LoraChange>> changes, String component, double strength) {
        if (strength == 0) {
            return;
        }
        places.forEach((module, place) -> {
            if (place.target().component().equals(component)) {
                if (module.changesWeight()) {
                    add(changes, place.module() + ".weight", new LoraChange(module, false, strength));
                }
                if (module.changesBias()) {
                    add(changes, place.module() + ".bias", new LoraChange(module, true, strength));
                }
            }
        });
    }

    private static void add(Map<String, List<LoraChange>> changes, String tensor, LoraChange change) {
        changes.computeIfAbsent(tensor, name -> new ArrayList<>()).add(change);
    }
}
