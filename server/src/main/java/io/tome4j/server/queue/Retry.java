package io.tome4j.server.queue;

/**
 * How to know a request without a seed when its client, having lost patience, asks again: each time another seed is drawn.
 *
 * @param key equal for the same request of the same client
 * @param isSaid whether the client says that it asks again; otherwise it counts as such when the first is some time ago
 */
public record Retry(Object key, boolean isSaid) {}
