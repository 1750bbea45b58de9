package io.tome4j.server.generate;

import io.tome4j.diffusion.Request;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.http.Exchange;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.queue.GenerationQueue;
import io.tome4j.server.queue.Outcome;
import io.tome4j.server.queue.Outcome.End;
import io.tome4j.server.queue.Retry;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.server.queue.Task;
import io.tome4j.server.queue.Ticket;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * From what an API was asked to the queue, and back.
 *
 * @param queue makes the images
 * @param limits of what can be asked for
 * @param merging what is merged where a request does not say
 * @param folders where that lies which requests may name
 */
public record Generation(GenerationQueue queue, Limits limits, ToMeOptions merging, Folders folders) {
    private static final String RETRY_COUNT = "x-stainless-retry-count"; // of OpenAI's clients

    /**
     * What an API understood.
     *
     * @param request for one image
     * @param count how many images
     * @param drawsSeed whether the seed was drawn at random
     * @param mergeMap whether to record which tokens were merged
     */
    public record Asked(ServedModel model, Request request, int count, boolean drawsSeed, boolean mergeMap) {}

    /** The model that a request gets that names none. */
    public ServedModel usualModel() {
        return queue.models().get(0);
    }

    /** A model by whatever it is called; empty if there is none of that name. */
    public Optional<ServedModel> model(String name) {
        return queue.models().stream()
                .filter(model -> model.isCalled(name.strip()))
                .findFirst();
    }

    /** A request with what suits a model, the server's own merging and a seed drawn at random. */
    public Request base(ServedModel model, String prompt) {
        ServedModel.Defaults usual = model.defaults();
        return Request.of(prompt)
                .steps(usual.steps())
                .guidanceScale(usual.guidanceScale())
                .size(usual.width(), usual.height())
                .merging(merging);
    }

    /**
     * Queues it.
     *
     * @param names what the API calls the library's options
     * @throws HttpError if it is beyond the limits, or there is no room
     */
    public Ticket submit(Asked asked, Exchange exchange, UnaryOperator<String> names) {
        try {
            Request limited = limits.apply(asked.request(), asked.count(), names);
            Request request = folders.resolve(asked.model().defaults().in(limited), names);
            Task task = Task.of(asked.model(), request, asked.count(), asked.mergeMap());
            return queue.submit(
                    task, asked.drawsSeed() ? Optional.of(retry(asked, request, exchange)) : Optional.empty());
        } catch (RuntimeException e) {
            throw Errors.explained(e, names);
        }
    }

    private static Retry retry(Asked asked, Request request, Exchange exchange) {
        record Key(Task task, String client) {}
        String client = exchange.client() + " " + exchange.header("User-Agent").orElse("")
                + exchange.header("Authorization").orElse("") + exchange.path();
        boolean said =
                exchange.header(RETRY_COUNT).filter(count -> !count.equals("0")).isPresent();
        Task seedless = Task.of(asked.model(), request.seed(0), asked.count(), asked.mergeMap());
        return new Retry(new Key(seedless, client), said);
    }

    /**
     * Waits for the images.
     *
     * @return one that was done or interrupted
     * @throws HttpError if it could not be done as asked, or the server stops
     */
    public Outcome await(Ticket ticket, UnaryOperator<String> names) throws InterruptedException {
        return finished(ticket.await(), names);
    }

    /** An outcome that was done or interrupted; the others are thrown. */
    public static Outcome finished(Outcome outcome, UnaryOperator<String> names) {
        Throwable failure = outcome.failure().orElse(null);
        if (failure instanceof RuntimeException e) {
            throw Errors.explained(e, names);
        } else if (failure instanceof Error e) {
            throw new IllegalStateException("The job failed", e);
        }
        if (outcome.end() == End.CANCELLED) {
            throw Errors.stopping();
        }
        return outcome;
    }
}
