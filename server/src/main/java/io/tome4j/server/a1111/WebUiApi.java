package io.tome4j.server.a1111;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.ReadParameters;
import io.tome4j.server.generate.Errors;
import io.tome4j.server.generate.Generation;
import io.tome4j.server.generate.ImageFolder;
import io.tome4j.server.generate.ImageFormat;
import io.tome4j.server.generate.SentImages;
import io.tome4j.server.http.Api;
import io.tome4j.server.http.Exchange;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.http.Json;
import io.tome4j.server.http.Route;
import io.tome4j.server.queue.GenerationQueue;
import io.tome4j.server.queue.Job;
import io.tome4j.server.queue.JobProgress;
import io.tome4j.server.queue.Outcome;
import io.tome4j.server.queue.QueueClosedException;
import io.tome4j.server.queue.QueueFullException;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.server.queue.Ticket;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/** The API of A1111's web UI, as of version 1.10, as far as its clients use it. */
public final class WebUiApi implements Api {
    static final String ROOT = "/sdapi/v1/";
    private static final int QUALITY = 80; // the web UI's own

    private final Generation generation;
    private final Optional<ImageFolder> folder;
    private final WebUiLists lists;
    private volatile OptionsState options;

    /** @param folder where images are kept that clients want to be kept; empty if they are not */
    public WebUiApi(Generation generation, Optional<ImageFolder> folder) {
        this.generation = generation;
        this.folder = folder;
        this.lists = new WebUiLists(generation);
        this.options = new OptionsState(generation.usualModel(), generation.merging(), 0, 0, 0, ImageFormat.PNG);
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>(List.of(
                Route.post(ROOT + "txt2img", exchange -> generate(exchange, false)),
                Route.post(ROOT + "img2img", exchange -> generate(exchange, true)),
                Route.get(ROOT + "progress", this::progress),
                Route.post(ROOT + "interrupt", this::interrupt),
                Route.post(ROOT + "skip", this::skip),
                Route.get(ROOT + "options", exchange -> Json.answer(exchange, OptionKeys.write(options))),
                Route.post(ROOT + "options", this::changeOptions),
                Route.post(ROOT + "png-info", this::pngInfo),
                Route.post(ROOT + "unload-checkpoint", exchange -> whenDone(() -> queue().unload(), exchange)),
                Route.post(
                        ROOT + "reload-checkpoint",
                        exchange -> whenDone(() -> queue().load(options.model()), exchange))));
        routes.addAll(lists.routes());
        routes.addAll(new ControlNetRoutes(generation.folders().controlNets()).routes());
        return routes;
    }

    @Override
    public boolean owns(String path) {
        return path.startsWith("/sdapi") || path.startsWith(ControlNetRoutes.ROOT);
    }

    @Override
    public ErrorAnswer answer(HttpError error) {
        ObjectNode json = Json.object();
        if (error.status() == 422 && !error.field().isEmpty()) {
            ObjectNode detail = json.putArray("detail").addObject();
            detail.putArray("loc").add("body").add(error.field());
            detail.put("msg", error.message());
            detail.put("type", "value_error");
        } else {
            json.put("error", "HTTPException");
            json.put("detail", error.message());
        }
        json.put("body", "");
        json.put("errors", error.message());
        return new ErrorAnswer(error.status(), json);
    }

    private GenerationQueue queue() {
        return generation.queue();
    }

    private void generate(Exchange exchange, boolean fromImage) throws InterruptedException {
        ObjectNode json = Json.read(exchange, false);
        TextToImage read =
                Errors.explaining(TextToImage.NAMES, () -> TextToImage.read(json, options, generation, fromImage));
        Outcome outcome;
        try (Ticket ticket = generation.submit(read.asked(), exchange, TextToImage.NAMES)) {
            if (!Fields.of(json).flag("override_settings_restore_afterwards").orElse(true)) {
                change(Fields.of(json).object("override_settings"));
            }
            outcome = generation.await(ticket, TextToImage.NAMES);
            if (folder.isPresent() && read.saveImages() && ticket.job().isToBeKept()) {
                outcome.images().forEach(folder.get()::save);
            }
        }
        ObjectNode answer = Json.object();
        ArrayNode images = answer.putArray("images");
        if (read.sendImages()) {
            outcome.images().forEach(made -> images.add(read.state().format().base64(made, QUALITY)));
        }
        var asked = outcome.images().isEmpty()
                ? read.asked().request()
                : outcome.images().get(0).request();
        answer.set("parameters", EchoedFields.of(json, asked));
        answer.put(
                "info",
                GenerationInfo.of(read.asked().model(), read.asked().request(), asked, outcome)
                        .toString());
        Json.answer(exchange, answer);
    }

    private void progress(Exchange exchange) {
        Optional<Job> running = queue().running();
        ObjectNode json = Json.object();
        Optional<JobProgress> progress = running.map(Job::progress);
        json.put("progress", progress.map(JobProgress::share).orElse(0.0));
        json.put(
                "eta_relative",
                progress.map(each -> each.secondsLeft().orElse(0)).orElse(0.0));
        ObjectNode state = json.putObject("state");
        boolean interrupted = running.filter(Job::isInterrupted).isPresent();
        state.put("skipped", false);
        state.put("interrupted", interrupted);
        state.put("stopping_generation", interrupted);
        state.put("job", running.map(job -> "task " + job.id()).orElse(""));
        state.put("job_count", progress.map(JobProgress::images).orElse(0));
        state.put("job_timestamp", running.isPresent() ? GenerationInfo.timestamp() : "0");
        state.put("job_no", progress.map(JobProgress::image).orElse(0));
        state.put("sampling_step", progress.map(JobProgress::step).orElse(0));
        state.put("sampling_steps", progress.map(JobProgress::steps).orElse(0));
        boolean wanted = exchange.query("skip_current_image")
                .map(text -> !text.equalsIgnoreCase("true"))
                .orElse(true);
        Optional<BufferedImage> preview = wanted ? running.flatMap(Job::polledPreview) : Optional.empty();
        preview.ifPresentOrElse(
                image -> json.put("current_image", ImageFormat.pngBase64(image)), () -> json.putNull("current_image"));
        json.putNull("textinfo");
        Json.answer(exchange, json);
    }

    private void interrupt(Exchange exchange) {
        queue().interrupt();
        Json.answer(exchange, Json.object());
    }

    private void skip(Exchange exchange) {
        queue().skip();
        answerNull(exchange);
    }

    private void changeOptions(Exchange exchange) throws InterruptedException {
        Fields asked = Fields.of(Json.read(exchange, false));
        ServedModel before = options.model();
        ServedModel model = with(asked).model();
        if (!model.equals(before)) {
            await(() -> queue().load(model));
        }
        change(asked);
        answerNull(exchange);
    }

    /** Changes what is asked for and nothing else: others may have changed something meanwhile. */
    private synchronized void change(Fields asked) throws InterruptedException {
        options = with(asked);
    }

    private OptionsState with(Fields asked) throws InterruptedException {
        return Errors.explaining(TextToImage.NAMES, () -> OptionKeys.read(asked, options, generation));
    }

    /** Has the queue do something else than images, and waits for it. */
    private static void await(Supplier<CompletableFuture<Void>> errand) throws InterruptedException {
        try {
            errand.get().get();
        } catch (QueueFullException | QueueClosedException e) {
            throw Errors.explained(e, TextToImage.NAMES);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof TomeException failure
                    ? HttpError.of(404, String.valueOf(failure.getMessage()))
                    : new IllegalStateException(e.getCause());
        }
    }

    private static void whenDone(Supplier<CompletableFuture<Void>> errand, Exchange exchange)
            throws InterruptedException {
        await(errand);
        Json.answer(exchange, Json.object());
    }

    /** What the web UI answers where it has nothing to say: clients parse it. */
    static void answerNull(Exchange exchange) {
        Json.answer(exchange, JsonNodeFactory.instance.nullNode());
    }

    private void pngInfo(Exchange exchange) {
        Fields fields = Fields.of(Json.read(exchange, false));
        String image = fields.text("image")
                .filter(text -> !text.isBlank())
                .orElseThrow(() -> HttpError.of(404, "Image not found").about("image"));
        byte[] bytes = SentImages.bytes(image, "image");
        String infotext = infotext(bytes);
        ObjectNode json = Json.object();
        json.put("info", infotext);
        ObjectNode items = json.putObject("items");
        if (!infotext.isEmpty()) {
            items.put("parameters", infotext);
        }
        ObjectNode parameters = json.putObject("parameters");
        if (!infotext.isEmpty()) {
            ReadParameters read = ReadParameters.of(infotext);
            parameters.put("Prompt", read.prompt());
            parameters.put("Negative prompt", read.negativePrompt());
            read.values().forEach((name, value) -> putValue(parameters, name, value));
            parameters.put("Clip skip", read.value("Clip skip").orElse("1"));
        }
        Json.answer(exchange, json);
    }

    private static String infotext(byte[] image) {
        try {
            return GenerationParameters.readText(image);
        } catch (TomeException e) {
            String message = String.valueOf(e.getMessage());
            if (message.contains("carries no generation parameters")) {
                return "";
            }
            throw HttpError.of(400, message).about("image");
        }
    }

    /** A size is said as two values there. */
    private static void putValue(ObjectNode json, String name, String value) {
        String[] sides = value.split("x", -1);
        if (sides.length == 2 && sides[0].matches("\\d+") && sides[1].matches("\\d+")) {
            json.put(name + "-1", sides[0]);
            json.put(name + "-2", sides[1]);
        } else {
            json.put(name, value);
        }
    }
}
