package io.tome4j.diffusion.scheduler;

import io.tome4j.checkpoint.Config;
import io.tome4j.tensor.OptionException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What a request says of a run's steps besides how many there are. It goes before a checkpoint's config.
 *
 * @param type how noise levels are spaced
 * @param spacing how timesteps are spaced
 * @param timesteps the run's own timesteps, falling; empty for spaced ones
 * @param sigmas its own noise levels, falling, with the one at its end; empty for spaced ones
 */
public record SchedulerSettings(
        ScheduleType type, SpacingChoice spacing, List<Integer> timesteps, List<Double> sigmas) {
    /** All as the checkpoint has it. */
    public static final SchedulerSettings CHECKPOINTS_OWN =
            new SchedulerSettings(ScheduleType.AUTO, SpacingChoice.AUTO, List.of(), List.of());

    /** What schedulers may let one choose. */
    enum Choice {
        /** How noise levels are spaced. */
        TYPE,
        /** The same, of two ways only, which models of continuous noise levels have under a name of their own. */
        EDM_TYPE,
        /** How timesteps are spaced. */
        SPACING,
        TIMESTEPS,
        SIGMAS
    }

    private static final String SIGMA_SCHEDULE = "sigma_schedule";

    private static final Map<ScheduleType, String> FLAGS = new LinkedHashMap<>();

    static {
        FLAGS.put(ScheduleType.KARRAS, "use_karras_sigmas");
        FLAGS.put(ScheduleType.EXPONENTIAL, "use_exponential_sigmas");
        FLAGS.put(ScheduleType.BETA, "use_beta_sigmas");
    }

    public SchedulerSettings {
        timesteps = List.copyOf(timesteps);
        sigmas = List.copyOf(sigmas);
        if (!timesteps.isEmpty() && !sigmas.isEmpty()) {
            throw new OptionException("{timesteps} and {sigmas} both say where the steps are: leave one of them out");
        }
        boolean given = !timesteps.isEmpty() || !sigmas.isEmpty();
        if (given && (type != ScheduleType.AUTO && type != ScheduleType.UNIFORM)) {
            throw new OptionException("{schedule_type} is " + lowerCase(type) + ", and "
                    + (timesteps.isEmpty() ? "{sigmas}" : "{timesteps}")
                    + " say where the steps are: leave one of both out");
        }
        if (given && spacing != SpacingChoice.AUTO) {
            throw new OptionException("{timestep_spacing} is " + lowerCase(spacing) + ", and "
                    + (timesteps.isEmpty() ? "{sigmas}" : "{timesteps}")
                    + " say where the steps are: leave one of both out");
        }
    }

    /**
     * A config with these settings in place of its own.
     *
     * @param scheduler what the scheduler is called
     * @param fixed how a scheduler of that name spaces noise levels in any case; {@link ScheduleType#AUTO} if it does not
     * @param choices what it lets one choose
     * @throws OptionException if one of these is chosen and it does not
     */
    Config over(Config config, String scheduler, ScheduleType fixed, Set<Choice> choices) {
        Config changed = config;
        if (type != ScheduleType.AUTO && type != fixed) {
            requireSpaceable(scheduler, fixed, choices);
            if (choices.contains(Choice.EDM_TYPE)) {
                changed = changed.with(SIGMA_SCHEDULE, lowerCase(type));
            } else {
                for (Map.Entry<ScheduleType, String> flag : FLAGS.entrySet()) {
                    changed = changed.with(flag.getValue(), flag.getKey() == type);
                }
            }
        }
        if (spacing != SpacingChoice.AUTO) {
            require(choices.contains(Choice.SPACING), "timestep_spacing", lowerCase(spacing), scheduler);
            changed = changed.with("timestep_spacing", lowerCase(spacing));
        }
        if (!timesteps.isEmpty()) {
            require(choices.contains(Choice.TIMESTEPS), "timesteps", timesteps, scheduler);
            requireFollowed(changed, fixed);
            changed = changed.with(TimestepSpacing.TIMESTEPS, timesteps);
        }
        if (!sigmas.isEmpty()) {
            require(choices.contains(Choice.SIGMAS), "sigmas", sigmas, scheduler);
            changed = changed.with(SigmaSpacing.SIGMAS, sigmas);
        }
        return changed;
    }

    private void requireSpaceable(String scheduler, ScheduleType fixed, Set<Choice> choices) {
        if (fixed != ScheduleType.AUTO) {
            throw new OptionException("{schedule_type} is " + lowerCase(type) + ", and the {scheduler} '" + scheduler
                    + "' is " + lowerCase(fixed) + " by its name: leave one of both out");
        }
        boolean edm = type == ScheduleType.KARRAS || type == ScheduleType.EXPONENTIAL;
        require(
                choices.contains(Choice.TYPE) || (edm && choices.contains(Choice.EDM_TYPE)),
                "schedule_type",
                lowerCase(type),
                scheduler);
    }

    /** Noise levels that are spaced by themselves would leave given timesteps without effect. */
    private static void requireFollowed(Config config, ScheduleType fixed) {
        for (Map.Entry<ScheduleType, String> flag : FLAGS.entrySet()) {
            if (fixed == flag.getKey() || config.flag(flag.getValue(), false)) {
                throw new OptionException("{timesteps} say where the steps are, and noise levels are spaced by "
                        + (fixed == flag.getKey()
                                ? "the {scheduler}'s name"
                                : "'" + flag.getValue() + "' in " + config.origin())
                        + ": take another {scheduler}, or {schedule_type} uniform");
            }
        }
    }

    private static void require(boolean chooses, String option, Object value, String scheduler) {
        if (!chooses) {
            throw new OptionException("{" + option + "} is " + value + ", and the {scheduler} '" + scheduler
                    + "' has none to choose; these have: " + String.join(", ", Schedulers.choosing(option)));
        }
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
