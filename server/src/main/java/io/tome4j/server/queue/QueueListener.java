package io.tome4j.server.queue;

/** Told of what the queue does, on the thread that generates or that submits. */
public interface QueueListener {
    /** Hears nothing. */
    QueueListener NONE = new QueueListener() {};

    /** A request was joined to a job that makes the same already. */
    default void joined(Job job) {}

    /** There was no room for a job. */
    default void refused() {}

    /** A job has ended. */
    default void ended(Job job, Outcome outcome) {}

    /** A model was loaded. */
    default void loaded(String model, double seconds) {}
}
