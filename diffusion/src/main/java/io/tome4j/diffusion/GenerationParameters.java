package io.tome4j.diffusion;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one image was made from: all that is needed to make it again. As text it has the form that A1111's web UI writes
 * into PNG files under the key {@code parameters}, and that many programs read.
 *
 * @param request what was asked for. Initial latents are no part of it: they are too large for a text, and
 *     {@code initialLatents} says instead that there were some
 * @param merging the options of token merging; an empty list where nothing was patched, else exactly one
 * @param index which of the request's images this is, from 0
 * @param initialLatents whether initial latents were given: then the text alone does not make the image again
 * @param model the model's name; may be empty
 * @param scheduler the scheduler that ran, where the request leaves it to the checkpoint; else the request's
 * @param attention how attention was computed
 * @param dtype what was computed in; {@link DTypeChoice#AUTO} if that is not known
 * @param version of the program; may be empty
 */
public record GenerationParameters(
        Request request,
        List<ToMeOptions> merging,
        int index,
        boolean initialLatents,
        String model,
        String scheduler,
        AttentionKernel attention,
        DTypeChoice dtype,
        String version) {

    /** Ids of schedulers, and what the web UI calls them. */
    private static final Map<String, String> SAMPLERS = samplers();

    private static final Pattern SIZE = Pattern.compile("(\\d{1,6})\\s*x\\s*(\\d{1,6})");

    /**
     * @throws IllegalArgumentException if there is no image of this index, or more than one set of options
     */
    public GenerationParameters {
        merging = List.copyOf(merging);
        if (merging.size() > 1) {
            throw new IllegalArgumentException("One image has one set of merging options, not " + merging.size());
        }
        if (index < 0 || index >= request.images()) {
            throw new IllegalArgumentException(
                    "There is no image " + index + " (from 0) in a request for " + request.images());
        }
        initialLatents |= request.latents().isPresent();
        request = withoutLatents(request);
        if (!request.scheduler().equals(Request.CHECKPOINTS_OWN)) {
            scheduler = request.scheduler();
        }
    }

    private static Request withoutLatents(Request r) {
        return new Request(
                r.prompts(),
                r.negativePrompt(),
                r.guidanceScale(),
                r.steps(),
                r.scheduler(),
                r.seed(),
                r.width(),
                r.height(),
                r.imagesPerPrompt(),
                Optional.empty());
    }

    /** Of the first image of an unmerged request; nothing is known of the model. */
    public static GenerationParameters of(Request request) {
        return new GenerationParameters(
                request,
                List.of(),
                0,
                false,
                "",
                request.scheduler(),
                AttentionKernel.EFFICIENT,
                DTypeChoice.AUTO,
                thisVersion());
    }

    /** The prompt of this image. */
    public String prompt() {
        return request.prompts().get(index / request.imagesPerPrompt());
    }

    /**
     * As the web UI writes it: the prompt, {@code Negative prompt: ...} where there is one, and a line
     * {@code Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42, Size: 512x512, ...}. What this form cannot say, such
     * as a prompt with a line that starts with {@code Negative prompt:}, is said again in that line as a JSON string.
     */
    public String toText() {
        String prompt = ParametersText.wellFormed(prompt());
        String negative = ParametersText.wellFormed(request.negativePrompt());
        Map<String, String> values = new LinkedHashMap<>();
        putRequest(values);
        merging.forEach(options -> MergingText.put(values, options));
        if (attention != AttentionKernel.EFFICIENT) {
            values.put("Attention", attention.name().toLowerCase(Locale.ROOT));
        }
        if (dtype != DTypeChoice.AUTO) {
            values.put("Precision", dtype.name().toLowerCase(Locale.ROOT));
        }
        if (initialLatents) {
            values.put("Initial latents", "given");
        }
        ParametersText readBack = ParametersText.parse(new ParametersText(prompt, negative, values).write());
        if (request.prompts().size() > 1) {
            values.put("Prompts", ParametersText.quote(request.prompts()));
        } else if (!readBack.prompt().equals(prompt())) {
            values.put("Prompt", prompt());
        }
        if (!readBack.negativePrompt().equals(request.negativePrompt())) {
            values.put(ParametersText.NEGATIVE_PROMPT, request.negativePrompt());
        }
        if (!version.isEmpty()) {
            values.put("Version", version);
        }
        return new ParametersText(prompt, negative, values).write();
    }

    private void putRequest(Map<String, String> values) {
        values.put(ParametersText.STEPS, String.valueOf(request.steps()));
        if (!scheduler.isEmpty()) {
            values.put("Sampler", SAMPLERS.getOrDefault(scheduler, scheduler));
            if (request.scheduler().equals(Request.CHECKPOINTS_OWN)) {
                values.put("Sampler from", "checkpoint");
            }
        }
        values.put("CFG scale", number(request.guidanceScale()));
        values.put("Seed", String.valueOf(request.seed()));
        if (request.width() != 0 || request.height() != 0) {
            values.put("Size", request.width() + "x" + request.height());
        }
        if (!model.isEmpty()) {
            values.put("Model", model);
        }
        if (request.images() > 1) {
            values.put("Batch size", String.valueOf(request.images()));
            values.put("Batch pos", String.valueOf(index));
        }
    }

    /**
     * Reads what {@link #toText()} wrote, without loss, and what A1111's web UI and its kin write as far as it concerns
     * us: unknown keys are passed over, a sampler that we do not have keeps its name.
     *
     * @throws TomeException if the text has no line of parameters, or a value that cannot be
     */
    public static GenerationParameters parse(String text) {
        ParametersText parsed = ParametersText.parse(text);
        if (parsed.values().isEmpty()) {
            throw new TomeException("There are no generation parameters in this text: its last line should read"
                    + " 'Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42, ...'.");
        }
        ParameterValues values = new ParameterValues(parsed.values());
        try {
            return parse(parsed, values);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new TomeException("The generation parameters cannot be used: " + e.getMessage() + ".", e);
        }
    }

    private static GenerationParameters parse(ParametersText parsed, ParameterValues values) {
        List<String> prompts = values.has("Prompts")
                ? ParametersText.unquoteList(values.text("Prompts", ""))
                : List.of(values.text("Prompt", parsed.prompt()));
        int width = 0;
        int height = 0;
        if (values.has("Size")) {
            Matcher size = SIZE.matcher(values.text("Size", ""));
            if (!size.matches()) {
                throw values.wrong("Size", "a size such as 512x512");
            }
            width = Integer.parseInt(size.group(1));
            height = Integer.parseInt(size.group(2));
        }
        String scheduler = schedulerNamed(values.text("Sampler", ""), values.text("Schedule type", ""));
        Request request = new Request(
                prompts,
                values.text(ParametersText.NEGATIVE_PROMPT, parsed.negativePrompt()),
                values.number("CFG scale", 7.5),
                Math.toIntExact(values.integer(ParametersText.STEPS, 0)),
                values.has("Sampler from") ? Request.CHECKPOINTS_OWN : scheduler,
                values.integer("Seed"),
                width,
                height,
                Math.toIntExact(Math.max(1, values.integer("Batch size", 1) / Math.max(1, prompts.size()))),
                Optional.empty());
        return new GenerationParameters(
                request,
                MergingText.read(values),
                Math.toIntExact(values.integer("Batch pos", 0)),
                values.has("Initial latents"),
                values.text("Model", ""),
                scheduler,
                values.oneOf("Attention", AttentionKernel.class, AttentionKernel.EFFICIENT),
                values.oneOf("Precision", DTypeChoice.class, DTypeChoice.AUTO),
                values.text("Version", ""));
    }

    /** Newer versions of the web UI keep the spacing of noise levels apart from the sampler. */
    private static String schedulerNamed(String sampler, String scheduleType) {
        String wanted = scheduleType.equalsIgnoreCase("Karras") && !sampler.endsWith("Karras")
                ? sampler + " " + scheduleType
                : sampler;
        return SAMPLERS.entrySet().stream()
                .filter(entry -> entry.getValue().equalsIgnoreCase(wanted))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(wanted);
    }

    /**
     * Reads the parameters in a PNG.
     *
     * @throws TomeException if the file cannot be read, is not a PNG, carries no parameters, or ones that cannot be
     */
    public static GenerationParameters read(Path file) {
        String text = readText(file);
        try {
            return parse(text);
        } catch (TomeException e) {
            throw new TomeException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * The text under the key {@code parameters} in a PNG, as it stands.
     *
     * @throws TomeException if the file cannot be read, is not a PNG, or has no such text
     */
    public static String readText(Path file) {
        return PngFiles.readParameters(file);
    }

    /** The program's name and version, as {@link #version()} carries it. */
    public static String thisVersion() {
        // Maven puts this file into the jar; there is none where classes are run from a folder.
        try (InputStream in = GenerationParameters.class.getResourceAsStream(
                "/META-INF/maven/io.tome4j/tome4j-diffusion/pom.properties")) {
            if (in != null) {
                Properties properties = new Properties();
                properties.load(in);
                return "tome4j " + properties.getProperty("version", "").strip();
            }
        } catch (IOException e) {
            return "tome4j"; // a version is not worth failing for
        }
        return "tome4j";
    }

    private static Map<String, String> samplers() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("pndm", "PLMS");
        names.put("ddim", "DDIM");
        names.put("euler", "Euler");
        names.put("euler_a", "Euler a");
        names.put("dpmpp_2m", "DPM++ 2M");
        names.put("dpmpp_2m_karras", "DPM++ 2M Karras");
        names.put("lms", "LMS");
        names.put("heun", "Heun");
        names.put("unipc", "UniPC");
        names.put("lcm", "LCM");
        return names;
    }

    static String number(double value) {
        String text = Double.toString(value);
        return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }
}
