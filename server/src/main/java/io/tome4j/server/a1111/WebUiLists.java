package io.tome4j.server.a1111;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.EmbeddingFolder;
import io.tome4j.diffusion.LoraFolder;
import io.tome4j.diffusion.Upscaler;
import io.tome4j.diffusion.UpscalerFolder;
import io.tome4j.server.generate.Folders;
import io.tome4j.server.generate.Generation;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.http.Json;
import io.tome4j.server.http.Route;
import io.tome4j.server.queue.GenerationQueue;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.DeviceMemory;
import io.tome4j.tensor.Placement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the web UI lists: much of it is empty here, but clients want to be told so. */
final class WebUiLists {
    private static final List<String> EMPTY = List.of(
            "sd-vae",
            "script-info",
            "extensions",
            "hypernetworks",
            "face-restorers",
            "realesrgan-models",
            "prompt-styles");

    private static final List<String> NOT_HERE = List.of("extra-single-image", "extra-batch-images", "interrogate");

    private final GenerationQueue queue;
    private final Folders folders;

    WebUiLists(Generation generation) {
        this.queue = generation.queue();
        this.folders = generation.folders();
    }

    List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        list(routes, "samplers", WebUiLists::samplers);
        list(routes, "schedulers", WebUiLists::schedulers);
        list(routes, "upscalers", this::upscalers);
        list(routes, "latent-upscale-modes", WebUiLists::latentUpscalers);
        list(routes, "sd-models", this::models);
        list(routes, "loras", this::loras);
        list(routes, "embeddings", this::embeddings);
        list(routes, "memory", WebUiLists::memory);
        list(routes, "cmd-flags", WebUiLists::flags);
        list(routes, "scripts", this::scripts);
        EMPTY.forEach(name -> list(routes, name, Json::array));
        for (String name : List.of("refresh-checkpoints", "refresh-vae", "refresh-loras", "refresh-embeddings")) {
            routes.add(Route.post(WebUiApi.ROOT + name, WebUiApi::answerNull));
        }
        NOT_HERE.forEach(name -> routes.add(Route.post(WebUiApi.ROOT + name, exchange -> {
            throw HttpError.of(501, "This server does not do that: it makes images, and nothing else of them");
        })));
        return routes;
    }

    private static void list(List<Route> routes, String name, Supplier<JsonNode> list) {
        routes.add(Route.get(WebUiApi.ROOT + name, exchange -> Json.answer(exchange, list.get())));
    }

    private static ArrayNode samplers() {
        ArrayNode list = Json.array();
        Samplers.all().forEach((name, aliases) -> {
            ObjectNode sampler = list.addObject().put("name", name);
            ArrayNode all = sampler.putArray("aliases");
            aliases.forEach(all::add);
            ObjectNode options = sampler.putObject("options");
            if (name.endsWith("Karras")) {
                options.put("scheduler", "karras");
            }
        });
        return list;
    }

    private static ArrayNode schedulers() {
        ArrayNode list = Json.array();
        for (String label : List.of("Automatic", "Uniform", "Karras", "Exponential", "Beta")) {
            list.addObject()
                    .put("name", label.toLowerCase(java.util.Locale.ROOT))
                    .put("label", label)
                    .<ObjectNode>set("aliases", Json.array())
                    .put("default_rho", label.equals("Karras") ? 7.0 : -1.0)
                    .put("need_inner_model", label.equals("Uniform"));
        }
        return list;
    }

    private static boolean isOfLatents(Upscaler upscaler) {
        return upscaler.title().startsWith("Latent");
    }

    private static ArrayNode latentUpscalers() {
        ArrayNode list = Json.array();
        for (Upscaler each : Upscaler.values()) {
            if (isOfLatents(each)) {
                list.addObject().put("name", each.title());
            }
        }
        return list;
    }

    /** {@code None}, those of pixels, and the networks in the folder. */
    private ArrayNode upscalers() {
        ArrayNode list = Json.array().add(upscaler("None"));
        for (Upscaler each : Upscaler.values()) {
            if (!isOfLatents(each)) {
                list.add(upscaler(each.title()));
            }
        }
        folders.upscalers().map(UpscalerFolder::names).orElse(List.of()).forEach(name -> list.add(upscaler(name)));
        return list;
    }

    private static ObjectNode upscaler(String name) {
        return Json.object()
                .put("name", name)
                .put("model_name", (@Nullable String) null)
                .put("model_path", (@Nullable String) null)
                .put("model_url", (@Nullable String) null)
                .put("scale", 4);
    }

    private ArrayNode models() {
        ArrayNode list = Json.array();
        for (ServedModel model : queue.models()) {
            ObjectNode json = list.addObject().put("title", model.title()).put("model_name", model.name());
            if (model.hash().isEmpty()) {
                json.putNull("hash").putNull("sha256");
            } else {
                json.put("hash", model.shortHash()).put("sha256", model.hash());
            }
            json.put("filename", model.name()).putNull("config");
        }
        return list;
    }

    private ArrayNode loras() {
        ArrayNode list = Json.array();
        folders.loras().map(LoraFolder::names).orElse(List.of()).forEach(name -> list.addObject()
                .put("name", name.substring(name.lastIndexOf('/') + 1))
                .put("alias", name)
                .put("path", name)
                .<ObjectNode>set("metadata", Json.object()));
        return list;
    }

    /** Those of which the names can stand in prompts; skipped are files that are no textual inversions. */
    private ObjectNode embeddings() {
        ObjectNode json = Json.object();
        ObjectNode loaded = json.putObject("loaded");
        ObjectNode skipped = json.putObject("skipped");
        folders.embeddings().map(EmbeddingFolder::list).orElse(List.of()).forEach(each -> {
            long width = each.widths().stream().mapToLong(Long::longValue).max().orElse(0);
            (each.vectors() == 0 ? skipped : loaded)
                    .putObject(each.name().substring(each.name().lastIndexOf('/') + 1))
                    .putNull("step")
                    .putNull("sd_checkpoint")
                    .putNull("sd_checkpoint_name")
                    .put("shape", width)
                    .put("vectors", each.vectors());
        });
        return json;
    }

    private static ObjectNode memory() {
        ObjectNode json = Json.object();
        ObjectNode ram = json.putObject("ram");
        long total = DeviceMemory.machineTotal().orElse(0);
        long free = DeviceMemory.of(Placement.choose(DeviceChoice.CPU, DTypeChoice.FP32))
                .available()
                .orElse(0);
        ram.put("free", free).put("used", Math.max(0, total - free)).put("total", total);
        json.putObject("cuda").put("error", "unavailable");
        return json;
    }

    private static ObjectNode flags() {
        return Json.object()
                .put("api", true)
                .put("nowebui", false)
                .put("use_cpu", "all")
                .put("listen", false);
    }

    private ObjectNode scripts() {
        ObjectNode json = Json.object();
        for (String kind : List.of("txt2img", "img2img")) {
            ArrayNode list = json.putArray(kind);
            folders.controlNets().ifPresent(folder -> list.add(ControlUnits.SCRIPT));
        }
        return json;
    }
}
