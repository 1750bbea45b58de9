package io.tome4j.diffusion;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Timesteps and noise levels as options have them: numbers with commas between. */
final class StepLists {
    static final String TIMESTEPS_RULE =
            "it must be whole numbers from 0 on that fall, with commas between, such as 999,749,499,249";
    static final String SIGMAS_RULE =
            "it must be at least two numbers above 0 that fall, with commas between, of which the last may be 0, such as"
                    + " 14.6,3.9,1.4,0";

    private StepLists() {}

    static boolean areTimesteps(String text) {
        try {
            List<Integer> list = timesteps(text);
            for (int i = 0; i < list.size(); i++) {
                if (list.get(i) < 0 || (i > 0 && list.get(i) >= list.get(i - 1))) {
                    return false;
                }
            }
            return true;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    static boolean areSigmas(String text) {
        try {
            List<Double> list = sigmas(text);
            for (int i = 0; i < list.size(); i++) {
                double sigma = list.get(i);
                boolean inRange =
                        sigma < Double.POSITIVE_INFINITY && (sigma > 0 || (sigma == 0 && i == list.size() - 1));
                if (!inRange || (i > 0 && sigma >= list.get(i - 1))) {
                    return false;
                }
            }
            return list.size() != 1;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /** @throws NumberFormatException if it is no list of whole numbers */
    static List<Integer> timesteps(String text) {
        return parts(text).stream().map(Integer::valueOf).toList();
    }

    /** @throws NumberFormatException if it is no list of numbers */
    static List<Double> sigmas(String text) {
        return parts(text).stream().map(Double::valueOf).toList();
    }

    /** The steps of a run that goes by one of both; 0 if both are empty. */
    static int steps(String timesteps, String sigmas) {
        return timesteps.isEmpty()
                ? Math.max(0, sigmas(sigmas).size() - 1)
                : timesteps(timesteps).size();
    }

    static String text(int... values) {
        return Arrays.stream(values).mapToObj(String::valueOf).collect(Collectors.joining(","));
    }

    static String text(double... values) {
        return Arrays.stream(values).mapToObj(String::valueOf).collect(Collectors.joining(","));
    }

    private static List<String> parts(String text) {
        return text.isEmpty()
                ? List.of()
                : Arrays.stream(text.split(",", -1)).map(String::strip).toList();
    }
}
