package io.tome4j.server.a1111;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.scheduler.ScheduleType;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.server.http.HttpError;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Schedulers by the names that the web UI and its clients have for them: in any case, its aliases, and the spacing of noise
 * levels in the sampler's name, as before version 1.9, or beside it.
 */
final class Samplers {
    /** The web UI's aliases, by our names. */
    private static final Map<String, List<String>> ALIASES = Map.of(
            "euler", List.of("k_euler"),
            "euler_a", List.of("k_euler_a", "k_euler_ancestral"),
            "lms", List.of("k_lms"),
            "heun", List.of("k_heun"),
            "dpmpp_2m", List.of("k_dpmpp_2m"),
            "dpmpp_2m_karras", List.of("k_dpmpp_2m_ka"),
            "dpmpp_2m_sde", List.of("k_dpmpp_2m_sde"),
            "dpmpp_sde", List.of("k_dpmpp_sde"),
            "unipc", List.of("uni_pc"));

    private static final String KARRAS = "Karras";

    /** What leaves the spacing to the sampler. */
    private static final Set<String> AUTOMATIC = Set.of("", "automatic", "none", "use same scheduler");

    private static final Set<String> UNIFORM = Set.of("uniform", "normal");

    private static final Map<ScheduleType, String> SPACINGS =
            Map.of(ScheduleType.KARRAS, KARRAS, ScheduleType.EXPONENTIAL, "exponential", ScheduleType.BETA, "beta");

    private Samplers() {}

    /** The sampler's names and aliases, by what the web UI calls it, in our order. */
    static Map<String, List<String>> all() {
        Map<String, List<String>> all = new LinkedHashMap<>();
        for (String name : Schedulers.names()) {
            List<String> aliases = new ArrayList<>(ALIASES.getOrDefault(name, List.of()));
            if (!name.equals(Schedulers.title(name))) {
                aliases.add(name);
            }
            all.put(Schedulers.title(name), List.copyOf(aliases));
        }
        return all;
    }

    /**
     * A request with a sampler, and a spacing of noise levels.
     *
     * @param sampler by any of its names
     * @param spacing {@code automatic}, {@code uniform}, {@code karras}, {@code exponential}, {@code beta}, or another that
     *     the sampler has
     * @throws HttpError 404 if there is no such sampler, 422 if it cannot be spaced so
     */
    static Request sampled(Request request, String sampler, String spacing) {
        String name = named(sampler);
        // Who says our own name means what that is.
        ScheduleType type = AUTOMATIC.contains(lower(spacing)) && !name.equals(sampler.strip())
                ? ScheduleType.usualInWebUi(name)
                : spacing(spacing);
        if (type == ScheduleType.AUTO) {
            String own = isOwn(spacing) ? name : spaced(name, spacing).orElseThrow(() -> unknown(spacing));
            return request.scheduler(own).scheduleType(ScheduleType.AUTO);
        }
        Optional<String> karras = type == ScheduleType.KARRAS ? karras(name) : Optional.empty();
        if (karras.isPresent()) {
            return request.scheduler(karras.get()).scheduleType(ScheduleType.AUTO);
        }
        if (!Schedulers.choosing(Request.SCHEDULE_TYPE.name()).contains(name)) {
            throw HttpError.field(
                    "scheduler",
                    "The sampler '" + Schedulers.title(name) + "' has no " + SPACINGS.get(type) + " spacing here");
        }
        return request.scheduler(name).scheduleType(type);
    }

    /**
     * A request with the model's own sampler, its noise levels spaced otherwise.
     *
     * @throws HttpError 422 if there is no such spacing
     */
    static Request spaced(Request request, String spacing) {
        ScheduleType type = spacing(spacing);
        if (type == ScheduleType.AUTO && !isOwn(spacing)) {
            throw unknown(spacing);
        }
        return request.scheduleType(type);
    }

    private static HttpError unknown(String spacing) {
        return HttpError.field(
                "scheduler",
                "scheduler is '" + shortened(spacing) + "': there are automatic, uniform, karras, exponential, beta");
    }

    /** A spacing of noise levels by its name; what is not one of those that are special is the sampler's own. */
    static ScheduleType spacing(String name) {
        return switch (lower(name)) {
            case "karras" -> ScheduleType.KARRAS;
            case "exponential" -> ScheduleType.EXPONENTIAL;
            case "beta" -> ScheduleType.BETA;
            default -> ScheduleType.AUTO;
        };
    }

    private static boolean isOwn(String spacing) {
        return AUTOMATIC.contains(lower(spacing)) || UNIFORM.contains(lower(spacing));
    }

    private static String named(String sampler) {
        return find(sampler.strip()).orElseThrow(() -> HttpError.of(
                        404, "Sampler not found; there are " + String.join(", ", all().keySet()))
                .about("sampler_name"));
    }

    private static String lower(String name) {
        return name.strip().toLowerCase(Locale.ROOT);
    }

    private static String shortened(String text) {
        return text.length() <= 60 ? text : text.substring(0, 60) + "...";
    }

    private static Optional<String> karras(String name) {
        return Schedulers.title(name).endsWith(KARRAS) ? Optional.of(name) : spaced(name, KARRAS);
    }

    private static Optional<String> spaced(String name, String spacing) {
        String title = Schedulers.title(name) + " " + spacing;
        return Schedulers.names().stream()
                .filter(each -> Schedulers.title(each).equalsIgnoreCase(title))
                .findFirst();
    }

    private static Optional<String> find(String asked) {
        return Schedulers.names().stream()
                .filter(name -> name.equalsIgnoreCase(asked)
                        || Schedulers.title(name).equalsIgnoreCase(asked)
                        || ALIASES.getOrDefault(name, List.of()).stream().anyMatch(asked::equalsIgnoreCase))
                .findFirst();
    }
}
