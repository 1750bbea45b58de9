package io.tome4j.models.singlefile;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The names and true shapes of published models' tensors, as the programs that trained them build them (LDM's UNet and
 * autoencoder, CLIP, OpenCLIP), written as a file whose data is a hole: zeros that take no room on the disk.
 */
final class Header {
    private final Map<String, long[]> shapes = new LinkedHashMap<>();
    private final Map<String, String> dtypes = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private String prefix = "";

    Header under(String value) {
        prefix = value;
        return this;
    }

    Header tensor(String name, long... shape) {
        shapes.put(prefix + name, shape);
        return this;
    }

    Header without(String beginning) {
        shapes.keySet().removeIf(name -> name.startsWith(beginning));
        return this;
    }

    /** Leaves a piece out of every name. */
    Header withoutInside(String piece) {
        Map<String, long[]> all = new LinkedHashMap<>(shapes);
        shapes.clear();
        all.forEach((name, shape) -> shapes.put(name.replace(piece, ""), shape));
        return this;
    }

    Header dtype(String name, String dtype) {
        dtypes.put(name, dtype);
        return this;
    }

    Header metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    private void layer(String name, long... shape) {
        tensor(name + ".weight", shape);
        tensor(name + ".bias", shape[0]);
    }

    private void norm(String name, int size) {
        tensor(name + ".weight", size).tensor(name + ".bias", size);
    }

    /**
     * A UNet as LDM builds it.
     *
     * @param depths transformer blocks of each level; 0 for none
     * @param middle transformer blocks in the middle
     */
    Header unet(int in, int width, int[] factors, int[] depths, int middle, int text, int added, boolean linear) {
        int time = 4 * width;
        layer("time_embed.0", time, width);
        layer("time_embed.2", time, time);
        if (added > 0) {
            layer("label_emb.0.0", time, added);
            layer("label_emb.0.2", time, time);
        }
        layer("input_blocks.0.0", width, in, 3, 3);
        ArrayDeque<Integer> skips = new ArrayDeque<>();
        skips.push(width);
        int channels = width;
        int number = 1;
        for (int level = 0; level < factors.length; level++) {
            for (int i = 0; i < 2; i++) {
                stage("input_blocks." + number++, channels, width * factors[level], time, depths[level], text, linear);
                channels = width * factors[level];
                skips.push(channels);
            }
            if (level < factors.length - 1) {
                layer("input_blocks." + number++ + ".0.op", channels, channels, 3, 3);
                skips.push(channels);
            }
        }
        resnet("middle_block.0", channels, channels, time);
        attention("middle_block.1", channels, middle, text, linear);
        resnet("middle_block.2", channels, channels, time);
        number = 0;
        for (int level = factors.length - 1; level >= 0; level--) {
            for (int i = 0; i < 3; i++) {
                String block = "output_blocks." + number++;
                stage(block, channels + skips.pop(), width * factors[level], time, depths[level], text, linear);
                channels = width * factors[level];
                if (level > 0 && i == 2) {
                    layer(block + (depths[level] > 0 ? ".2.conv" : ".1.conv"), channels, channels, 3, 3);
                }
            }
        }
        norm("out.0", width);
        layer("out.2", 4, width, 3, 3);
        return this;
    }

    private void stage(String name, int in, int out, int time, int depth, int text, boolean linear) {
        resnet(name + ".0", in, out, time);
        if (depth > 0) {
            attention(name + ".1", out, depth, text, linear);
        }
    }

    private void resnet(String name, int in, int out, int time) {
        norm(name + ".in_layers.0", in);
        layer(name + ".in_layers.2", out, in, 3, 3);
        layer(name + ".emb_layers.1", out, time);
        norm(name + ".out_layers.0", out);
        layer(name + ".out_layers.3", out, out, 3, 3);
        if (in != out) {
            layer(name + ".skip_connection", out, in, 1, 1);
        }
    }

    private void attention(String name, int channels, int depth, int text, boolean linear) {
        long[] projection = linear ? new long[] {channels, channels} : new long[] {channels, channels, 1, 1};
        norm(name + ".norm", channels);
        layer(name + ".proj_in", projection);
        for (int i = 0; i < depth; i++) {
            String block = name + ".transformer_blocks." + i;
            for (int attention = 1; attention <= 2; attention++) {
                String part = block + ".attn" + attention;
                int seen = attention == 1 ? channels : text;
                tensor(part + ".to_q.weight", channels, channels);
                tensor(part + ".to_k.weight", channels, seen).tensor(part + ".to_v.weight", channels, seen);
                layer(part + ".to_out.0", channels, channels);
            }
            layer(block + ".ff.net.0.proj", 8L * channels, channels);
            layer(block + ".ff.net.2", channels, 4L * channels);
            for (int norm = 1; norm <= 3; norm++) {
                norm(block + ".norm" + norm, channels);
            }
        }
        layer(name + ".proj_out", projection);
    }

    Header sd1Unet(int in) {
        return unet(in, 320, new int[] {1, 2, 4, 4}, new int[] {1, 1, 1, 0}, 1, 768, 0, false);
    }

    Header sd2Unet(int in) {
        return unet(in, 320, new int[] {1, 2, 4, 4}, new int[] {1, 1, 1, 0}, 1, 1024, 0, true);
    }

    Header sdxlUnet(int in) {
        return unet(in, 320, new int[] {1, 2, 4}, new int[] {0, 2, 10}, 10, 2048, 2816, true);
    }

    Header refinerUnet() {
        return unet(4, 384, new int[] {1, 2, 4, 4}, new int[] {0, 4, 4, 0}, 4, 1280, 2560, true);
    }

    /** An autoencoder as LDM builds it. */
    Header vae(int latents) {
        int[] factors = {1, 2, 4, 4};
        layer("encoder.conv_in", 128, 3, 3, 3);
        int channels = 128;
        for (int level = 0; level < 4; level++) {
            for (int i = 0; i < 2; i++) {
                block("encoder.down." + level + ".block." + i, channels, 128 * factors[level]);
                channels = 128 * factors[level];
            }
            if (level < 3) {
                layer("encoder.down." + level + ".downsample.conv", channels, channels, 3, 3);
            }
        }
        vaeMiddle("encoder", channels);
        layer("encoder.conv_out", 2L * latents, channels, 3, 3);
        layer("decoder.conv_in", channels, latents, 3, 3);
        vaeMiddle("decoder", channels);
        for (int level = 3; level >= 0; level--) {
            for (int i = 0; i < 3; i++) {
                block("decoder.up." + level + ".block." + i, channels, 128 * factors[level]);
                channels = 128 * factors[level];
            }
            if (level > 0) {
                layer("decoder.up." + level + ".upsample.conv", channels, channels, 3, 3);
            }
        }
        norm("decoder.norm_out", channels);
        layer("decoder.conv_out", 3, channels, 3, 3);
        layer("quant_conv", 2L * latents, 2L * latents, 1, 1);
        layer("post_quant_conv", latents, latents, 1, 1);
        return this;
    }

    private void vaeMiddle(String half, int channels) {
        block(half + ".mid.block_1", channels, channels);
        norm(half + ".mid.attn_1.norm", channels);
        for (String part : new String[] {"q", "k", "v", "proj_out"}) {
            layer(half + ".mid.attn_1." + part, channels, channels, 1, 1);
        }
        block(half + ".mid.block_2", channels, channels);
        if (half.equals("encoder")) {
            norm("encoder.norm_out", channels);
        }
    }

    private void block(String name, int in, int out) {
        norm(name + ".norm1", in);
        layer(name + ".conv1", out, in, 3, 3);
        norm(name + ".norm2", out);
        layer(name + ".conv2", out, out, 3, 3);
        if (in != out) {
            layer(name + ".nin_shortcut", out, in, 1, 1);
        }
    }

    /** CLIP's text encoder as transformers stores it. */
    Header clip() {
        String model = "text_model.";
        tensor(model + "embeddings.token_embedding.weight", 49408, 768);
        tensor(model + "embeddings.position_embedding.weight", 77, 768);
        tensor(model + "embeddings.position_ids", 1, 77);
        for (int i = 0; i < 12; i++) {
            String layer = model + "encoder.layers." + i;
            for (String part : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
                layer(layer + ".self_attn." + part, 768, 768);
            }
            norm(layer + ".layer_norm1", 768);
            norm(layer + ".layer_norm2", 768);
            layer(layer + ".mlp.fc1", 3072, 768);
            layer(layer + ".mlp.fc2", 768, 3072);
        }
        norm(model + "final_layer_norm", 768);
        return this;
    }

    /** A text encoder as OpenCLIP stores it. */
    Header openClip(int size, int layers) {
        tensor("positional_embedding", 77, size)
                .tensor("text_projection", size, size)
                .tensor("logit_scale");
        tensor("token_embedding.weight", 49408, size);
        for (int i = 0; i < layers; i++) {
            String block = "transformer.resblocks." + i;
            tensor(block + ".attn.in_proj_weight", 3L * size, size).tensor(block + ".attn.in_proj_bias", 3L * size);
            layer(block + ".attn.out_proj", size, size);
            norm(block + ".ln_1", size);
            norm(block + ".ln_2", size);
            layer(block + ".mlp.c_fc", 4L * size, size);
            layer(block + ".mlp.c_proj", size, 4L * size);
        }
        norm("ln_final", size);
        return this;
    }

    Header sd1(int in) {
        return under("model.diffusion_model.")
                .sd1Unet(in)
                .under("first_stage_model.")
                .vae(4)
                .under("cond_stage_model.transformer.")
                .clip()
                .under("")
                .tensor("alphas_cumprod", 1000)
                .tensor("model_ema.decay")
                .tensor("global_step");
    }

    Header sd2() {
        return under("model.diffusion_model.")
                .sd2Unet(4)
                .under("first_stage_model.")
                .vae(4)
                .under("cond_stage_model.model.")
                .openClip(1024, 24)
                .under("");
    }

    Header sdxl(int in) {
        return under("model.diffusion_model.")
                .sdxlUnet(in)
                .under("first_stage_model.")
                .vae(4)
                .under("conditioner.embedders.0.transformer.")
                .clip()
                .under("conditioner.embedders.1.model.")
                .openClip(1280, 32)
                .under("")
                .tensor("denoiser.sigmas", 1000);
    }

    Header refiner() {
        return under("model.diffusion_model.")
                .refinerUnet()
                .under("first_stage_model.")
                .vae(4)
                .under("conditioner.embedders.0.model.")
                .openClip(1280, 32)
                .under("");
    }

    /** Writes the file, in fp16 where nothing else was said. */
    Path write(Path file) {
        ObjectNode header = new ObjectMapper().createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode strings = header.putObject("__metadata__");
            metadata.forEach(strings::put);
        }
        long end = 0;
        for (var entry : shapes.entrySet()) {
            String dtype = dtypes.getOrDefault(entry.getKey(), "F16");
            long bytes = dtype.startsWith("F8") || dtype.equals("U8") ? 1 : dtype.equals("F32") ? 4 : 2;
            ObjectNode tensor = header.putObject(entry.getKey()).put("dtype", dtype);
            var sizes = tensor.putArray("shape");
            for (long size : entry.getValue()) {
                sizes.add(size);
                bytes *= size;
            }
            tensor.putArray("data_offsets").add(end).add(end + bytes);
            end += bytes;
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .array());
            out.write(json);
            out.setLength(8 + json.length + end);
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
