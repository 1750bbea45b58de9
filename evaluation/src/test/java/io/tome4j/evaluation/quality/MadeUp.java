package io.tome4j.evaluation.quality;

import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.bench.Machine;
import io.tome4j.evaluation.run.Made;
import io.tome4j.evaluation.run.ResultKey;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.evaluation.run.Times;
import io.tome4j.merging.ToMeOptions;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A report of numbers and images that nobody measured. */
final class MadeUp {
    static final List<Setting> SETTINGS = Stream.of("tome", "todo", "tomesd")
            .flatMap(variant ->
                    Stream.of(0.25, 0.5, 0.75).map(ratio -> Setting.of(variant, ratio, ToMeOptions.ratio(0))))
            .toList();

    private static final List<Scale> SCALES = List.of(
            new Scale("psnr", "PSNR", false), new Scale("ssim", "SSIM", false), new Scale("lpips", "LPIPS", true));

    private MadeUp() {}

    /** @param side of the images in pixels */
    static EvaluationReport report(int prompts, int side) {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < prompts; i++) {
            Prompt prompt = new Prompt(
                    i == 1 ? "</script><b>bold</b> & \"quoted\"" : "a made up prompt, number " + i,
                    i % 2 == 0 ? "Animals" : "Arts & <Crafts>",
                    i % 3 == 0 ? "Basic" : "",
                    OptionalInt.empty());
            Request request = Request.of(prompt.text()).seed(i).steps(3).size(side, side);
            rows.add(new Row(new Shot(i, prompt, Setting.UNMERGED, request), times(1), Map.of(), OptionalInt.empty()));
            for (int j = 0; j < SETTINGS.size(); j++) {
                double harm = SETTINGS.get(j).ratio() * (1 + j / 3 * 0.1) * (1 + 0.2 * Math.sin(7.0 * i + j));
                Map<String, Double> measures = new LinkedHashMap<>();
                measures.put("psnr", i == 0 && j == 0 ? Double.POSITIVE_INFINITY : 40 - 20 * harm);
                measures.put("ssim", 1 - 0.3 * harm);
                measures.put("lpips", 0.4 * harm);
                rows.add(new Row(
                        new Shot(i, prompt, SETTINGS.get(j), request),
                        times(1 - 0.6 * SETTINGS.get(j).ratio() + 0.08 * (j / 3)),
                        measures,
                        OptionalInt.empty()));
            }
        }
        return new EvaluationReport(
                "made-up",
                new Machine("cpu <1> & co", 2, 8_000_000_000L, "", "system", "java", "2.10", "engine", "tome4j"),
                Map.of("steps", "3"),
                new EvaluationResult(
                        Request.of("").steps(3).size(side, side), SCALES, SETTINGS, rows, Optional.empty()),
                Instant.parse("2026-11-23T00:00:00Z"));
    }

    private static Times times(double step) {
        return new Times(0.1, List.of(step, step, step), 0.2);
    }

    /**
     * Images of a report that can be told apart: the prompt's colour, and as many stripes as the setting's number.
     *
     * @param maps for how many prompts there are merge maps
     */
    static ResultStore images(EvaluationReport report, int maps) {
        Map<ResultKey, Shot> shots = report.result().rows().stream()
                .map(Row::shot)
                .collect(Collectors.toMap(Shot::key, Function.identity()));
        return new ResultStore() {
            @Override
            public boolean has(ResultKey key) {
                return shots.containsKey(key);
            }

            @Override
            public Optional<Kept> find(ResultKey key) {
                return Optional.ofNullable(shots.get(key)).map(shot -> {
                    boolean mapped = shot.number() < maps && shot.setting().merges();
                    return new Kept(
                            image(shot),
                            times(1),
                            mapped ? Optional.of(new KeptMap(image(shot), "block", 1, 64, 32)) : Optional.empty());
                });
            }

            @Override
            public Kept keep(ResultKey key, Made made) {
                throw new UnsupportedOperationException();
            }
        };
    }

    private static BufferedImage image(Shot shot) {
        int side = shot.request().width();
        BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(Color.getHSBColor(shot.number() * 0.13f, 0.5f, 0.9f));
        graphics.fillRect(0, 0, side, side);
        graphics.setColor(Color.DARK_GRAY);
        for (int i = 0; i <= SETTINGS.indexOf(shot.setting()); i++) {
            graphics.fillRect(0, side * (2 * i + 1) / 20, side, side / 20);
        }
        graphics.dispose();
        return image;
    }
}
