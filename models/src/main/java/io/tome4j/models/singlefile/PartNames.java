package io.tome4j.models.singlefile;

import io.tome4j.checkpoint.Checkpoint;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.ConvertedTensors.Form;
import io.tome4j.checkpoint.ConvertedTensors.Stored;
import io.tome4j.checkpoint.ModuleNames;
import io.tome4j.checkpoint.ModuleNames.Module;
import io.tome4j.models.singlefile.FileContents.Part;
import io.tome4j.models.unet.UNetConfig;
import io.tome4j.models.unet.UNetNames;
import io.tome4j.models.vae.VaeNames;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where in a file the tensors of a part lie, by their names in diffusers. */
final class PartNames {
    private static final List<String> PARAMETERS = List.of("weight", "bias");

    private PartNames() {}

    /**
     * Finds a part's tensors.
     *
     * @param component its name, such as {@code unet}
     * @param config which modules it has
     * @param others prefixes of parts that lie among this one's names
     * @throws TomeException if a module's weight is missing
     */
    static Map<String, Stored> of(String component, Part part, Config config, List<String> others) {
        return switch (component) {
            case "unet" ->
                part.naming() == Naming.LDM
                        ? modules(part, UNetNames.of(UNetConfig.of(config)), component)
                        : same(part, others);
            case "vae" ->
                part.naming() == Naming.LDM ? modules(part, VaeNames.of(config), component) : same(part, others);
            default ->
                part.naming() == Naming.OPEN_CLIP
                        ? OpenClipNames.of(
                                part.view(), config.integer("num_hidden_layers"), component.equals("text_encoder_2"))
                        : same(part, others);
        };
    }

    private static Map<String, Stored> modules(Part part, ModuleNames names, String component) {
        Map<String, Stored> stored = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        for (Module module : names.all()) {
            boolean isAttention = component.equals("vae") && module.diffusers().contains(".attentions.");
            Form form = isAttention ? Form.WITHOUT_KERNEL : Form.SAME;
            for (String parameter : PARAMETERS) {
                String name = module.ldm() + "." + parameter;
                if (part.view().has(name)) {
                    stored.put(
                            module.diffusers() + "." + parameter,
                            new Stored(part.view().prefix() + name, form));
                } else if (parameter.equals("weight")) {
                    missing.add(part.view().prefix() + name);
                }
            }
        }
        if (!missing.isEmpty()) {
            throw new TomeException("The tensor '" + missing.get(0) + "'"
                    + (missing.size() > 1 ? " and " + (missing.size() - 1) + " others are" : " is") + " missing from "
                    + part.view().tensors().origin(missing.get(0))
                    + ": the file is incomplete, or of another shape than"
                    + " its config says.");
        }
        return stored;
    }

    /** Names that are diffusers' already; what is unknown among them the model itself refuses. */
    private static Map<String, Stored> same(Part part, List<String> others) {
        Map<String, Stored> stored = new LinkedHashMap<>();
        String prefix = part.view().prefix();
        part.view()
                .names()
                .filter(name -> others.stream().noneMatch(name::startsWith))
                .filter(name -> !prefix.isEmpty() || !KnownJunk.isKnown(name))
                .forEach(name -> stored.put(name.substring(prefix.length()), Stored.same(name)));
        return stored;
    }

    /** The same with moving averages in place of those weights of which there is one. */
    static Map<String, Stored> averaged(Map<String, Stored> stored, Part part) {
        String model = "model.";
        Map<String, Stored> averaged = new LinkedHashMap<>();
        stored.forEach((name, from) -> {
            String average = from.name().startsWith(model)
                    ? KnownJunk.MOVING_AVERAGE
                            + from.name().substring(model.length()).replace(".", "")
                    : "";
            averaged.put(name, part.view().tensors().has(average) ? new Stored(average, from.form()) : from);
        });
        if (averaged.equals(stored)) {
            throw TomeException.about(
                    "ema",
                    "There are no moving averages of the weights ('" + KnownJunk.MOVING_AVERAGE + "...') in "
                            + part.view().tensors().origin("") + ".");
        }
        return averaged;
    }

    /** The config of a part, from a checkpoint that has it. */
    static Config configOf(Checkpoint checkpoint, String component) {
        return checkpoint.component(component).config();
    }
}
