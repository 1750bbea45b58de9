package io.tome4j.evaluation.compare;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.evaluation.measures.Distance;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.evaluation.quality.Setting;
import io.tome4j.evaluation.run.Made;
import io.tome4j.evaluation.run.MapPlace;
import io.tome4j.evaluation.run.MergeRecorder;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.evaluation.run.SettingRun;
import io.tome4j.merging.PatchReport;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * The same request as it is, without merging, and with each of several savings of time.
 *
 * @param request what to draw, one image; all panels have its seed
 * @param settings what to do in each panel, in their order: merge, change the request, or both
 * @param measures what to tell of the distance between an image and the unmerged one
 * @param mapAt where to record merge maps; empty for none
 */
public record Comparison(
        Request request, List<Setting> settings, List<ImageMeasure> measures, Optional<MapPlace> mapAt) {

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
            throw new IllegalArgumentException("A comparison needs at least one setting");
        }
    }

    /**
     * Makes all images. A step of each kind of merging is made and thrown away before, so that no panel pays for what only
     * a process's first step has to do.
     *
     * @throws IllegalArgumentException if a setting would merge nothing, or there is no such block, or it is not merged
     * @throws TomeException if the run has fewer steps than the map needs
     * @throws CancellationException if the listener stopped the run
     */
    public List<Panel> run(StableDiffusionPipeline pipeline, Listener listener) {
        SettingRun run = new SettingRun(pipeline, listener);
        List<PatchReport> reports = settings.stream()
                .map(setting -> run.report(request, setting.savings()))
                .toList();
        if (mapAt.isPresent()) {
            String block = mapAt.get().block().orElseGet(() -> MergeRecorder.usualBlock(pipeline));
            MergeRecorder.requireBlock(pipeline, block);
            reports.stream().filter(PatchReport::merges).forEach(report -> requireMerged(block, report));
        }
        int images = settings.size() + 1;
        listener.onImage(0, images, "warm-up");
        run.warmUpEachKind(request, settings.stream().map(Setting::savings).toList());
        listener.onImage(1, images, Panel.UNMERGED);
        Panel unmerged = Panel.unmerged(run.make(request, Savings.NONE));
        List<Panel> panels = new ArrayList<>(List.of(unmerged));
        for (Setting setting : settings) {
            listener.onImage(panels.size() + 1, images, setting.label());
            panels.add(saving(run, setting, reports.get(panels.size() - 1), unmerged));
        }
        return List.copyOf(panels);
    }

    private static void requireMerged(String block, PatchReport report) {
        boolean merged =
                report.blocks().stream().anyMatch(patched -> patched.name().equals(block));
        if (!merged) {
            throw new OptionException(
                    "{map_block} is " + OptionException.literal(block) + ", which is not merged; those that are: "
                            + String.join(
                                    ", ",
                                    report.blocks().stream()
                                            .map(PatchReport.PatchedBlock::name)
                                            .toList()));
        }
    }

    private Panel saving(SettingRun run, Setting setting, PatchReport report, Panel unmerged) {
        Made made = mapAt.filter(place -> setting.merges())
                .map(place -> mapped(run, setting.savings(), place))
                .orElseGet(() -> run.make(request, setting.savings()));
        return new Panel(
                setting, made, report, unmerged.perStep(), Distance.of(measures, unmerged.image(), made.image()));
    }

    private Made mapped(SettingRun run, Savings setting, MapPlace place) {
        Made made = run.make(request, setting, place);
        if (made.map().isEmpty()) {
            throw new TomeException("There is no merge map of step " + (place.step() + 1) + " or later: the run had "
                    + made.times().steps().size() + " steps, and those that reuse features may leave the block out.");
        }
        return made;
    }
}
