package io.tome4j.evaluation.quality;

import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.Share;
import io.tome4j.evaluation.Statistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What came of an evaluation; {@link EvaluationReport} tells it. */
public final class EvaluationResult {
    private final Request request;
    private final List<Scale> scales;
    private final List<Setting> settings;
    private final List<Row> rows;
    private final Optional<SetDistances> setDistances;

    /**
     * @param request how the images were made, but for prompt and seed
     * @param scales what the rows' measures mean, in the order to show them
     * @param settings the ways to merge, in the order to show them
     * @param rows for each prompt the unmerged image, then one of each setting
     * @param setDistances how far each setting's images are from the unmerged ones, as sets
     */
    EvaluationResult(
            Request request,
            List<Scale> scales,
            List<Setting> settings,
            List<Row> rows,
            Optional<SetDistances> setDistances) {
        this.request = request;
        this.scales = List.copyOf(scales);
        this.settings = List.copyOf(settings);
        this.rows = List.copyOf(rows);
        this.setDistances = setDistances;
        if (rows.isEmpty() || rows.size() % (settings.size() + 1) != 0) {
            throw new IllegalArgumentException(rows.size() + " rows are not one for each prompt and setting");
        }
    }

    /**
     * What is said of a setting.
     *
     * @param setting how to merge
     * @param perStep seconds a step, of each image the median one, or the mean where its steps are not alike
     * @param perImage seconds an image: text encoding, steps and decoding
     * @param speedUp how many times as fast a step was as that of the same prompt without merging
     * @param measures by name
     * @param overTomesd by how much each measure is above that of tomesd at the same ratio, paired by prompt; empty if
     *     that was not measured, or is this setting
     * @param frechet how far the images are from the unmerged ones as a set; empty if that was not measured, and of a
     *     group of prompts
     * @param top1 for how many of the motifs no other is nearer; empty if that was not looked up
     * @param top10 for how many fewer than ten are
     */
    record Summary(
            Setting setting,
            Statistics perStep,
            Statistics perImage,
            Statistics speedUp,
            Map<String, Statistics> measures,
            Map<String, Statistics> overTomesd,
            OptionalDouble frechet,
            Optional<Share> top1,
            Optional<Share> top10) {}

    /**
     * What is said of a group of prompts.
     *
     * @param name of the category or challenge
     * @param prompts how many there are
     * @param summaries one for each setting
     */
    record Group(String name, int prompts, List<Summary> summaries) {}

    Request request() {
        return request;
    }

    List<Scale> scales() {
        return scales;
    }

    List<Setting> settings() {
        return settings;
    }

    List<Row> rows() {
        return rows;
    }

    Optional<SetDistances> setDistances() {
        return setDistances;
    }

    /** The names of all measures, in order. */
    List<String> measures() {
        return scales.stream().map(Scale::name).toList();
    }

    /** The measure that says most in one number: SSIM, or else the first; empty if there is none. */
    Optional<Scale> mainScale() {
        return scales.stream()
                .filter(scale -> scale.name().equals("ssim"))
                .findFirst()
                .or(() -> scales.stream().findFirst());
    }

    /** How many prompts there are. */
    int prompts() {
        return rows.size() / (settings.size() + 1);
    }

    private static List<Row> of(Collection<Row> rows, Setting setting) {
        return rows.stream().filter(row -> row.shot().setting().equals(setting)).toList();
    }

    /** The unmerged images, then each setting. */
    List<Summary> summaries() {
        return summaries(rows);
    }

    /** By category, in the order that they appear in; empty if there is none. */
    List<Group> categories() {
        return groups(Prompt::category);
    }

    /** By challenge, in the order that they appear in; empty if there is none. */
    List<Group> challenges() {
        return groups(Prompt::challenge);
    }

    private List<Group> groups(Function<Prompt, String> name) {
        Map<String, List<Row>> groups = rows.stream()
                .collect(Collectors.groupingBy(
                        row -> name.apply(row.shot().prompt()), LinkedHashMap::new, Collectors.toList()));
        List<Group> named = new ArrayList<>();
        groups.forEach((group, its) -> {
            if (!group.isEmpty()) {
                named.add(new Group(group, its.size() / (settings.size() + 1), summaries(its)));
            }
        });
        return List.copyOf(named);
    }

    private List<Summary> summaries(List<Row> some) {
        return Stream.concat(Stream.of(Setting.UNMERGED), settings.stream())
                .map(setting -> summary(setting, some))
                .toList();
    }

    private Summary summary(Setting setting, List<Row> some) {
        List<Row> its = of(some, setting);
        List<Row> unmerged = of(some, Setting.UNMERGED);
        Map<String, Statistics> measured = new LinkedHashMap<>();
        for (String name : measures()) {
            double[] values = its.stream()
                    .flatMapToDouble(row -> row.measure(name).stream())
                    .toArray();
            if (values.length > 0) {
                measured.put(name, Statistics.of(values));
            }
        }
        double[] speedUps = new double[its.size()];
        for (int i = 0; i < speedUps.length; i++) {
            speedUps[i] = unmerged.get(i).perStep() / its.get(i).perStep();
        }
        return new Summary(
                setting,
                Statistics.of(its.stream().mapToDouble(row -> row.perStep()).toArray()),
                Statistics.of(
                        its.stream().mapToDouble(row -> row.times().total()).toArray()),
                Statistics.of(speedUps),
                measured,
                overTomesd(setting, its, some),
                some.size() == rows.size() ? frechet(setting) : OptionalDouble.empty(),
                top(its, 1),
                top(its, 10));
    }

    private Map<String, Statistics> overTomesd(Setting setting, List<Row> its, List<Row> some) {
        Map<String, Statistics> differences = new LinkedHashMap<>();
        Optional<Setting> reference = tomesd(setting);
        if (reference.isPresent()) {
            List<Row> theirs = of(some, reference.get());
            for (String name : measures()) {
                double[] values = new double[its.size()];
                int pairs = 0;
                for (int i = 0; i < its.size(); i++) {
                    OptionalDouble ours = its.get(i).measure(name);
                    OptionalDouble other = theirs.get(i).measure(name);
                    if (ours.isPresent() && other.isPresent()) {
                        values[pairs++] = ours.getAsDouble() - other.getAsDouble();
                    }
                }
                differences.put(name, Statistics.of(Arrays.copyOf(values, pairs)));
            }
        }
        return differences;
    }

    private OptionalDouble frechet(Setting setting) {
        return setDistances.isPresent() && setting.saves()
                ? OptionalDouble.of(setDistances.get().distances().getOrDefault(setting, Double.NaN))
                : OptionalDouble.empty();
    }

    /** tomesd at the setting's ratio, if it is another one. */
    private Optional<Setting> tomesd(Setting setting) {
        return settings.stream()
                .filter(other -> setting.merges()
                        && other.variant().equals(Setting.TOMESD)
                        && other.ratio() == setting.ratio()
                        && !other.equals(setting))
                .findFirst();
    }

    private static Optional<Share> top(List<Row> its, int count) {
        if (its.stream().anyMatch(row -> row.rank().isEmpty())) {
            return Optional.empty();
        }
        long hits = its.stream().filter(row -> row.rank().orElseThrow() < count).count();
        return Optional.of(Share.of((int) hits, its.size()));
    }
}
