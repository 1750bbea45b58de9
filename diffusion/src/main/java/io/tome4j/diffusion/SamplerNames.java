package io.tome4j.diffusion;

import io.tome4j.diffusion.scheduler.ScheduleType;
import io.tome4j.diffusion.scheduler.Schedulers;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * What A1111's web UI calls a scheduler: a sampler's name and, from version 1.9 on, how noise levels are spaced beside it.
 *
 * @param scheduler our name where we have it, else the sampler's
 * @param type how noise levels are spaced
 */
record SamplerNames(String scheduler, ScheduleType type) {
    private static final String KARRAS = "_karras";

    /**
     * Reads the names as they stand.
     *
     * @param sampler such as {@code DPM++ 2M}, or {@code DPM++ 2M Karras} of older versions
     * @param scheduleType such as {@code Karras}; one that we do not have stays with the sampler's name; may be empty
     */
    static SamplerNames of(String sampler, String scheduleType) {
        String name = titled(sampler).orElse(sampler);
        if (scheduleType.isEmpty()) {
            return name.equals(sampler) ? oldSpelling(sampler) : new SamplerNames(name, ScheduleType.AUTO);
        }
        if (scheduleType.equalsIgnoreCase("Automatic")) {
            return new SamplerNames(name, ScheduleType.usualInWebUi(name)).canonical();
        }
        return Arrays.stream(ScheduleType.values())
                .filter(type -> type != ScheduleType.AUTO && type.name().equalsIgnoreCase(scheduleType))
                .findFirst()
                .map(type -> new SamplerNames(name, type).canonical())
                .orElseGet(() -> {
                    String both = sampler + " " + scheduleType;
                    return new SamplerNames(titled(both).orElse(both), ScheduleType.AUTO);
                });
    }

    /** A sampler that we do not have under its whole name may be one that we have, with a spacing. */
    private static SamplerNames oldSpelling(String sampler) {
        for (ScheduleType type : ScheduleType.values()) {
            String end = " " + title(type);
            if (type != ScheduleType.AUTO && sampler.toLowerCase(Locale.ROOT).endsWith(end.toLowerCase(Locale.ROOT))) {
                Optional<String> base = titled(sampler.substring(0, sampler.length() - end.length()));
                if (base.isPresent()) {
                    return new SamplerNames(base.get(), type);
                }
            }
        }
        return new SamplerNames(sampler, ScheduleType.AUTO);
    }

    /** The same, with the spacing in the scheduler's name where there is one of that name. */
    SamplerNames canonical() {
        if (type != ScheduleType.KARRAS) {
            return this;
        }
        if (scheduler.endsWith(KARRAS)) {
            return new SamplerNames(scheduler, ScheduleType.AUTO);
        }
        return Schedulers.names().contains(scheduler + KARRAS)
                ? new SamplerNames(scheduler + KARRAS, ScheduleType.AUTO)
                : this;
    }

    /** What the web UI calls a spacing. */
    static String title(ScheduleType type) {
        String name = type.name();
        return name.charAt(0) + name.substring(1).toLowerCase(Locale.ROOT);
    }

    private static Optional<String> titled(String title) {
        return Schedulers.names().stream()
                .filter(name -> Schedulers.title(name).equalsIgnoreCase(title))
                .findFirst();
    }
}
