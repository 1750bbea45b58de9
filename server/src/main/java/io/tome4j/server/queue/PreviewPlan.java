package io.tome4j.server.queue;

import java.time.Duration;

/** When a listener wants to see what the image looks like by now. */
public sealed interface PreviewPlan {
    /** Never. */
    PreviewPlan NONE = new Shares(0);

    /** So many times, evenly spread over the steps. */
    record Shares(int count) implements PreviewPlan {}

    /** No more often than so. */
    record Every(Duration interval) implements PreviewPlan {}
}
