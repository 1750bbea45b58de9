package io.tome4j.server.queue;

import io.tome4j.diffusion.Request;
import java.util.List;

/**
 * What one job is to make: images one after the other, so that any of them could be made again alone. Tasks that are equal
 * give the same images.
 *
 * @param model which model
 * @param images a request for one image each, at least one; it says how to merge
 * @param mergeMap whether to record which tokens were merged, where any are
 */
public record Task(ServedModel model, List<Request> images, boolean mergeMap) {
    public Task {
        images = List.copyOf(images);
        if (images.isEmpty()) {
            throw new IllegalArgumentException("A task makes at least one image");
        }
    }

    /**
     * A task for several images of one request: image <i>i</i> has the seed {@code request.seed() + i}.
     *
     * @param count at least 1
     */
    public static Task of(ServedModel model, Request request, int count, boolean mergeMap) {
        return new Task(
                model,
                java.util.stream.IntStream.range(0, count)
                        .mapToObj(i ->
                                request.imagesPerPrompt(1).seedPerImage(false).seed(request.seed() + i))
                        .toList(),
                mergeMap);
    }

    /** The first image's request. */
    public Request first() {
        return images.get(0);
    }
}
