package io.tome4j.evaluation.compare;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.evaluation.maps.MergeMap;
import io.tome4j.evaluation.maps.MergeRecorder;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.merging.PatchReport;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * The same request without merging and with each of several settings.
 *
 * @param request what to draw, one image; all panels have its seed
 * @param settings each setting of merging, in the order of the panels
 * @param measures what to tell of the distance between a merged image and the unmerged one
 * @param mapAt where to record merge maps; empty for none
 */
public record Comparison(
        Request request, List<ToMeOptions> settings, List<ImageMeasure> measures, Optional<MapPlace> mapAt) {

    /**
     * Where a merge map is taken.
     *
     * @param block a block's name in the model; empty for {@link MergeRecorder#usualBlock}
     * @param step the step, from 0
     */
    public record MapPlace(Optional<String> block, int step) {}

    /** Told how far the comparison has come; may stop it. */
    public interface Listener extends StepListener {
        /**
         * Called before each image's first step.
         *
         * @param number from 1; 0 is the warm-up
         * @param images how many images there will be, the warm-up not counted
         */
        void onImage(int number, int images, String label);
    }

    public Comparison {
        settings = List.copyOf(settings);
        measures = List.copyOf(measures);
        if (request.images() != 1) {
            throw new IllegalArgumentException(
                    "A comparison is of one image, not of the " + request.images() + " that the request asks for");
        }
        if (settings.isEmpty()) {
            throw new IllegalArgumentException("A comparison needs at least one setting of merging");
        }
    }

    /**
     * Makes all images. One step is made and thrown away before, so that no panel pays for what only a process's first
     * step has to do. Afterwards the pipeline is patched no more.
     *
     * @throws IllegalArgumentException if a setting would merge nothing, or there is no such block, or it is not merged
     * @throws TomeException if the run has fewer steps than the map needs
     * @throws CancellationException if the listener stopped the run
     */
    public List<Panel> run(StableDiffusionPipeline pipeline, Listener listener) {
        List<PatchReport> reports = settings.stream()
                .map(setting -> ToMe.report(pipeline, setting, request.latentGrid(pipeline.nominalGrid())))
                .toList();
        String block = mapAt.flatMap(MapPlace::block).orElseGet(() -> MergeRecorder.usualBlock(pipeline));
        if (mapAt.isPresent()) {
            MergeRecorder.watch(pipeline, block, mapAt.get().step()).close(); // whether there is such a block
            reports.forEach(report -> requireMerged(block, report));
        }
        ToMe.removePatch(pipeline);
        try {
            listener.onImage(0, settings.size() + 1, "warm-up");
            pipeline.generate(request.steps(1), progress -> goesOn(listener, progress));
            listener.onImage(1, settings.size() + 1, Panel.UNMERGED);
            Panel unmerged = Panel.unmerged(pipeline.generate(request, listener));
            List<Panel> panels = new ArrayList<>(List.of(unmerged));
            for (int i = 0; i < settings.size(); i++) {
                listener.onImage(i + 2, settings.size() + 1, Panel.label(settings.get(i)));
                ToMe.applyPatch(pipeline, settings.get(i));
                panels.add(merged(pipeline, listener, reports.get(i), block, unmerged));
            }
            return List.copyOf(panels);
        } finally {
            ToMe.removePatch(pipeline);
        }
    }

    /** The warm-up's step is none of those that are shown. */
    private static boolean goesOn(Listener listener, StepListener.Progress progress) {
        return listener.onStep(new StepListener.Progress(
                0, progress.total(), progress.timestep(), progress.latents(), progress.elapsed()));
    }

    private static void requireMerged(String block, PatchReport report) {
        boolean merged =
                report.blocks().stream().anyMatch(patched -> patched.name().equals(block));
        if (!merged) {
            throw new IllegalArgumentException("block is " + block + ", which is not merged; those that are: "
                    + String.join(
                            ", ",
                            report.blocks().stream()
                                    .map(PatchReport.PatchedBlock::name)
                                    .toList()));
        }
    }

    private Panel merged(
            StableDiffusionPipeline pipeline, Listener listener, PatchReport report, String block, Panel unmerged) {
        if (mapAt.isEmpty()) {
            return panel(pipeline.generate(request, listener), report, Optional.empty(), unmerged);
        }
        try (var recorder = MergeRecorder.watch(pipeline, block, mapAt.get().step())) {
            Result result = pipeline.generate(request, listener);
            if (recorder.maps().isEmpty()) {
                throw new TomeException(
                        "There is no merge map of step " + (mapAt.get().step() + 1) + ": the run had "
                                + result.timings().steps().size() + " steps.");
            }
            return panel(result, report, Optional.of(recorder.maps().get(0)), unmerged);
        }
    }

    private Panel panel(Result result, PatchReport report, Optional<MergeMap> map, Panel unmerged) {
        BufferedImage image = result.image().toBufferedImage();
        List<Panel.Distance> distances = measures.stream()
                .map(measure -> new Panel.Distance(measure, measure.between(unmerged.image(), image)))
                .toList();
        return new Panel(
                Panel.label(report.options()), image, result, Optional.of(report), unmerged.perStep(), distances, map);
    }
}
