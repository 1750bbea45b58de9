package io.tome4j.server.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.Request;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.Served;
import io.tome4j.server.queue.JobEvent.Ended;
import io.tome4j.server.queue.Outcome.End;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GenerationQueueTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int FOR_LONG = 100_000;

    private final ServedModel model = Served.tiny("tiny-sd1");
    private final List<Outcome> ended = new CopyOnWriteArrayList<>();
    private GenerationQueue queue;

    @BeforeEach
    void start() {
        queue = new GenerationQueue(List.of(model, Served.tiny("tiny-sd2")), 2, new QueueListener() {
            @Override
            public void ended(Job job, Outcome outcome) {
                ended.add(outcome);
            }
        });
        queue.start().join();
    }

    @AfterEach
    void stop() throws InterruptedException {
        queue.close(Duration.ZERO);
    }

    private Task task(long seed, int steps, int count) {
        Request request = Request.of("x")
                .seed(seed)
                .steps(steps)
                .size(64, 64)
                .scheduler("ddim")
                .merging(ToMeOptions.ratio(0.5));
        return Task.of(model, request, count, false);
    }

    /** A job that goes on until it is stopped, or nearly so; it has begun. */
    private Ticket begun(int count) throws InterruptedException {
        Ticket ticket = queue.submit(task(1, 900, count), Optional.empty());
        JobEvents events = ticket.events(PreviewPlan.NONE);
        while (ticket.job().progress().step() == 0) {
            assertThat(events.next(LONG)).isPresent();
        }
        return ticket;
    }

    @Test
    void identicalRequestsInFlightAreMadeOnce() throws InterruptedException {
        try (Ticket running = begun(1);
                Ticket first = queue.submit(task(5, 2, 1), Optional.empty());
                Ticket second = queue.submit(task(5, 2, 1), Optional.empty());
                Ticket other = queue.submit(task(6, 2, 1), Optional.empty())) {
            assertThat(second.joined()).isTrue();
            assertThat(second.job()).isSameAs(first.job());
            assertThat(other.joined()).isFalse();
            queue.interrupt();
            assertThat(running.await().end()).isEqualTo(End.INTERRUPTED);
            assertThat(second.await()).isSameAs(first.await());
            assertThat(other.await().end()).isEqualTo(End.DONE);
        }
        assertThat(ended).hasSize(3);
    }

    @Test
    void aRequestWithoutASeedIsJoinedWhenItsClientAsksAgainAndNotWhenAnotherAsksTheSame() throws InterruptedException {
        try (Ticket running = begun(1);
                Ticket asked = queue.submit(task(7, 2, 1), Optional.of(new Retry("a", false)));
                Ticket same = queue.submit(task(8, 2, 1), Optional.of(new Retry("a", false)));
                Ticket again = queue.submit(task(9, 2, 1), Optional.of(new Retry("a", true)))) {
            assertThat(same.joined()).isFalse();
            assertThat(again.joined()).isTrue();
            assertThat(again.job()).isSameAs(asked.job());
            queue.interrupt();
            assertThat(running.await().images()).hasSize(1);
        }
    }

    @Test
    void whoComesWhenThereIsNoRoomIsToldWhenToComeAgain() throws InterruptedException {
        try (Ticket running = begun(1);
                Ticket first = queue.submit(task(2, 2, 1), Optional.empty());
                Ticket second = queue.submit(task(3, 2, 1), Optional.empty())) {
            assertThat(first.job().progress().position()).isEqualTo(1);
            assertThat(second.job().progress().position()).isEqualTo(2);
            assertThatThrownBy(() -> queue.submit(task(4, 2, 1), Optional.empty()))
                    .isInstanceOfSatisfying(QueueFullException.class, full -> assertThat(full.retryAfterSeconds())
                            .isPositive());
            assertThat(running.job().progress().position()).isZero();
        }
    }

    @Test
    void aJobThatNobodyWantsAnyMoreIsCancelled() throws InterruptedException {
        Ticket running = begun(1);
        Ticket waiting = queue.submit(task(2, 2, 1), Optional.empty());
        Ticket joined = queue.submit(task(2, 2, 1), Optional.empty());
        waiting.close();
        assertThat(queue.length()).isEqualTo(1);
        joined.close();
        assertThat(queue.length()).isZero();
        assertThat(waiting.await().end()).isEqualTo(End.CANCELLED);
        running.close();
        assertThat(running.await().end()).isEqualTo(End.CANCELLED);
        assertThat(queue.running()).isEmpty();
    }

    @Test
    void anInterruptedJobGivesWhatIsDoneOrTheImageAsFarAsItIs() throws InterruptedException {
        try (Ticket alone = begun(1)) {
            queue.interrupt();
            Outcome outcome = alone.await();
            assertThat(outcome.images()).hasSize(1);
            assertThat(outcome.images().get(0).result()).isEmpty();
            assertThat(outcome.images().get(0).image().width()).isEqualTo(64);
        }
        try (Ticket several = queue.submit(task(3, 40, 16), Optional.empty())) {
            while (several.job().progress().image() < 2) {
                Thread.sleep(2);
            }
            queue.interrupt();
            assertThat(several.await().images()).hasSizeBetween(2, 15).allMatch(made -> made.result()
                    .isPresent());
        }
    }

    @Test
    void aSkippedImageIsLeftOutAndTheNextIsMade() throws InterruptedException {
        try (Ticket ticket = begun(2)) {
            queue.skip();
            Outcome outcome;
            while (ticket.job().progress().image() == 0) {
                Thread.sleep(2);
            }
            queue.interrupt();
            outcome = ticket.await();
            assertThat(outcome.images()).hasSize(1);
            assertThat(outcome.images().get(0).request().seed()).isEqualTo(2);
        }
    }

    @Test
    void aFailureIsItsOwnJobsAlone() throws InterruptedException {
        Task impossible = task(1, FOR_LONG, 1);
        try (Ticket failed = queue.submit(impossible, Optional.empty());
                Ticket next = queue.submit(task(2, 2, 1), Optional.empty())) {
            assertThat(failed.await().end()).isEqualTo(End.FAILED);
            assertThat(failed.await().failure()).isPresent();
            assertThat(next.await().end()).isEqualTo(End.DONE);
        }
    }

    @Test
    void aModelTakesThePlaceOfAnother() throws InterruptedException {
        ServedModel other = queue.models().get(1);
        Task task = Task.of(other, task(1, 2, 1).first(), 1, false);
        try (Ticket ticket = queue.submit(task, Optional.empty())) {
            assertThat(ticket.await().images().get(0).image().parameters()).contains("Model: tiny-sd2");
        }
        assertThat(queue.loadedModel()).contains("tiny-sd2");
        queue.unload().join();
        assertThat(queue.loadedModel()).isEmpty();
        try (Ticket ticket = queue.submit(task(1, 2, 1), Optional.empty())) {
            assertThat(ticket.await().end()).isEqualTo(End.DONE);
        }
    }

    @Test
    void closingFinishesWhatThereIsWithinTheGraceAndCancelsTheRest() throws InterruptedException {
        List<Ticket> short2 = new ArrayList<>();
        short2.add(queue.submit(task(1, 20, 1), Optional.empty()));
        short2.add(queue.submit(task(2, 2, 1), Optional.empty()));
        queue.close(LONG);
        for (Ticket ticket : short2) {
            assertThat(ticket.await().end()).isEqualTo(End.DONE);
        }
        assertThatThrownBy(() -> queue.submit(task(3, 2, 1), Optional.empty()))
                .isInstanceOf(QueueClosedException.class);
        start();
        Ticket running = begun(16);
        Ticket waiting = queue.submit(task(2, 2, 1), Optional.empty());
        long start = System.nanoTime();
        queue.close(Duration.ofMillis(100));
        assertThat(running.await().end()).isEqualTo(End.CANCELLED);
        assertThat(waiting.await().end()).isEqualTo(End.CANCELLED);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void aSlowListenerIsToldOfTheEndAndNotOfAllBefore() throws InterruptedException {
        try (Ticket ticket = queue.submit(task(1, 40, 1), Optional.empty())) {
            JobEvents events = ticket.events(PreviewPlan.NONE);
            ticket.await();
            int heard = 0;
            Optional<JobEvent> event = events.next(LONG);
            while (event.isPresent() && !(event.get() instanceof Ended)) {
                heard++;
                event = events.next(LONG);
            }
            assertThat(heard).isLessThan(5);
        }
    }

    @Test
    void modelsAreNeitherLoadedNorFreedOnceItIsClosing() throws InterruptedException {
        queue.close(LONG);
        assertThatThrownBy(queue::unload).isInstanceOf(QueueClosedException.class);
        assertThatThrownBy(() -> queue.load(model)).isInstanceOf(QueueClosedException.class);
    }

    @Test
    void noMoreModelsThanAFewWaitToBeLoadedOrFreed() throws InterruptedException {
        List<CompletableFuture<Void>> errands = new ArrayList<>();
        try (Ticket running = begun(1)) {
            for (int i = 0; i < 8; i++) {
                errands.add(queue.unload());
            }
            assertThatThrownBy(queue::unload).isInstanceOf(QueueFullException.class);
            queue.interrupt();
            assertThat(running.await().end()).isEqualTo(End.INTERRUPTED);
        }
        errands.forEach(CompletableFuture::join);
        queue.unload().join();
    }

    @Test
    void threadsAreLeftForOthersHoweverManyMayWait() throws InterruptedException {
        GenerationQueue large = new GenerationQueue(List.of(model), 1000, QueueListener.NONE); // nothing is carried out
        for (int seed = 0; seed < 249; seed++) {
            large.submit(task(seed, 2, 1), Optional.empty());
        }
        large.submit(task(0, 2, 1), Optional.empty()); // joined
        for (int seed : List.of(0, 300)) {
            assertThatThrownBy(() -> large.submit(task(seed, 2, 1), Optional.empty()))
                    .isInstanceOf(QueueFullException.class)
                    .hasMessageContaining("250 requests");
        }
        large.close(Duration.ZERO);
    }
}
