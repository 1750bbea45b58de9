package io.tome4j.diffusion;

import io.tome4j.diffusion.prompt.ComposedPrompt;
import io.tome4j.diffusion.prompt.ScheduledText;
import io.tome4j.tensor.OptionException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A request's prompts in the web UI's syntax: which texts are to be encoded, and which of them each row of the batch sees in
 * which step. The negative prompt has no parts.
 *
 * @param texts those to encode; with guidance the first is the negative prompt
 * @param rows the number of the text of each row of the batch; with guidance those of the negative prompt, then of all images'
 *     first parts, and so on
 * @param negativeRows how many rows are the negative prompt's
 * @param composition how parts become one
 */
record ComposedPrompts(List<Text> texts, List<Integer> rows, int negativeRows, Composition composition) {
    private static final int MOST_PARTS = 64;

    /**
     * A text that may change with the step.
     *
     * @param variants what it is, each once
     * @param lastSteps the last step of each of its times
     * @param numbers which variant it is then
     */
    record Text(List<String> variants, List<Integer> lastSteps, List<Integer> numbers) {
        static Text of(String written, ScheduledText.Steps steps) {
            List<ScheduledText> scheduled = ScheduledText.parse(written, steps);
            Map<String, Integer> known = new LinkedHashMap<>();
            scheduled.forEach(text -> known.putIfAbsent(text.text(), known.size()));
            return new Text(
                    List.copyOf(known.keySet()),
                    scheduled.stream().map(ScheduledText::lastStep).toList(),
                    scheduled.stream()
                            .map(text -> known.getOrDefault(text.text(), 0))
                            .toList());
        }

        /** How many of its times each variant has. */
        List<Integer> counts() {
            List<Integer> counts = new ArrayList<>();
            for (int variant = 0; variant < variants.size(); variant++) {
                counts.add(Collections.frequency(numbers, variant));
            }
            return counts;
        }

        /** The variant of a step, from 1. */
        int numberAt(int step) {
            int time = 0;
            while (time < lastSteps.size() - 1 && lastSteps.get(time) < step) {
                time++;
            }
            return numbers.get(time);
        }
    }

    /** @throws OptionException if a prompt has too many parts, or parts that cannot be added up */
    static ComposedPrompts of(Request request, Guidance guidance, ScheduledText.Steps steps) {
        List<Text> texts = new ArrayList<>();
        List<Integer> rows = new ArrayList<>();
        if (guidance.isOn()) {
            texts.add(Text.of(request.negativePrompt(), steps));
            rows.addAll(Collections.nCopies(request.images(), 0));
        }
        List<ComposedPrompt> prompts =
                request.prompts().stream().map(ComposedPrompt::parse).toList();
        Map<String, Integer> known = new LinkedHashMap<>();
        List<List<Double>> weights = new ArrayList<>();
        for (int part = 0; part < mostParts(request); part++) {
            List<Double> ofPart = new ArrayList<>();
            for (ComposedPrompt prompt : prompts) {
                boolean has = part < prompt.parts().size();
                String text = prompt.parts().get(has ? part : 0).text();
                Integer number = known.get(text);
                if (number == null) {
                    number = texts.size();
                    known.put(text, number);
                    texts.add(Text.of(text, steps));
                }
                rows.addAll(Collections.nCopies(request.imagesPerPrompt(), number));
                double weight = has ? prompt.parts().get(part).weight() : 0;
                ofPart.addAll(Collections.nCopies(request.imagesPerPrompt(), weight));
            }
            weights.add(ofPart);
        }
        prompts.forEach(prompt -> requireSum(prompt, guidance));
        boolean plain = weights.size() == 1 && weights.get(0).stream().allMatch(weight -> weight == 1);
        return new ComposedPrompts(
                texts,
                rows,
                guidance.isOn() ? request.images() : 0,
                plain ? Composition.PLAIN : new Composition(weights));
    }

    /** The prompts as they stand, each one text that does not change with the step. */
    static ComposedPrompts whole(Request request, Guidance guidance) {
        List<String> texts = new ArrayList<>();
        List<Integer> rows = new ArrayList<>();
        if (guidance.isOn()) {
            texts.add(request.negativePrompt());
            rows.addAll(Collections.nCopies(request.images(), 0));
        }
        for (String prompt : request.prompts()) {
            rows.addAll(Collections.nCopies(request.imagesPerPrompt(), texts.size()));
            texts.add(prompt);
        }
        return new ComposedPrompts(
                texts.stream()
                        .map(text -> new Text(List.of(text), List.of(Integer.MAX_VALUE), List.of(0)))
                        .toList(),
                rows,
                guidance.isOn() ? request.images() : 0,
                Composition.PLAIN);
    }

    /** Parts of the prompt that has most: so many rows of the batch each image has besides the negative prompt's. */
    static int mostParts(Request request) {
        int most = request.prompts().stream()
                .mapToInt(prompt -> ComposedPrompt.parse(prompt).parts().size())
                .max()
                .orElse(1);
        if (most > MOST_PARTS) {
            throw new OptionException("{prompt} has " + most + " parts joined by AND: at most " + MOST_PARTS
                    + " are taken, since the model predicts each of them in every step");
        }
        return most;
    }

    private static void requireSum(ComposedPrompt prompt, Guidance guidance) {
        double sum =
                prompt.parts().stream().mapToDouble(ComposedPrompt.Part::weight).sum();
        if (!guidance.isInAllSteps() && !(sum > 0)) {
            throw new OptionException("{prompt} has parts whose weights sum up to " + sum
                    + ": that needs guidance in all steps, a {guidance_scale} above 1");
        }
    }

    /** Each text as it is first. */
    List<String> written() {
        return texts.stream().map(text -> text.variants().get(0)).toList();
    }

    /** The last steps of the times in which every text is the same. */
    List<Integer> lastSteps() {
        TreeSet<Integer> ends = new TreeSet<>();
        texts.forEach(text -> ends.addAll(text.lastSteps()));
        List<Integer> changes = new ArrayList<>();
        for (int end : ends) {
            boolean same = texts.stream().allMatch(text -> text.numberAt(end) == text.numberAt(end + 1));
            if (!same) {
                changes.add(end);
            }
        }
        changes.add(ends.last());
        return changes.stream().distinct().toList();
    }
}
