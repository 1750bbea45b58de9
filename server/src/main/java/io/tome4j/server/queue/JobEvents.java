package io.tome4j.server.queue;

import io.tome4j.server.queue.JobEvent.Ended;
import io.tome4j.server.queue.JobEvent.Previewed;
import io.tome4j.server.queue.JobEvent.Progressed;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What happened to a job and its listener has not fetched yet. Holds little, however slow the listener is: of progress the
 * newest alone, of previews what the plan says.
 */
public final class JobEvents {
    private final PreviewPlan plan;
    private final Map<String, JobEvent> unread = new LinkedHashMap<>();
    private int previews;
    private long lastPreview = System.nanoTime();

    JobEvents(PreviewPlan plan) {
        this.plan = plan;
    }

    /**
     * Waits for the next event.
     *
     * @return empty if there is none in that time
     */
    public synchronized Optional<JobEvent> next(Duration longest) throws InterruptedException {
        long end = System.nanoTime() + longest.toNanos();
        while (unread.isEmpty()) {
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return Optional.empty();
            }
            wait(left);
        }
        String first = unread.keySet().iterator().next();
        return Optional.of(unread.remove(first));
    }

    synchronized void progressed(JobProgress progress) {
        put("progress", new Progressed(progress));
    }

    synchronized void ended(Outcome outcome) {
        put("ended", new Ended(outcome));
    }

    /** Whether a preview is wanted after so many steps of all. */
    synchronized boolean wantsPreview(long stepsDone, long stepsInAll) {
        if (plan instanceof PreviewPlan.Shares shares) {
            return previews < shares.count()
                    && stepsDone < stepsInAll
                    && stepsDone * (shares.count() + 1) >= stepsInAll * (previews + 1);
        }
        return System.nanoTime() - lastPreview
                >= ((PreviewPlan.Every) plan).interval().toNanos();
    }

    synchronized void previewed(BufferedImage image) {
        boolean all = plan instanceof PreviewPlan.Shares;
        put(all ? "preview " + previews : "preview", new Previewed(image, previews));
        previews++;
        lastPreview = System.nanoTime();
    }

    private void put(String kind, JobEvent event) {
        unread.remove(kind); // the newest comes last
        unread.put(kind, event);
        notifyAll();
    }
}
