package io.tome4j.cli;

import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.evaluation.measures.ClipScore;
import io.tome4j.evaluation.measures.PictureFeatures;
import io.tome4j.evaluation.measures.PictureMeasure;
import io.tome4j.evaluation.quality.Measures;
import io.tome4j.models.clip.ClipModel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The measures that were asked for, with their networks; frees them. */
final class LoadedMeasures implements AutoCloseable {
    private final Deque<Runnable> closing = new ArrayDeque<>();
    private final Map<String, ClipModel> clips = new HashMap<>();

    /**
     * Loads the networks.
     *
     * @param pictures measures that need none
     * @throws io.tome4j.tensor.TomeException if one cannot be had or loaded
     */
    Measures load(List<PictureMeasure> pictures, GridOptions options, DownloadListener listener) {
        List<PictureMeasure> all = new ArrayList<>(pictures);
        options.lpips.ifPresent(file -> {
            PictureMeasure lpips = PictureMeasure.lpips(file);
            closing.push(lpips::close);
            all.add(lpips);
        });
        Optional<PictureFeatures> features = options.features.map(name -> features(name, listener));
        return new Measures(all, options.clipScore.map(name -> new ClipScore(clip(name, listener))), features);
    }

    private PictureFeatures features(String name, DownloadListener listener) {
        PictureFeatures features = name.endsWith(".pt")
                ? PictureFeatures.torchScript(Path.of(name))
                : PictureFeatures.clip(name, clip(name, listener));
        closing.push(features::close);
        return features;
    }

    private ClipModel clip(String name, DownloadListener listener) {
        return clips.computeIfAbsent(name, wanted -> {
            ClipModel model = ClipModel.fromPretrained(wanted, listener);
            closing.push(model::close);
            return model;
        });
    }

    @Override
    public void close() {
        while (!closing.isEmpty()) {
            closing.pop().run();
        }
    }
}
