package io.tome4j.evaluation.quality;

import java.util.Map;

/**
 * How far sets of images are from the unmerged ones: the Frechet distance of what a network says of them.
 *
 * @param network what the network is called
 * @param distances 0 for the same images; of each setting that merges
 */
record SetDistances(String network, Map<Setting, Double> distances) {
    public SetDistances {
        distances = Map.copyOf(distances);
    }
}
