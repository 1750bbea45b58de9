package io.tome4j.evaluation.quality;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.emoji.Motifs;
import io.tome4j.evaluation.measures.ClipScore;
import io.tome4j.evaluation.measures.Distance;
import io.tome4j.evaluation.measures.FrechetDistance;
import io.tome4j.evaluation.measures.ImageFeatures;
import io.tome4j.evaluation.retrieval.MotifBank;
import io.tome4j.evaluation.run.Made;
import io.tome4j.evaluation.run.MapPlace;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.evaluation.run.ResultStore.Finished;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.evaluation.run.SettingRun;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Each prompt without any savings of time and with each of several settings:
 *
 * <ol>
 *   <li>All images of a prompt have the same seed, and are made one after the other: first the unmerged one, then the
 *       settings, each prompt beginning with another one, so that what disturbs the machine for a while disturbs all alike.
 *   <li>Each merged image is measured against the unmerged one.
 *   <li>Images that the store has are not made again.
 * </ol>
 *
 * @param prompts what to draw
 * @param settings the ways to save time, at least one, in the order to show them
 * @param template how to draw: steps, guidance scale, scheduler, negative prompt and size; the rest is not used
 * @param seed of the first prompt; each further one has the next
 * @param measures what to tell of the images
 * @param retrieval whether to look the images up among the motifs; all prompts must be such
 * @param maps for how many prompts, from the first, to record merge maps: in the middle step
 */
public record Evaluation(
        Prompts prompts,
        List<Setting> settings,
        Request template,
        long seed,
        Measures measures,
        boolean retrieval,
        int maps) {

    /** Told of the evaluation as it goes on; may stop it. */
    public interface Listener extends StepListener {
        /**
         * Called once, before the first image.
         *
         * @param kept how many images are there already
         * @param missing how many are to be made
         */
        void onBegin(int kept, int missing);

        /**
         * Called after each image.
         *
         * @param name what it is called: {@code 0003-tome-0.5}
         * @param making how long it took; empty for one that was there
         */
        void onImage(String name, Optional<Duration> making);
    }

    public Evaluation {
        settings = List.copyOf(settings);
        if (settings.isEmpty() || settings.contains(Setting.UNMERGED)) {
            throw new IllegalArgumentException(
                    "An evaluation needs at least one setting that saves time, and no other");
        }
        if (settings.stream().map(Setting::label).distinct().count() < settings.size()) {
            throw new IllegalArgumentException("Two settings are called the same: "
                    + settings.stream().map(Setting::label).collect(Collectors.joining(", ")));
        }
        if (retrieval
                && prompts.all().stream().anyMatch(prompt -> prompt.motif().isEmpty())) {
            throw new IllegalArgumentException("Only the motifs of the embedded model can be looked up among them");
        }
        if (maps < 0) {
            throw new OptionException("{maps} is " + maps + ": it is for how many prompts to record merge maps");
        }
    }

    /** The same with other measures. */
    public Evaluation measures(Measures value) {
        return new Evaluation(prompts, settings, template, seed, value, retrieval, maps);
    }

    /**
     * Makes the images that are not in the store, and measures all.
     *
     * @throws IllegalArgumentException if a setting would merge nothing, or images of this size cannot be looked up, or
     *     are too small or too few for a measure
     * @throws TomeException if the store holds images of another evaluation
     * @throws CancellationException if the listener stopped it; the store keeps what was finished
     */
    public EvaluationResult run(StableDiffusionPipeline pipeline, ResultStore store, Listener listener) {
        TokenGrid grid = template.latentGrid(pipeline.nominalGrid());
        Request sized = template.imagesPerPrompt(1)
                .size(grid.width() * Request.PIXELS_PER_LATENT, grid.height() * Request.PIXELS_PER_LATENT);
        SettingRun run = new SettingRun(pipeline, listener);
        settings.forEach(setting -> run.report(sized, setting.savings())); // refuses what would merge nothing
        if (retrieval) {
            MotifBank.requireComparable(sized.width(), sized.height());
        }
        measures.require(sized.width(), sized.height(), prompts.all().size());
        List<List<Shot>> shots = shots(sized);
        int missing = (int) shots.stream()
                .flatMap(List::stream)
                .filter(shot -> !store.has(shot.key()))
                .count();
        listener.onBegin((settings.size() + 1) * shots.size() - missing, missing);
        Run each =
                new Run(run, store, listener, retrieval ? Optional.of(MotifBank.of(Motifs.load())) : Optional.empty());
        List<Row> rows = new ArrayList<>();
        for (List<Shot> ofPrompt : shots) {
            rows.addAll(each.prompt(ofPrompt));
        }
        return new EvaluationResult(sized, measures.scales(), settings, rows, each.setDistances());
    }

    /** For each prompt the unmerged shot and one of each setting, in the order to show them. */
    private List<List<Shot>> shots(Request sized) {
        List<List<Shot>> shots = new ArrayList<>();
        for (int i = 0; i < prompts.all().size(); i++) {
            int number = i;
            Prompt prompt = prompts.all().get(i);
            Request request = sized.prompts(List.of(prompt.text())).seed(seed + number);
            shots.add(Stream.concat(Stream.of(Setting.UNMERGED), settings.stream())
                    .map(setting -> new Shot(number, prompt, setting, request))
                    .toList());
        }
        return shots;
    }

    /** One run of an evaluation. */
    private final class Run {
        private final SettingRun run;
        private final ResultStore store;
        private final Listener listener;
        private final Optional<MotifBank> bank;
        private final Map<Setting, List<float[]>> features = new LinkedHashMap<>();
        private boolean warm;

        Run(SettingRun run, ResultStore store, Listener listener, Optional<MotifBank> bank) {
            this.run = run;
            this.store = store;
            this.listener = listener;
            this.bank = bank;
        }

        /** How far each setting's images are from the unmerged ones, as sets; empty if nobody asked. */
        Optional<SetDistances> setDistances() {
            return measures.features().map(network -> {
                Map<Setting, Double> distances = new LinkedHashMap<>();
                List<float[]> unmerged = features.getOrDefault(Setting.UNMERGED, List.of());
                for (Setting setting : settings) {
                    distances.put(
                            setting, FrechetDistance.between(unmerged, features.getOrDefault(setting, List.of())));
                }
                return new SetDistances(network.name(), distances);
            });
        }

        /** @return the rows in the order of the shots, whatever the order they were made in */
        List<Row> prompt(List<Shot> shots) {
            List<Shot> merged = new ArrayList<>(shots.subList(1, shots.size()));
            Collections.rotate(merged, -(shots.get(0).number() % merged.size()));
            Drawn unmerged = drawn(shots.get(0));
            List<Row> rows = new ArrayList<>(List.of(tell(unmerged, unmerged)));
            merged.forEach(shot -> rows.add(tell(drawn(shot), unmerged)));
            rows.sort(Comparator.comparingInt(row -> shots.indexOf(row.shot())));
            return rows;
        }

        private Drawn drawn(Shot shot) {
            boolean mapped = shot.setting().merges() && shot.number() < maps;
            return new Drawn(shot, store.findOrMake(shot.key(), mapped, () -> make(shot, mapped)));
        }

        private Made make(Shot shot, boolean mapped) {
            Request request = shot.request();
            Savings savings = shot.setting().savings();
            if (!warm) {
                warm = true;
                run.warmUpEachKind(
                        request, settings.stream().map(Setting::savings).toList());
            }
            return mapped ? run.make(request, savings, MapPlace.middle(request.steps())) : run.make(request, savings);
        }

        private Row tell(Drawn drawn, Drawn unmerged) {
            Shot shot = drawn.shot();
            BufferedImage image = drawn.image();
            Map<String, Double> values = new LinkedHashMap<>();
            if (shot.setting().saves()) {
                Distance.of(measures.images(), unmerged.image(), image)
                        .forEach(distance -> values.put(distance.measure().name(), distance.value()));
            }
            if (measures.clipScore().isPresent()) {
                ClipScore score = measures.clipScore().get();
                values.put(
                        Measures.CLIP_SCORE.name(),
                        score.of(image, shot.prompt().text()));
            }
            if (measures.features().isPresent()) {
                ImageFeatures network = measures.features().get();
                features.computeIfAbsent(shot.setting(), setting -> new ArrayList<>())
                        .add(network.of(image));
            }
            OptionalInt rank = bank.isEmpty()
                    ? OptionalInt.empty()
                    : OptionalInt.of(bank.get()
                            .match(image, shot.prompt().motif().orElseThrow())
                            .rank());
            listener.onImage(shot.file(), drawn.finished().making());
            return new Row(shot, drawn.finished().kept().times(), values, rank);
        }
    }

    private record Drawn(Shot shot, Finished finished) {
        BufferedImage image() {
            return finished.kept().image();
        }
    }
}
