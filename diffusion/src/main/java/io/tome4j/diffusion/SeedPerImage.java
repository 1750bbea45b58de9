package io.tome4j.diffusion;

import io.tome4j.diffusion.Result.Timings;
import io.tome4j.merging.BlockMerge;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.TokenGrid;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * Makes the images of a request one by one, each from a seed of its own, and gives them as one result. A batch with one
 * generator an image would draw the same noise, yet not give the same bits as an image alone: matrix products depend on
 * their sizes, and merging draws once for a batch.
 *
 * @param run carries out a request for one image
 */
record SeedPerImage(BiFunction<Request, StepListener, Result> run) {
    /** @param request for one image or several; it says how to merge */
    Result generate(Request request, StepListener listener) {
        long start = System.nanoTime();
        List<Result> results = new ArrayList<>();
        for (int i = 0; i < request.images(); i++) {
            results.add(run.apply(request.single(i), new OneOfSeveral(listener, i, request.images(), start)));
        }
        Result first = results.get(0);
        return new Result(
                each(results, Result::images),
                Latents.join(results.stream().map(Result::latents).toList()),
                asAsked(first.request(), request),
                first.merging(),
                new Timings(
                        sum(results, Timings::textEncoding),
                        each(results, result -> result.timings().steps()),
                        sum(results, Timings::decoding)),
                droppedWords(results, request.imagesPerPrompt()),
                first.warnings(),
                first.tiled());
    }

    /** What was resolved for one image, of all. */
    private static Request asAsked(Request resolved, Request request) {
        return resolved.prompts(request.prompts())
                .imagesPerPrompt(request.imagesPerPrompt())
                .seedPerImage(true)
                .start(request.start());
    }

    private static <T> List<T> each(List<Result> results, Function<Result, List<T>> part) {
        return results.stream().flatMap(result -> part.apply(result).stream()).toList();
    }

    private static Duration sum(List<Result> results, Function<Timings, Duration> part) {
        return results.stream().map(Result::timings).map(part).reduce(Duration.ZERO, Duration::plus);
    }

    /** Those of each prompt once. */
    private static List<String> droppedWords(List<Result> results, int imagesPerPrompt) {
        return Stream.iterate(0, i -> i < results.size(), i -> i + imagesPerPrompt)
                .map(i -> results.get(i).droppedWords().get(0))
                .toList();
    }

    /**
     * Counts the steps of all images as those of one run.
     *
     * @param listener of all
     * @param image from 0
     * @param images how many there are
     * @param start when the first began, in the clock's nanoseconds
     */
    private record OneOfSeveral(StepListener listener, int image, int images, long start) implements StepListener {
        @Override
        public boolean onStep(Progress progress) {
            return listener.onStep(new Progress(
                    image * progress.total() + progress.done(),
                    images * progress.total(),
                    progress.timestep(),
                    progress.latents(),
                    progress.original(),
                    Duration.ofNanos(System.nanoTime() - start)));
        }

        @Override
        public void onMerge(
                MergeableBlock block, Tensor hidden, TokenGrid grid, BlockMerge merge, MergeContext context) {
            listener.onMerge(block, hidden, grid, merge, context);
        }
    }
}
