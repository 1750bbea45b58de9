package io.tome4j.cli.evaluate;

import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.evaluation.measures.ClipScore;
import io.tome4j.evaluation.measures.ImageFeatures;
import io.tome4j.evaluation.measures.ImageMeasure;
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
     * @param images measures that need none
     * @throws io.tome4j.tensor.TomeException if one cannot be had or loaded
     */
    Measures load(List<ImageMeasure> images, GridOptions options, DownloadListener listener) {
        List<ImageMeasure> all = new ArrayList<>(images);
        options.lpips.ifPresent(file -> {
            ImageMeasure lpips = ImageMeasure.lpips(file);
            closing.push(lpips::close);
            all.add(lpips);
        });
        Optional<ImageFeatures> features = options.features.map(name -> features(name, listener));
        return new Measures(all, options.clipScore.map(name -> new ClipScore(clip(name, listener))), features);
    }

    private ImageFeatures features(String name, DownloadListener listener) {
        ImageFeatures features = name.endsWith(".pt")
                ? ImageFeatures.torchScript(Path.of(name))
                : ImageFeatures.clip(name, clip(name, listener));
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
