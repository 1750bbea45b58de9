package io.tome4j.server.queue;

import io.tome4j.diffusion.Lora;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * A model that the server can run.
 *
 * @param name what it is called: its id on the hub, or its folder's name
 * @param hash what its weights are known by, in hexadecimal digits; empty if that is not known
 * @param refiner the model that goes on where it stops; empty for none
 * @param defaults what suits it where a request does not say
 * @param loader loads it; called on the thread that generates
 */
public record ServedModel(
        String name, String hash, String refiner, Defaults defaults, Supplier<StableDiffusionPipeline> loader) {
    private static final int SHOWN_HASH = 10;

    /**
     * What suits a model.
     *
     * @param steps denoising steps
     * @param guidanceScale how strongly to follow the prompt
     * @param width in pixels; 0 leaves it to the checkpoint
     * @param height likewise
     * @param loras that all its images have, besides those that a request names
     */
    public record Defaults(int steps, double guidanceScale, int width, int height, List<Lora> loras) {
        public Defaults {
            loras = List.copyOf(loras);
        }

        /** Without LoRAs. */
        public Defaults(int steps, double guidanceScale, int width, int height) {
            this(steps, guidanceScale, width, height, List.of());
        }

        /** A request with the LoRAs that all images have, before its own; one that it names itself is not added twice. */
        public Request in(Request request) {
            List<Lora> all = new ArrayList<>(loras);
            request.loras().stream()
                    .filter(lora ->
                            loras.stream().noneMatch(there -> there.tag().equals(lora.tag())))
                    .forEach(all::add);
            return loras.isEmpty() ? request : request.loras(all);
        }
    }

    /** The first ten digits of the hash, as A1111's web UI shows it; empty if it is not known. */
    public String shortHash() {
        return hash.length() <= SHOWN_HASH ? hash : hash.substring(0, SHOWN_HASH);
    }

    /** What A1111's web UI lists it as: {@code name [hash]}. */
    public String title() {
        return hash.isEmpty() ? name : name + " [" + shortHash() + "]";
    }

    /** The last part of its refiner's name. */
    public String refinerName() {
        String name = refiner.replace('\\', '/').replaceFirst("/+$", "");
        return name.substring(name.lastIndexOf('/') + 1);
    }

    /** Whether its refiner goes by a name: all of it, or its last part, with or without {@code .safetensors} and a hash. */
    public boolean isRefinedBy(String text) {
        String plain = text.replaceFirst("\\s*\\[[0-9a-fA-F]{4,64}]$", "").replaceFirst("\\.safetensors$", "");
        return !refiner.isEmpty()
                && (text.equals(refiner) || plain.equalsIgnoreCase(refinerName().replaceFirst("\\.safetensors$", "")));
    }

    /** Whether it goes by a name: its title, name or hash, whole or short, or the last part of its name. */
    public boolean isCalled(String text) {
        return text.equalsIgnoreCase(name)
                || text.equalsIgnoreCase(title())
                || (!hash.isEmpty() && (text.equalsIgnoreCase(hash) || text.equalsIgnoreCase(shortHash())))
                || text.equalsIgnoreCase(name.substring(name.lastIndexOf('/') + 1));
    }
}
