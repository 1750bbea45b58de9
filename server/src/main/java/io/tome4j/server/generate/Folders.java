package io.tome4j.server.generate;

import io.tome4j.diffusion.Control;
import io.tome4j.diffusion.ControlNetFolder;
import io.tome4j.diffusion.EmbeddingFolder;
import io.tome4j.diffusion.LoraFolder;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.Upscaler;
import io.tome4j.diffusion.UpscalerFolder;
import io.tome4j.server.http.HttpError;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where that lies which requests may name; what they name otherwise is no file of this machine.
 *
 * @param loras by whose names prompts ask for them; empty if they cannot
 * @param embeddings textual inversions, likewise
 * @param controlNets that requests may name; empty if they cannot
 * @param upscalers networks that enlarge, likewise
 */
public record Folders(
        Optional<LoraFolder> loras,
        Optional<EmbeddingFolder> embeddings,
        Optional<ControlNetFolder> controlNets,
        Optional<UpscalerFolder> upscalers) {
    /** Nothing can be named. */
    public static final Folders NONE =
            new Folders(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    public Folders loras(LoraFolder value) {
        return new Folders(Optional.of(value), embeddings, controlNets, upscalers);
    }

    public Folders embeddings(EmbeddingFolder value) {
        return new Folders(loras, Optional.of(value), controlNets, upscalers);
    }

    public Folders controlNets(ControlNetFolder value) {
        return new Folders(loras, embeddings, Optional.of(value), upscalers);
    }

    public Folders upscalers(UpscalerFolder value) {
        return new Folders(loras, embeddings, controlNets, Optional.of(value));
    }

    /**
     * A request with the files of what it names.
     *
     * @param names what the API calls the library's options
     * @throws HttpError if there is none of a name
     */
    Request resolve(Request request, UnaryOperator<String> names) {
        try {
            return withUpscaler(withControls(withEmbeddings(withLoras(withoutAdapters(request)))), names);
        } catch (RuntimeException e) {
            throw Errors.explained(
                    e, name -> name.equals("lora") || name.equals("embedding") ? "prompt" : names.apply(name));
        }
    }

    private Request withLoras(Request request) {
        if (loras.isPresent()) {
            return loras.get().resolve(request);
        }
        Stream<String> prompts = Stream.concat(request.prompts().stream(), Stream.of(request.get(Request.PROMPT_2)));
        if (request.loras().stream().anyMatch(lora -> lora.file().isEmpty()) || prompts.anyMatch(Folders::namesLora)) {
            throw HttpError.field(
                    "prompt", "prompt names a LoRA, and this server was started without a folder of them");
        }
        return request;
    }

    private static boolean namesLora(String prompt) {
        return prompt.contains("<lora:") || prompt.contains("<lyco:");
    }

    private Request withEmbeddings(Request request) {
        if (embeddings.isPresent()) {
            return embeddings.get().resolve(request);
        }
        if (!request.embeddings().isEmpty()) {
            throw HttpError.field(
                    "prompt",
                    "prompt was made with a textual inversion, and this server was started without a folder of them");
        }
        return request;
    }

    private static Request withoutAdapters(Request request) {
        if (!request.t2iAdapters().isEmpty() || !request.ipAdapters().isEmpty()) {
            throw HttpError.field(
                    "infotext",
                    "infotext names a T2I-Adapter or an IP-Adapter, and this server has no folder of them to take it from");
        }
        return request;
    }

    /** Whatever a request names otherwise would be a file of this machine. */
    private Request withUpscaler(Request request, UnaryOperator<String> names) {
        if (request.hires() == 1 || Upscaler.named(request.hiresUpscaler()).isPresent()) {
            return request;
        }
        return upscalers
                .orElseThrow(() -> {
                    String field = names.apply(Request.HIRES_UPSCALER.name());
                    return HttpError.field(
                            field,
                            "There is no such upscaler; there are "
                                    + Arrays.stream(Upscaler.values())
                                            .map(Upscaler::title)
                                            .collect(Collectors.joining(", ")));
                })
                .resolve(request);
    }

    private Request withControls(Request request) {
        if (request.controls().isEmpty()) {
            return request;
        }
        ControlNetFolder folder = controlNets.orElseThrow(() -> HttpError.field(
                "controlnet", "A ControlNet is named, and this server was started without a folder of them"));
        for (Control control : request.controls()) {
            if (control.image().isEmpty()) {
                throw HttpError.field(
                        "infotext",
                        "infotext names a ControlNet, whose image it does not hold: send it as alwayson_scripts have it");
            }
        }
        return request.controls(request.controls().stream().map(folder::resolve).toList());
    }
}
