package io.tome4j.server.queue;

import io.tome4j.diffusion.Image;
import io.tome4j.diffusion.LatentPreview;
import io.tome4j.diffusion.Latents;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Result;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.evaluation.run.MapPlace;
import io.tome4j.evaluation.run.MergeRecorder;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.queue.Job.Stop;
import io.tome4j.server.queue.Outcome.End;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/** Makes a job's images, one after the other. */
final class JobRun {
    private final Job job;
    private final StableDiffusionPipeline pipeline;
    private final List<MadeImage> made = new ArrayList<>();
    private Optional<Latents> reached = Optional.empty(); // where the image was when it was stopped

    JobRun(Job job, StableDiffusionPipeline pipeline) {
        this.job = job;
        this.pipeline = pipeline;
    }

    Outcome run() {
        List<Request> images = job.task().images();
        for (int i = 0; i < images.size() && isToGoOn(); i++) {
            make(i, images.get(i));
        }
        End end =
                switch (job.stop()) {
                    case CANCEL -> End.CANCELLED;
                    case INTERRUPT -> End.INTERRUPTED;
                    default -> End.DONE;
                };
        return new Outcome(end, end == End.CANCELLED ? List.of() : made, Optional.empty(), job.waited(), job.took());
    }

    private boolean isToGoOn() {
        job.skipped();
        return job.stop() == Stop.NO;
    }

    private void make(int number, Request request) {
        StepListener listener = progress -> onStep(number, progress);
        Optional<MergeRecorder> recorder = job.task().mergeMap() && merges(request)
                ? Optional.of(MergeRecorder.of(pipeline, MapPlace.middle(request.steps()), listener))
                : Optional.empty();
        try {
            Result result = pipeline.generate(
                    request, recorder.<StepListener>map(each -> each).orElse(listener));
            made.add(new MadeImage(
                    result.image(), request, Optional.of(result), recorder.flatMap(each -> map(each, result))));
        } catch (CancellationException e) {
            boolean lastChance = made.isEmpty()
                    && (job.stop() == Stop.INTERRUPT
                            || number + 1 == job.task().images().size());
            if (lastChance && job.stop() != Stop.CANCEL) {
                reached.ifPresent(latents -> made.add(begun(latents, request)));
            }
        }
    }

    private static boolean merges(Request request) {
        return request.merging().orElse(ToMeOptions.NONE).merges();
    }

    private static Optional<BufferedImage> map(MergeRecorder recorder, Result result) {
        return recorder.maps().stream()
                .findFirst()
                .map(map -> map.draw(result.image().toBufferedImage()));
    }

    private MadeImage begun(Latents latents, Request request) {
        Image image = pipeline.decode(latents, request).get(0);
        return new MadeImage(image, request, Optional.empty(), Optional.empty());
    }

    private boolean onStep(int number, StepListener.Progress progress) {
        job.stepped(number, progress);
        job.preview(number, progress, () -> LatentPreview.of(pipeline).image(progress.original()));
        if (job.stop() != Stop.NO) {
            reached = Optional.of(Latents.of(progress.original()));
            return false;
        }
        return true;
    }
}
