package io.tome4j.server;

import io.tome4j.server.queue.Job;
import io.tome4j.server.queue.Outcome;
import io.tome4j.server.queue.QueueListener;
import java.util.List;

/** Several listeners as one. */
record Listeners(List<QueueListener> all) implements QueueListener {
    @Override
    public void joined(Job job) {
        all.forEach(each -> each.joined(job));
    }

    @Override
    public void refused() {
        all.forEach(QueueListener::refused);
    }

    @Override
    public void ended(Job job, Outcome outcome) {
        all.forEach(each -> each.ended(job, outcome));
    }

    @Override
    public void loaded(String model, double seconds) {
        all.forEach(each -> each.loaded(model, seconds));
    }
}
