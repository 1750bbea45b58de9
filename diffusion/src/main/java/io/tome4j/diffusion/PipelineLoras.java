package io.tome4j.diffusion;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * The LoRAs of a pipeline that may have a refiner. Each goes to one model alone, as diffusers loads it into one pipeline: to
 * the refiner if it fits that and not the base model, to the base model otherwise.
 */
final class PipelineLoras {
    private final Adapters base;
    private final Optional<Adapters> refiner;
    private List<Lora> added;

    PipelineLoras(Stages stages) {
        this.base = stages.adapters();
        this.refiner = stages.refiner().map(Stages::adapters);
        this.added = base.added();
    }

    /** What the models have now. */
    List<Lora> added() {
        return added;
    }

    /** As {@link Adapters#add}, for both models. */
    Adapters.Added add(List<Lora> loras) {
        List<Boolean> refining = loras.stream().map(this::isForRefiner).toList();
        Adapters.Added ofBase = base.add(those(loras, refining, false));
        Optional<Adapters.Added> ofRefiner = refiner.map(adapters -> adapters.add(those(loras, refining, true)));
        added = List.copyOf(loras);
        List<String> warnings = new ArrayList<>(ofBase.warnings());
        ofRefiner.ifPresent(more -> warnings.addAll(more.warnings()));
        Iterator<Lora> hashedOfBase = ofBase.loras().iterator();
        Iterator<Lora> hashedOfRefiner =
                ofRefiner.map(Adapters.Added::loras).orElse(List.of()).iterator();
        List<Lora> hashed = refining.stream()
                .map(isRefining -> isRefining ? hashedOfRefiner.next() : hashedOfBase.next())
                .toList();
        return new Adapters.Added(hashed, List.copyOf(warnings));
    }

    private boolean isForRefiner(Lora lora) {
        return refiner.isPresent() && !base.fits(lora) && refiner.get().fits(lora);
    }

    private static List<Lora> those(List<Lora> loras, List<Boolean> refining, boolean wanted) {
        List<Lora> some = new ArrayList<>();
        for (int i = 0; i < loras.size(); i++) {
            if (refining.get(i) == wanted) {
                some.add(loras.get(i));
            }
        }
        return some;
    }
}
