package io.tome4j.diffusion;

import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A prompt without the tags by which web UIs name LoRAs in it, and what these name: {@code <lora:name>},
 * {@code <lora:name:weight>}, {@code <lora:name:text weight:weight>}, and both as {@code te=} and {@code unet=}.
 *
 * @param prompt without tags, each with a space before it
 * @param loras without files
 */
record LoraTags(String prompt, List<Lora> loras) {
    private static final Pattern TAG = Pattern.compile(" ?<(?:lora|lyco):([^:<>]+)((?::[^<>]*)?)>");

    LoraTags {
        loras = List.copyOf(loras);
    }

    /** @throws OptionException if a weight is no number */
    static LoraTags in(String prompt) {
        return cut(prompt, tag -> {
            throw tag;
        });
    }

    /** As {@link #in}; tags that nobody can read are words. */
    static LoraTags readableIn(String prompt) {
        return cut(prompt, tag -> {});
    }

    private static LoraTags cut(String prompt, Consumer<OptionException> unreadable) {
        Matcher matcher = TAG.matcher(prompt);
        StringBuilder rest = new StringBuilder();
        List<Lora> loras = new ArrayList<>();
        while (matcher.find()) {
            try {
                loras.add(
                        lora(matcher.group(1), matcher.group(2), matcher.group().strip()));
                matcher.appendReplacement(rest, "");
            } catch (OptionException e) {
                unreadable.accept(e);
            }
        }
        return loras.isEmpty()
                ? new LoraTags(prompt, List.of())
                : new LoraTags(matcher.appendTail(rest).toString(), loras);
    }

    /** Whether there is any; of whatever weights. */
    static boolean areIn(String prompt) {
        return TAG.matcher(prompt).find();
    }

    private static Lora lora(String name, String arguments, String tag) {
        OptionalDouble text = OptionalDouble.empty();
        OptionalDouble unet = OptionalDouble.empty();
        String[] all =
                arguments.isEmpty() ? new String[0] : arguments.substring(1).split(":", -1);
        int place = 0;
        for (String argument : all) {
            int equals = argument.indexOf('=');
            String key =
                    equals < 0 ? List.of("te", "unet", "").get(Math.min(place++, 2)) : argument.substring(0, equals);
            double weight = number(argument.substring(equals + 1), tag);
            switch (key.strip()) {
                case "te" -> text = OptionalDouble.of(weight);
                case "unet" -> unet = OptionalDouble.of(weight);
                default -> throw wrong(tag, "'" + argument + "' is none of its weights: it takes te and unet");
            }
        }
        double ofText = text.orElse(1);
        return Lora.named(name.strip()).weight(unet.orElse(ofText)).textWeight(ofText);
    }

    private static double number(String text, String tag) {
        try {
            return Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            throw wrong(tag, "'" + text + "' is no weight");
        }
    }

    private static OptionException wrong(String tag, String what) {
        return new OptionException(
                "{prompt} has " + OptionException.literal(tag) + ", and " + OptionException.literal(what)
                        + ". It must be such as <lora:name:0.8>, or <lora:name:0.5:0.8> for text encoder and denoiser");
    }

    /** The text with tags after it. */
    static String appended(String prompt, List<Lora> loras) {
        StringBuilder text = new StringBuilder(prompt);
        loras.forEach(lora -> text.append(text.isEmpty() ? "" : " ").append(lora.tag()));
        return text.toString();
    }

    /** As web UIs list them: {@code name: hash, name: hash}; those without a hash are left out. */
    static String hashes(List<Lora> loras) {
        return String.join(
                ", ",
                loras.stream()
                        .filter(lora -> !lora.hash().isEmpty())
                        .map(lora -> lora.name() + ": " + lora.hash())
                        .distinct()
                        .toList());
    }

    /** The same LoRAs with what {@link #hashes} wrote. */
    static List<Lora> withHashes(List<Lora> loras, String hashes) {
        List<Lora> known = new ArrayList<>();
        for (Lora lora : loras) {
            Lora found = lora;
            for (String pair : hashes.split(",", -1)) {
                int colon = pair.lastIndexOf(':');
                if (colon > 0 && pair.substring(0, colon).strip().equals(lora.name())) {
                    found = lora.hash(pair.substring(colon + 1).strip());
                }
            }
            known.add(found);
        }
        return known;
    }
}
