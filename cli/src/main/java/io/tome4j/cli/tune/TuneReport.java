package io.tome4j.cli.tune;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.cli.options.MergingArguments;
import io.tome4j.cli.session.Report;
import io.tome4j.cli.session.ReportJson;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.Request;
import io.tome4j.evaluation.tune.Trial;
import io.tome4j.evaluation.tune.TuneResult;
import java.util.List;
import java.util.Locale;

/**
 * What came of {@code tome tune}.
 *
 * @param model its name
 * @param engine the start-up line
 * @param requests what was drawn with each setting
 * @param stopped whether the user stopped it
 */
record TuneReport(String model, String engine, List<Request> requests, TuneResult result, boolean stopped)
        implements Report {
    /** A line a setting, and what to make of them. */
    @Override
    public String text() {
        StringBuilder text = new StringBuilder();
        int widest = result.trials().stream()
                .mapToInt(trial -> MergingArguments.of(trial.savings()).length())
                .max()
                .orElse(0);
        for (Trial trial : result.trials()) {
            String arguments = MergingArguments.of(trial.savings());
            text.append(arguments)
                    .append(" ".repeat(widest - arguments.length()))
                    .append("  ")
                    .append(measured(trial))
                    .append(result.goal().isReachedBy(trial) ? "  reaches the goal" : "")
                    .append(System.lineSeparator());
        }
        return text.append(System.lineSeparator()).append(conclusion()).toString();
    }

    private String measured(Trial trial) {
        String time = String.format(Locale.ROOT, "%8.3f s  %5.2fx", trial.seconds(), result.speedUp(trial));
        return trial.savings().isNone()
                ? time
                : time + String.format(Locale.ROOT, "  SSIM %.4f (lowest %.4f)", trial.ssim(), trial.lowestSsim());
    }

    /** What to use; or that nothing reaches the goal, and what comes nearest. */
    private String conclusion() {
        String end = System.lineSeparator();
        String cut = stopped
                ? end + "The search was stopped: more may be found."
                : result.complete() ? "" : end + "The budget was used up before the search was: more may be found.";
        if (result.drift() > 1) {
            cut += String.format(
                    Locale.ROOT,
                    "%nThe machine was up to %.1f times as slow as at its quickest; times are as on one that stays as it"
                            + " mostly was.",
                    result.drift());
        }
        String arguments = MergingArguments.of(result.nearest().savings());
        String values = measured(result.nearest()).strip().replaceAll("  +", ", ");
        if (result.best().isEmpty()) {
            return "No setting that was tried has " + result.goal().describe() + "." + end + "Nearest: " + arguments
                    + " (" + values + ")" + cut;
        }
        String why = !result.nearest().savings().isNone()
                ? ""
                : result.goal().seconds().isPresent()
                        ? end + "Without saving anything an image is in time already."
                        : end + "No setting that was tried is both like enough and faster than saving nothing.";
        return "Use: " + arguments + " (" + values + ")" + why + cut;
    }

    /** One object; the options are null where merging is off. */
    @Override
    public ObjectNode json() {
        Request request = requests.get(0);
        ObjectNode json = ReportJson.object();
        json.put("model", model);
        json.put("engine", engine);
        ObjectNode goal = json.putObject("goal");
        result.goal().seconds().ifPresent(seconds -> goal.put("target_seconds", seconds));
        result.goal().ssim().ifPresent(ssim -> goal.put("min_ssim", ssim));
        json.put("reached", result.best().isPresent());
        json.put("complete", result.complete());
        json.put("drift", ReportJson.rounded(result.drift()));
        json.put("arguments", MergingArguments.of(result.nearest().savings()));
        put(json.putObject("nearest"), result.nearest());
        ArrayNode prompts = json.putArray("prompts");
        requests.forEach(each -> prompts.add(each.prompts().get(0)));
        OptionsJson.put(json, request);
        ArrayNode trials = json.putArray("trials");
        result.trials().forEach(trial -> put(trials.addObject(), trial));
        return json;
    }

    private void put(ObjectNode json, Trial trial) {
        json.put("arguments", MergingArguments.of(trial.savings()));
        if (trial.savings().merges()) {
            json.set("merging", OptionsJson.of(trial.savings().merging()));
        } else {
            json.putNull("merging");
        }
        ObjectNode changes = json.putObject("changes");
        trial.savings()
                .changed()
                .forEach(option -> changes.put(option.name(), trial.savings().text(option)));
        json.put("seconds", trial.seconds());
        json.put("speed_up", result.speedUp(trial));
        json.put("ssim", trial.ssim());
        json.put("lowest_ssim", trial.lowestSsim());
        json.put("reaches_goal", result.goal().isReachedBy(trial));
    }
}
