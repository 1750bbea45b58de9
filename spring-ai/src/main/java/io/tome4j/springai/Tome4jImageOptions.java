package io.tome4j.springai;

import io.tome4j.diffusion.Request;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.Option;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.image.ImageOptions;

/**
 * How to make images: Spring AI's portable options, and all of {@link Request#OPTIONS} and {@link ToMeOptions#OPTIONS} by
 * their names. Immutable; what is not said is taken from the options below, at last from the model.
 *
 * <pre>{@code
 * Tome4jImageOptions.builder().steps(20).seed(42).merging(ToMeOptions.ratio(0.5)).option("reuse_every", "3").build()
 * }</pre>
 */
public final class Tome4jImageOptions implements ImageOptions {
    /** All options of merging; the mode takes back what was chosen of matching, the method has a say in what goes with it. */
    private static final List<Option<?>> MODE_FIRST = Stream.concat(
                    Stream.of(ToMeOptions.MODE, ToMeOptions.METHOD), ToMeOptions.OPTIONS.stream())
            .distinct()
            .toList();

    private final @Nullable Integer n;
    private final @Nullable String model;
    private final Map<String, String> request; // by Option.name, as Option.format writes it
    private final Map<String, String> merging;

    private Tome4jImageOptions(Builder builder) {
        this.n = builder.n;
        this.model = builder.model;
        this.request = Map.copyOf(builder.request);
        this.merging = Map.copyOf(builder.merging);
        Request unused = applyTo(Request.of("")); // out of range, or of no effect beside another
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Options of whatever kind as ours.
     *
     * @throws IllegalArgumentException if they ask for what cannot be: another response format than {@code b64_json}, a style
     */
    public static Tome4jImageOptions of(ImageOptions options) {
        if (options instanceof Tome4jImageOptions ours) {
            return ours;
        }
        String format = options.getResponseFormat();
        if (format != null && !format.equals("b64_json")) {
            throw new IllegalArgumentException(
                    "The response format is '" + format + "': images come as b64_json, they lie at no URL");
        }
        if (options.getStyle() != null) {
            throw new IllegalArgumentException("The style is '" + options.getStyle()
                    + "': Stable Diffusion has no styles, the prompt says how to draw");
        }
        Builder builder = builder();
        builder.n = options.getN();
        builder.model = options.getModel();
        if (options.getWidth() != null) {
            builder.width(options.getWidth());
        }
        if (options.getHeight() != null) {
            builder.height(options.getHeight());
        }
        return builder.build();
    }

    /** These, and where they say nothing what others say. */
    public Tome4jImageOptions over(Tome4jImageOptions defaults) {
        Builder builder = builder();
        builder.n = n == null ? defaults.n : n;
        builder.model = model == null ? defaults.model : model;
        builder.request.putAll(defaults.request);
        builder.request.putAll(request);
        builder.merging.putAll(defaults.merging);
        builder.merging.putAll(merging);
        return builder.build();
    }

    /**
     * A request with all that these say.
     *
     * @throws io.tome4j.tensor.OptionException if a value is out of its range
     */
    public Request applyTo(Request base) {
        Request result = base;
        for (var entry : request.entrySet()) {
            result = result.withText(OptionTable.find(Request.OPTIONS, entry.getKey()), entry.getValue());
        }
        if (n != null) {
            result = result.imagesPerPrompt(n);
        }
        return merging().map(result::merging).orElse(result);
    }

    /** How to merge; empty if nothing is said of it. */
    public Optional<ToMeOptions> merging() {
        if (merging.isEmpty()) {
            return Optional.empty();
        }
        ToMeOptions options = ToMeOptions.ratio(ToMeOptions.RATIO.defaultValue());
        for (Option<?> option : MODE_FIRST) {
            String value = merging.get(option.name());
            if (value != null) {
                options = options.withText(option, value);
            }
        }
        return Optional.of(options);
    }

    /** How many images, each with a seed of its own: the first has the seed, the next one more. */
    @Override
    public @Nullable Integer getN() {
        return n;
    }

    /** What the model is called; a model that is not the one of the pipeline is refused. */
    @Override
    public @Nullable String getModel() {
        return model;
    }

    @Override
    public @Nullable Integer getWidth() {
        return integer(Request.WIDTH);
    }

    @Override
    public @Nullable Integer getHeight() {
        return integer(Request.HEIGHT);
    }

    private @Nullable Integer integer(Option<Integer> option) {
        String value = request.get(option.name());
        return value == null ? null : Integer.valueOf(value);
    }

    /** Always {@code b64_json}, a PNG. */
    @Override
    public String getResponseFormat() {
        return "b64_json";
    }

    /** There are none. */
    @Override
    public @Nullable String getStyle() {
        return null;
    }

    /** What was chosen of {@link Request#OPTIONS}, by name. */
    public Map<String, String> requestOptions() {
        return request;
    }

    /** What was chosen of {@link ToMeOptions#OPTIONS}, by name; empty for what the pipeline is patched with. */
    public Map<String, String> mergingOptions() {
        return merging;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Tome4jImageOptions options
                && Objects.equals(options.n, n)
                && Objects.equals(options.model, model)
                && options.request.equals(request)
                && options.merging.equals(merging);
    }

    @Override
    public int hashCode() {
        return Objects.hash(n, model, request, merging);
    }

    @Override
    public String toString() {
        return "Tome4jImageOptions n=" + n + " model=" + model + " " + request + " merging " + merging;
    }

    /** Makes {@link Tome4jImageOptions}. */
    public static final class Builder {
        private @Nullable Integer n;
        private @Nullable String model;
        private final Map<String, String> request = new LinkedHashMap<>();
        private final Map<String, String> merging = new LinkedHashMap<>();

        private Builder() {}

        /** How many images, at least 1. */
        public Builder n(int value) {
            n = value;
            return this;
        }

        /** As {@link Tome4jImageOptions#getModel}. */
        public Builder model(String value) {
            model = value;
            return this;
        }

        /** In pixels, a multiple of 8; 0 is the model's own. */
        public Builder width(int value) {
            return option(Request.WIDTH, value);
        }

        /** In pixels, a multiple of 8; 0 is the model's own. */
        public Builder height(int value) {
            return option(Request.HEIGHT, value);
        }

        /** Denoising steps, at least 1. */
        public Builder steps(int value) {
            return option(Request.STEPS, value);
        }

        /** How strongly to follow the prompt; 1 or less is no guidance. */
        public Builder guidanceScale(double value) {
            return option(Request.GUIDANCE_SCALE, value);
        }

        /** One of {@link io.tome4j.diffusion.scheduler.Schedulers#names()}. */
        public Builder scheduler(String value) {
            return option(Request.SCHEDULER, value);
        }

        /** Of the first image; otherwise drawn at random. */
        public Builder seed(long value) {
            return option(Request.SEED, value);
        }

        /** What guidance leads away from. */
        public Builder negativePrompt(String value) {
            return option(Request.NEGATIVE_PROMPT, value);
        }

        /** Any option of a request. */
        public <T> Builder option(Option<T> option, T value) {
            request.put(option.name(), option.format(value));
            return this;
        }

        /**
         * Any option of {@link Request#OPTIONS} by its name.
         *
         * @param name in snake_case, in kebab-case, or as Spring's keys are: {@code reuse_every}
         * @throws IllegalArgumentException if there is none of this name
         */
        public Builder option(String name, String value) {
            request.put(OptionTable.find(Request.OPTIONS, name).name(), value);
            return this;
        }

        /** How to merge tokens, or {@link ToMeOptions#NONE}. */
        public Builder merging(ToMeOptions value) {
            merging.clear();
            merging.put(ToMeOptions.RATIO.name(), value.text(ToMeOptions.RATIO));
            ToMeOptions.OPTIONS.stream()
                    .filter(option -> !value.isUsual(option))
                    .forEach(option -> merging.put(option.name(), value.text(option)));
            return this;
        }

        /** Any option of {@link ToMeOptions#OPTIONS} by its name, as {@link #option(String, String)}. */
        public Builder merging(String name, String value) {
            merging.put(OptionTable.find(ToMeOptions.OPTIONS, name).name(), value);
            return this;
        }

        /** @throws io.tome4j.tensor.OptionException if a value is out of its range, or has no effect beside another */
        public Tome4jImageOptions build() {
            return new Tome4jImageOptions(this);
        }
    }
}
