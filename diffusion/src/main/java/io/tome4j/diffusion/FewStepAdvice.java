package io.tome4j.diffusion;

import io.tome4j.diffusion.scheduler.ScheduleType;
import io.tome4j.diffusion.scheduler.Scheduler;
import io.tome4j.diffusion.scheduler.SchedulerSettings;
import io.tome4j.diffusion.scheduler.Trajectory;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What to say where a few-step model is run as if it were none: nothing in its tensors tells, so that its name and its
 * scheduler's settings must.
 */
final class FewStepAdvice {
    /** Ways to make a model need few steps. */
    private enum Kind {
        TURBO("Turbo", "turbo", "(sd|xl).*turbo", "1 to 4 steps without guidance", 4, true),
        LIGHTNING("Lightning", "lightning", "lightning.*step", "1 to 8 steps without guidance", 4, true),
        DMD2("DMD2", "dmd2", "dmd2", "the timesteps 999,749,499,249 of the scheduler lcm without guidance", 4, false),
        HYPER(
                "Hyper-SD",
                "hyper[-_ ]?sd|hyper.*step",
                "hyper[-_ ]?sd|hyper.*step",
                "1 to 8 steps without guidance",
                8,
                false),
        LCM(
                "LCM",
                "(^|[^a-z])lcm([^a-z]|$)",
                "(^|[^a-z])lcm([^a-z]|$)",
                "4 to 8 steps of the scheduler lcm at a guidance scale of 1 to 2",
                6,
                false),
        TCD(
                "TCD",
                "(^|[^a-z])tcd([^a-z]|$)",
                "(^|[^a-z])tcd([^a-z]|$)",
                "4 to 8 steps of the scheduler tcd without guidance",
                6,
                false);

        private final String title;
        private final Pattern ofModel;
        private final Pattern ofLora;
        private final String wants;
        private final int steps;
        private final boolean trailing;

        Kind(String title, String ofModel, String ofLora, String wants, int steps, boolean trailing) {
            this.title = title;
            this.ofModel = Pattern.compile(ofModel);
            this.ofLora = Pattern.compile(ofLora);
            this.wants = wants;
            this.steps = steps;
            this.trailing = trailing;
        }
    }

    private static final Pattern STEPS = Pattern.compile("(\\d{1,2})[-_ ]?steps?");

    /** More are no mistake of a few. */
    private static final int FEW = 12;

    private static final double LITTLE_GUIDANCE = 2;

    /** Where the noise of a schedule that is not rescaled to zero SNR ends. */
    private static final double HIGHEST_SIGMA = 100;

    private static final int PROBED = 4;
    private static final Set<String> SPACED = Set.of("euler", "euler_a", "ddim");

    private final Stages stages;
    private Optional<Boolean> distilled = Optional.empty();

    /** @param stages of one model: what its scheduler tells is found out once */
    FewStepAdvice(Stages stages) {
        this.stages = stages;
    }

    /**
     * What a request asks of few-step models, or of LoRAs that make a model one, that these were not made for.
     *
     * @param request with its family's defaults
     * @return sentences; none where nothing is amiss
     */
    List<String> of(Request request) {
        List<String> advice = new ArrayList<>();
        boolean told = stages.denoiser().isToldGuidance();
        Scheduler scheduler = stages.scheduler(request);
        String name = stages.modelName().toLowerCase(Locale.ROOT);
        Optional<Kind> kind = named(name, false);
        String reason = "its name says so";
        if (kind.isEmpty() && isDistilled()) {
            kind = Optional.of(Kind.TURBO);
            reason = "its scheduler's timesteps are spaced so";
        }
        String why = reason;
        kind.flatMap(found -> amiss(found, name, request, scheduler, told))
                .ifPresent(what -> advice.add("The model '" + stages.modelName() + "' looks like one of few steps ("
                        + what.kind() + ": " + why + "): " + what.text()));
        for (Lora lora : request.loras()) {
            String ofLora = lora.name().toLowerCase(Locale.ROOT);
            named(ofLora, true)
                    .flatMap(found -> amiss(found, ofLora, request, scheduler, told))
                    .ifPresent(what -> advice.add("The LoRA '" + lora.name() + "' looks like one for few steps ("
                            + what.kind() + ": its name says so): " + what.text()));
        }
        return List.copyOf(advice);
    }

    /** @param text what is wanted, and what was asked for */
    private record Amiss(String kind, String text) {}

    private static Optional<Kind> named(String name, boolean lora) {
        for (Kind kind : Kind.values()) {
            if ((lora ? kind.ofLora : kind.ofModel).matcher(name).find()) {
                return Optional.of(kind);
            }
        }
        return Optional.empty();
    }

    private static Optional<Amiss> amiss(Kind kind, String name, Request request, Scheduler scheduler, boolean told) {
        List<String> asked = new ArrayList<>();
        List<String> better = new ArrayList<>();
        Matcher count = STEPS.matcher(name);
        int steps = count.find() ? Integer.parseInt(count.group(1)) : 0;
        boolean exactly = steps > 0 && kind == Kind.LIGHTNING;
        boolean listed = !request.timesteps().isEmpty() || !request.sigmas().isEmpty();
        if (!listed && (exactly ? request.steps() != steps : request.steps() > FEW)) {
            asked.add(request.steps() + " steps");
            better.add("num_inference_steps " + (steps > 0 ? steps : kind.steps));
        }
        if (!told && request.guidanceScale() > LITTLE_GUIDANCE) {
            asked.add("a guidance scale of " + Request.GUIDANCE_SCALE.format(request.guidanceScale()));
            better.add("guidance_scale 1");
        }
        boolean spaced = kind.trailing
                && !listed
                && SPACED.contains(scheduler.name())
                && request.scheduleType() == ScheduleType.AUTO
                && !isTrailing(scheduler);
        if (spaced) {
            asked.add("timesteps that are not those it was made for");
            better.add("timestep_spacing trailing");
        }
        boolean consistency = kind == Kind.LCM || kind == Kind.DMD2;
        if (consistency && !scheduler.name().equals("lcm")) {
            asked.add("the scheduler " + scheduler.name());
            better.add("scheduler lcm");
        }
        if (asked.isEmpty()) {
            return Optional.empty();
        }
        String wants = exactly ? steps + " steps without guidance" : kind.wants;
        return Optional.of(new Amiss(
                kind.title,
                "it wants " + wants + ", and was asked for " + String.join(", ", asked) + "; better: "
                        + String.join(", ", better)));
    }

    private synchronized boolean isDistilled() {
        if (distilled.isEmpty()) {
            distilled = Optional.of(isSpacedSo());
        }
        return distilled.get();
    }

    /** Euler's method from the end of each part is what Turbo and Lightning models come with, and none of many steps. */
    private boolean isSpacedSo() {
        try {
            Scheduler own = stages.schedulers().apply(Request.CHECKPOINTS_OWN, SchedulerSettings.CHECKPOINTS_OWN);
            return own.name().startsWith("euler") && isTrailing(own);
        } catch (TomeException e) {
            return false; // one that is not built in: the request has another
        }
    }

    /** Whether a run visits the last timestep of each of equal parts, from a noise level as usual. */
    private static boolean isTrailing(Scheduler scheduler) {
        try (Trajectory run = scheduler.start(PROBED)) {
            double[] timesteps = run.timesteps();
            double last = timesteps[timesteps.length - 1];
            double part = (timesteps[0] + 1) / PROBED;
            return timesteps.length == PROBED && last == Math.rint(part) - 1 && run.initNoiseSigma() < HIGHEST_SIGMA;
        }
    }
}
