package io.tome4j.checkpoint.lora;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A tensor's name in a LoRA file, cut in two: the module, as the file spells it, and what the tensor is to it. The end of
 * a name alone tells the second; what the first means only a model can say.
 *
 * @param module such as {@code lora_unet_mid_block_attentions_0_proj_in} or {@code unet.mid_block.attentions.0.proj_in}
 */
record LoraKey(String module, LoraPart part) {
    private static final String WRAPPED = "base_model.model."; // what PEFT calls a model that it has around another

    /** Of attention processors in diffusers before 0.20: the projection's name stands in the middle. */
    private static final Pattern OF_PROCESSOR = Pattern.compile(
            "(.+?)(?:\\.processor)?\\.(to_q|to_k|to_v|to_out)_lora\\.(up\\.weight|down\\.weight|alpha)");

    private static final Map<Pattern, LoraPart> ENDS = new LinkedHashMap<>();

    static {
        // Between A or B and the tensor PEFT may put the adapter's name.
        end(
                "\\.lora_up\\.weight|\\.lora_B(?:\\.[^.]+)??(?:\\.weight)?|\\.lora(?:_linear_layer)?\\.up\\.weight",
                LoraPart.UP);
        end(
                "\\.lora_down\\.weight|\\.lora_A(?:\\.[^.]+)??(?:\\.weight)?|\\.lora(?:_linear_layer)?\\.down\\.weight",
                LoraPart.DOWN);
        end("\\.lora_mid\\.weight", LoraPart.MID);
        end("\\.alpha|\\.lora(?:_linear_layer)?\\.alpha", LoraPart.ALPHA);
        end("\\.scale", LoraPart.SCALE);
        end("\\.dora_scale", LoraPart.DORA);
        end("\\.lora_magnitude_vector(?:\\.[^.]+)*", LoraPart.DORA_OF_ROWS);
        end("\\.hada_w1_a", LoraPart.HADA_W1_A);
        end("\\.hada_w1_b", LoraPart.HADA_W1_B);
        end("\\.hada_w2_a", LoraPart.HADA_W2_A);
        end("\\.hada_w2_b", LoraPart.HADA_W2_B);
        end("\\.hada_t1", LoraPart.HADA_T1);
        end("\\.hada_t2", LoraPart.HADA_T2);
        end("\\.lokr_w1", LoraPart.KRON_W1);
        end("\\.lokr_w1_a", LoraPart.KRON_W1_A);
        end("\\.lokr_w1_b", LoraPart.KRON_W1_B);
        end("\\.lokr_w2", LoraPart.KRON_W2);
        end("\\.lokr_w2_a", LoraPart.KRON_W2_A);
        end("\\.lokr_w2_b", LoraPart.KRON_W2_B);
        end("\\.lokr_t2", LoraPart.KRON_T2);
        end("\\.diff|\\.w_norm", LoraPart.DIFF);
        end("\\.diff_b|\\.b_norm", LoraPart.DIFF_BIAS);
        end("\\.on_input", LoraPart.IA3_ON_INPUT);
    }

    /** Before the others, for they end as these do. */
    private static final Pattern UP_BIAS = Pattern.compile("(.+?)\\.lora_B(?:\\.[^.]+)?\\.bias");

    private static void end(String alternatives, LoraPart part) {
        ENDS.put(Pattern.compile("(.+?)(?:" + alternatives + ")"), part);
    }

    /** Kinds of files that are known and not supported, by the ends of their tensors' names. */
    private static final Map<Pattern, String> OTHER_KINDS = new LinkedHashMap<>();

    static {
        OTHER_KINDS.put(Pattern.compile(".+\\.(?:a1|a2|b1|b2|bm1|bm2)\\.weight"), "GLoRA");
        OTHER_KINDS.put(Pattern.compile(".+\\.boft_[A-Za-z].*"), "BOFT");
        OTHER_KINDS.put(Pattern.compile(".+\\.oft_(?:diag|[rR]).*"), "OFT");
        OTHER_KINDS.put(Pattern.compile(".+\\.oft_blocks"), "OFT or BOFT");
        OTHER_KINDS.put(Pattern.compile(".+\\.vera_lambda_.*"), "VeRA");
    }

    /**
     * Cuts a name.
     *
     * @return empty for a name that ends in no known way
     */
    static Optional<LoraKey> of(String name) {
        Matcher processor = OF_PROCESSOR.matcher(name);
        if (processor.matches()) {
            String projection = processor.group(2).equals("to_out") ? "to_out.0" : processor.group(2);
            LoraPart part = processor.group(3).startsWith("up")
                    ? LoraPart.UP
                    : processor.group(3).startsWith("down") ? LoraPart.DOWN : LoraPart.ALPHA;
            return Optional.of(new LoraKey(unwrapped(processor.group(1) + "." + projection), part));
        }
        Matcher bias = UP_BIAS.matcher(name);
        if (bias.matches()) {
            return Optional.of(new LoraKey(unwrapped(bias.group(1)), LoraPart.UP_BIAS));
        }
        for (var end : ENDS.entrySet()) {
            Matcher matcher = end.getKey().matcher(name);
            if (matcher.matches()) {
                return Optional.of(new LoraKey(unwrapped(matcher.group(1)), end.getValue()));
            }
        }
        return Optional.empty();
    }

    private static String unwrapped(String module) {
        return module.startsWith(WRAPPED) ? module.substring(WRAPPED.length()) : module;
    }

    /** The kind of file that such a name gives away, where it is one that is known and not supported. */
    static Optional<String> otherKind(String name) {
        return List.copyOf(OTHER_KINDS.entrySet()).stream()
                .filter(kind -> kind.getKey().matcher(name).matches())
                .map(Map.Entry::getValue)
                .findFirst();
    }
}
