package io.tome4j.diffusion;

import io.tome4j.diffusion.scheduler.ScheduleType;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Option;
import io.tome4j.tensor.TomeException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Generation parameters as A1111's web UI writes them, and back. */
final class Infotext {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,6})\\s*x\\s*(\\d{1,6})");
    private static final String CHECKPOINTS_SAMPLER = "Sampler from";
    static final String SIZE_KEY = "Size";
    static final String SCHEDULE = Request.SCHEDULE_TYPE.title();
    private static final String BATCH_POSITION = "Batch pos";
    private static final String INITIAL_LATENTS = "Initial latents";
    private static final String MODEL = "Model";
    private static final String REFINER = "Refiner";
    private static final String MODEL_HASH = "Model hash";
    private static final String VAE = "VAE";
    private static final String VAE_HASH = "VAE hash";
    private static final String ATTENTION = "Attention";
    private static final String DTYPE = "Precision";
    private static final String VERSION = "Version";
    private static final String PROMPT = "Prompt";
    private static final String PROMPTS = "Prompts";
    private static final String LORA_HASHES = "Lora hashes";
    private static final String TI_HASHES = "TI hashes";
    private static final String TI_TOKENS = "TI tokens";
    private static final String CONTROL_NET = "ControlNet ";
    private static final String T2I_ADAPTER = "T2I-Adapter ";
    private static final String IP_ADAPTER = "IP-Adapter ";

    /** Options of a request that have a place of their own, or a form that the web UI gave them. */
    private static final Set<Option<?>> PLACED = Set.of(
            Request.NEGATIVE_PROMPT,
            Request.STEPS,
            Request.GUIDANCE_SCALE,
            Request.REFINER_START,
            Request.SCHEDULER,
            Request.SCHEDULE_TYPE,
            Request.SEED,
            Request.WIDTH,
            Request.HEIGHT,
            Request.IMAGES_PER_PROMPT,
            Request.CLIP_SKIP,
            Request.HIRES_UPSCALER,
            Request.HIRES_STEPS,
            Request.HIRES_STRENGTH);

    private Infotext() {}

    static String write(GenerationParameters parameters) {
        Request request = parameters.request();
        String prompt = ParametersText.wellFormed(LoraTags.appended(parameters.prompt(), request.loras()));
        String negative = ParametersText.wellFormed(request.negativePrompt());
        Map<String, String> values = new LinkedHashMap<>();
        putRequest(values, parameters);
        putMerging(values, parameters.merging());
        if (parameters.attention() != AttentionKernel.EFFICIENT) {
            values.put(ATTENTION, lowerCase(parameters.attention()));
        }
        parameters.dtype().ifPresent(dtype -> values.put(DTYPE, lowerCase(dtype)));
        parameters.sources().of().forEach((role, source) -> {
            values.put(role.title(), source.name());
            values.put(role.hashTitle(), source.sha256());
        });
        if (parameters.initialLatents()) {
            values.put(INITIAL_LATENTS, "given");
        }
        ParametersText readBack = ParametersText.parse(new ParametersText(prompt, negative, values).write());
        String hashes = LoraTags.hashes(request.loras());
        if (!hashes.isEmpty()) {
            values.put(LORA_HASHES, hashes);
        }
        putEmbeddings(values, request.embeddings());
        putEach(values, CONTROL_NET, request.controls(), Control::toText);
        putEach(values, T2I_ADAPTER, request.t2iAdapters(), T2IAdapter::toText);
        putEach(values, IP_ADAPTER, request.ipAdapters(), IPAdapter::toText);
        if (request.prompts().size() > 1) {
            values.put(PROMPTS, ParametersText.quote(request.prompts()));
        } else if (!LoraTags.readableIn(readBack.prompt()).prompt().equals(parameters.prompt())) {
            values.put(PROMPT, parameters.prompt());
        }
        boolean emptyIsChosen = negative.isEmpty() && request.isChosen(Request.NEGATIVE_PROMPT); // other than none
        if (emptyIsChosen || !readBack.negativePrompt().equals(request.negativePrompt())) {
            values.put(Request.NEGATIVE_PROMPT.title(), request.negativePrompt());
        }
        if (!parameters.version().isEmpty()) {
            values.put(VERSION, parameters.version());
        }
        return new ParametersText(prompt, negative, values).write();
    }

    private static void putRequest(Map<String, String> values, GenerationParameters parameters) {
        Request request = parameters.request();
        put(values, Request.STEPS, request);
        if (!parameters.scheduler().isEmpty()) {
            values.put(Request.SCHEDULER.title(), Schedulers.title(parameters.scheduler()));
            if (request.scheduler().equals(Request.CHECKPOINTS_OWN)) {
                values.put(CHECKPOINTS_SAMPLER, "checkpoint");
            }
        }
        if (request.scheduleType() != ScheduleType.AUTO) {
            values.put(SCHEDULE, SamplerNames.title(request.scheduleType()));
        }
        put(values, Request.GUIDANCE_SCALE, request);
        put(values, Request.SEED, request);
        if (request.width() != 0 || request.height() != 0) {
            values.put(SIZE_KEY, request.width() + "x" + request.height());
        }
        for (Option<?> option : Request.OPTIONS) {
            if (!PLACED.contains(option) && !request.isUsual(option)) {
                values.put(option.title(), shown(option, request.text(option)));
            }
        }
        if (!request.isUsual(Request.CLIP_SKIP)) {
            values.put(Request.CLIP_SKIP.title(), String.valueOf(request.clipSkip() + 1));
        }
        if (request.hires() > 1) {
            values.put(Request.HIRES_UPSCALER.title(), Upscaler.shown(request.hiresUpscaler()));
            values.put(Request.HIRES_STEPS.title(), request.text(Request.HIRES_STEPS));
            values.put(hiresStrengthTitle(values), request.text(Request.HIRES_STRENGTH));
        }
        putIfKnown(values, MODEL_HASH, parameters.modelHash());
        putIfKnown(values, MODEL, parameters.model());
        putIfKnown(values, VAE_HASH, parameters.vaeHash());
        putIfKnown(values, VAE, parameters.vae());
        if (!parameters.refiner().isEmpty()) {
            values.put(REFINER, parameters.refiner());
            put(values, Request.REFINER_START, request);
        }
        if (request.images() > 1) {
            values.put(Request.IMAGES_PER_PROMPT.title(), String.valueOf(request.images()));
            values.put(BATCH_POSITION, String.valueOf(parameters.index()));
        }
    }

    /** The web UI has one key for the strengths of both: there, no run begins with an image and has a second pass. */
    private static String hiresStrengthTitle(Map<String, String> values) {
        return values.containsKey(Request.STRENGTH.title()) ? Request.HIRES_STRENGTH.title() : Request.STRENGTH.title();
    }

    /** What is said of a second pass. */
    private static Request withHires(Request request, ParameterValues values) {
        Request hires = request;
        if (values.has(Request.HIRES_STRENGTH.title())) {
            hires = hires.withText(Request.HIRES_STRENGTH, values.text(Request.HIRES_STRENGTH.title(), ""));
        } else if (request.hires() > 1 && values.has(Request.STRENGTH.title())) {
            hires = hires.withText(Request.HIRES_STRENGTH, values.text(Request.STRENGTH.title(), ""))
                    .strength(Request.STRENGTH.defaultValue());
        }
        if (values.has(Request.HIRES_STEPS.title())) {
            hires = hires.withText(Request.HIRES_STEPS, values.text(Request.HIRES_STEPS.title(), ""));
        }
        String upscaler = values.text(Request.HIRES_UPSCALER.title(), "");
        return upscaler.isBlank() ? hires : hires.with(Request.HIRES_UPSCALER, upscaler);
    }

    private static void putIfKnown(Map<String, String> values, String key, String value) {
        if (!value.isEmpty()) {
            values.put(key, value);
        }
    }

    private static <T> void put(Map<String, String> values, Option<T> option, Request request) {
        values.put(option.title(), option.format(request.get(option)));
    }

    /** The ratio, and what is not as usual. */
    private static void putMerging(Map<String, String> values, ToMeOptions options) {
        if (!options.merges()) {
            return;
        }
        for (Option<?> option : ToMeOptions.OPTIONS) {
            boolean stride = option.equals(ToMeOptions.SX) || option.equals(ToMeOptions.SY); // said both or none
            boolean usual = stride
                    ? options.isUsual(ToMeOptions.SX) && options.isUsual(ToMeOptions.SY)
                    : options.isUsual(option);
            if (!usual || option.equals(ToMeOptions.RATIO)) {
                values.put(option.title(), shown(option, options.text(option)));
            }
        }
    }

    /** The web UI writes {@code True} and {@code False}. */
    private static String shown(Option<?> option, String text) {
        return option.isFlag() ? text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1) : text;
    }

    static GenerationParameters read(String text) {
        ParametersText parsed = ParametersText.parse(text);
        if (parsed.values().isEmpty()) {
            throw new TomeException("There are no generation parameters in this text: its last line should read"
                    + " 'Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42, ...'.");
        }
        try {
            return read(parsed, new ParameterValues(parsed.values()));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new TomeException("The generation parameters cannot be used: " + e.getMessage() + ".", e);
        }
    }

    private static GenerationParameters read(ParametersText parsed, ParameterValues values) {
        LoraTags tags = LoraTags.readableIn(parsed.prompt());
        List<String> prompts = values.has(PROMPTS)
                ? ParametersText.unquoteList(values.text(PROMPTS, ""))
                : List.of(values.text(PROMPT, tags.prompt()));
        String sampler = values.text(Request.SCHEDULER.title(), "");
        String type = values.text(SCHEDULE, "");
        boolean checkpoints = values.has(CHECKPOINTS_SAMPLER);
        SamplerNames named = SamplerNames.of(sampler, checkpoints ? "" : type);
        int perPrompt = Math.toIntExact(
                Math.max(1, values.integer(Request.IMAGES_PER_PROMPT.title(), 1) / Math.max(1, prompts.size())));
        Request request = sized(prompts, values)
                .guidanceScale(values.number(Request.GUIDANCE_SCALE.title(), 7.5))
                .steps(Math.toIntExact(values.integer(Request.STEPS.title(), 0)))
                .scheduler(checkpoints ? Request.CHECKPOINTS_OWN : named.scheduler())
                .scheduleType(checkpoints ? SamplerNames.of("", type).type() : named.type())
                .seed(values.integer(Request.SEED.title()))
                .imagesPerPrompt(perPrompt)
                .embeddings(embeddings(values))
                .loras(LoraTags.withHashes(added(tags, prompts, values, perPrompt), values.text(LORA_HASHES, "")))
                .controls(each(values, CONTROL_NET, Control::parse))
                .t2iAdapters(each(values, T2I_ADAPTER, T2IAdapter::parse))
                .ipAdapters(each(values, IP_ADAPTER, IPAdapter::parse))
                .merging(merging(values));
        if (values.has(Request.NEGATIVE_PROMPT.title())
                || !parsed.negativePrompt().isEmpty()) {
            request = request.negativePrompt(values.text(Request.NEGATIVE_PROMPT.title(), parsed.negativePrompt()));
        }
        for (Option<?> option : Request.OPTIONS) {
            if (!PLACED.contains(option) && values.has(option.title())) {
                request = request.withText(option, values.text(option.title(), ""));
            }
        }
        if (values.has(Request.CLIP_SKIP.title())) { // the web UI counts from 1
            request = request.clipSkip(Math.toIntExact(values.integer(Request.CLIP_SKIP.title(), 1)) - 1);
        }
        if (values.has(REFINER)) {
            request = request.withText(
                    Request.REFINER_START,
                    values.text(Request.REFINER_START.title(), Request.REFINER_START.format(0.8)));
        }
        GenerationParameters parameters = GenerationParameters.of(withHires(request, values))
                .index(Math.toIntExact(values.integer(BATCH_POSITION, 0)))
                .initialLatents(values.has(INITIAL_LATENTS))
                .sources(sources(values))
                .model(values.text(MODEL, ""))
                .refiner(values.text(REFINER, ""))
                .modelHash(values.text(MODEL_HASH, ""))
                .vae(values.text(VAE, ""))
                .vaeHash(values.text(VAE_HASH, ""))
                .scheduler(named.scheduler())
                .attention(values.oneOf(ATTENTION, AttentionKernel.class).orElse(AttentionKernel.EFFICIENT))
                .version(values.text(VERSION, ""));
        return values.oneOf(DTYPE, DType.class).map(parameters::dtype).orElse(parameters);
    }

    private static Sources sources(ParameterValues values) {
        Sources sources = Sources.NONE;
        for (Sources.Role role : Sources.Role.values()) {
            if (values.has(role.hashTitle())) {
                sources = sources.with(
                        role, new Sources.Source(values.text(role.title(), ""), values.text(role.hashTitle(), "")));
            }
        }
        return sources;
    }

    /** As the web UI lists them; and tokens that were chosen, of which it knows none. */
    private static void putEmbeddings(Map<String, String> values, List<Embedding> embeddings) {
        if (embeddings.isEmpty()) {
            return;
        }
        values.put(
                TI_HASHES,
                String.join(
                        ", ",
                        embeddings.stream()
                                .map(embedding -> embedding.name() + ": " + embedding.hash())
                                .toList()));
        if (embeddings.stream().anyMatch(embedding -> !embedding.token().isEmpty())) {
            values.put(
                    TI_TOKENS,
                    ParametersText.quote(
                            embeddings.stream().map(Embedding::token).toList()));
        }
    }

    private static List<Embedding> embeddings(ParameterValues values) {
        List<Embedding> embeddings = new ArrayList<>();
        List<String> tokens = ParametersText.unquoteList(values.text(TI_TOKENS, ""));
        if (values.has(TI_HASHES)) {
            for (String pair : values.text(TI_HASHES, "").split(",", -1)) {
                int colon = pair.lastIndexOf(':');
                if (colon > 0) {
                    Embedding read = Embedding.named(pair.substring(0, colon).strip())
                            .hash(pair.substring(colon + 1).strip());
                    int place = embeddings.size();
                    embeddings.add(place < tokens.size() ? read.token(tokens.get(place)) : read);
                }
            }
        }
        return embeddings;
    }

    /** The LoRAs; where the prompt itself is said besides, tags in it are words, and those of LoRAs come after. */
    private static List<Lora> added(LoraTags shown, List<String> prompts, ParameterValues values, int perPrompt) {
        if (!values.has(PROMPTS) && !values.has(PROMPT)) {
            return shown.loras();
        }
        long image = Math.max(0, values.integer(BATCH_POSITION, 0));
        String prompt = prompts.get((int) Math.min(prompts.size() - 1L, image / perPrompt));
        int words = LoraTags.readableIn(prompt).loras().size();
        return shown.loras()
                .subList(Math.min(words, shown.loras().size()), shown.loras().size());
    }

    /** Each under the key with its number. */
    private static <T> void putEach(Map<String, String> values, String key, List<T> all, Function<T, String> text) {
        for (int i = 0; i < all.size(); i++) {
            values.put(key + i, text.apply(all.get(i)));
        }
    }

    /** Those that {@link #putEach} put there, as far as it is known what they went by. */
    private static <T> List<T> each(ParameterValues values, String key, Function<String, Optional<T>> parse) {
        List<T> all = new ArrayList<>();
        for (int i = 0; values.has(key + i); i++) {
            parse.apply(values.text(key + i, "")).ifPresent(all::add);
        }
        return all;
    }

    private static Request sized(List<String> prompts, ParameterValues values) {
        Request request = Request.of(prompts.toArray(String[]::new));
        if (!values.has(SIZE_KEY)) {
            return request;
        }
        Matcher size = SIZE.matcher(values.text(SIZE_KEY, ""));
        if (!size.matches()) {
            throw values.wrong(SIZE_KEY, "a size such as 512x512");
        }
        return request.size(Integer.parseInt(size.group(1)), Integer.parseInt(size.group(2)));
    }

    static ToMeOptions merging(ParameterValues values) {
        if (!values.has(ToMeOptions.RATIO.title())) {
            return ToMeOptions.NONE;
        }
        ToMeOptions options = ToMeOptions.NONE;
        for (Option<?> option : ToMeOptions.OPTIONS) { // the mode stands before what it takes back
            if (values.has(option.title())) {
                options = options.withText(option, values.text(option.title(), ""));
            }
        }
        return options;
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
