package io.tome4j.server.playground;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.diffusion.ImageStart;
import io.tome4j.diffusion.OptionsJson;
import io.tome4j.diffusion.ReadParameters;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.diffusion.Sources;
import io.tome4j.diffusion.Start;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.evaluation.measures.ImageMeasure;
import io.tome4j.server.generate.Errors;
import io.tome4j.server.generate.Generation;
import io.tome4j.server.generate.Generation.Asked;
import io.tome4j.server.generate.ImageFormat;
import io.tome4j.server.generate.JobStream;
import io.tome4j.server.generate.OwnFields;
import io.tome4j.server.generate.SentImages;
import io.tome4j.server.http.Api;
import io.tome4j.server.http.EventStream;
import io.tome4j.server.http.Exchange;
import io.tome4j.server.http.Fields;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.http.Json;
import io.tome4j.server.http.Route;
import io.tome4j.server.queue.JobEvent;
import io.tome4j.server.queue.JobEvent.Previewed;
import io.tome4j.server.queue.JobEvent.Progressed;
import io.tome4j.server.queue.JobProgress;
import io.tome4j.server.queue.Outcome;
import io.tome4j.server.queue.PreviewPlan;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.server.queue.Ticket;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.UnaryOperator;

/** The page that shows what merging does, and what it asks the server for. */
public final class PlaygroundApi implements Api {
    private static final String ROOT = "/tome4j/v1/";
    private static final Duration BETWEEN_PREVIEWS = Duration.ofMillis(400);
    private static final int MOST_COMPARED = 2; // at the same time

    private final Generation generation;
    private final Pages pages = Pages.load();
    private final Semaphore comparing = new Semaphore(MOST_COMPARED);

    /** @param generation makes the images */
    public PlaygroundApi(Generation generation) {
        this.generation = generation;
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>(pages.routes());
        routes.add(Route.get(ROOT + "info", exchange -> Json.answer(exchange, PageInfo.of(generation))));
        routes.add(Route.post(ROOT + "generate", this::generate));
        routes.add(Route.post(ROOT + "jobs/{id}/interrupt", this::interrupt));
        routes.add(Route.post(ROOT + "compare", this::compare));
        routes.add(Route.post(ROOT + "parameters", this::parameters));
        return routes;
    }

    @Override
    public boolean owns(String path) {
        return path.startsWith("/tome4j") || pages.has(path);
    }

    @Override
    public ErrorAnswer answer(HttpError error) {
        return new ErrorAnswer(error.status(), described(error));
    }

    private static ObjectNode described(HttpError error) {
        return Json.object().put("detail", error.message()).put("field", error.field());
    }

    private Asked asked(ObjectNode json) {
        Fields fields = Fields.of(json);
        String prompt = fields.text("prompt").orElse("");
        ServedModel model = fields.text("model")
                .filter(name -> !name.isBlank())
                .map(name -> generation.model(name).orElseThrow(() -> HttpError.of(404, "There is no such model")
                        .about("model")))
                .orElseGet(generation::usualModel);
        Request request = begun(fields, generation.base(model, prompt));
        boolean drawsSeed = !fields.has(Request.SEED.name());
        return new Asked(
                model,
                OwnFields.apply(fields, request),
                fields.integer("n").orElse(1),
                drawsSeed,
                fields.flag("merge_map").orElse(false));
    }

    /** What it begins with; where it does not say its size, an image has its own. */
    private static Request begun(Fields fields, Request request) {
        Optional<Pixels> image = sent(fields, "image").map(file -> SentImages.pixels(file, "image"));
        Request sized = request.size(
                fields.integer("width")
                        .orElse(image.map(each -> wholeLatents(each.width())).orElse(request.width())),
                fields.integer("height")
                        .orElse(image.map(each -> wholeLatents(each.height())).orElse(request.height())));
        Optional<byte[]> mask = sent(fields, "mask");
        if (image.isEmpty()) {
            if (mask.isPresent()) {
                throw HttpError.field("mask", "mask is there, and the image is not that it is for");
            }
            return sized;
        }
        ImageStart start = Start.from(SourceImage.of(image.get()));
        return sized.start(mask.map(file -> start.repainting(SourceImage.of(SentImages.mask(file, "mask", false))))
                .orElse(start));
    }

    private static Optional<byte[]> sent(Fields fields, String name) {
        return fields.text(name).filter(text -> !text.isBlank()).map(text -> SentImages.bytes(text, name));
    }

    private static int wholeLatents(int pixels) {
        return Math.max(1, pixels / Request.PIXELS_PER_LATENT) * Request.PIXELS_PER_LATENT;
    }

    private void generate(Exchange exchange) throws IOException, InterruptedException {
        ObjectNode json = Json.read(exchange, false);
        UnaryOperator<String> names = name -> name.equals("num_images_per_prompt") ? "n" : name;
        Asked asked = Errors.explaining(names, () -> asked(json));
        try (Ticket ticket = generation.submit(asked, exchange, names)) {
            EventStream stream = EventStream.of(exchange);
            stream.send("job", Json.object().put("id", ticket.job().id()));
            Outcome ended = JobStream.follow(
                    ticket, new PreviewPlan.Every(BETWEEN_PREVIEWS), stream, event -> tell(event, stream));
            try {
                stream.send("done", ImageReport.of(Generation.finished(ended, names)));
            } catch (HttpError e) {
                stream.send("error", described(e));
            } catch (IllegalStateException e) {
                stream.send("error", Json.object().put("detail", "An unexpected failure of the server"));
            }
        }
    }

    private static boolean tell(JobEvent event, EventStream stream) throws IOException {
        if (event instanceof Progressed progressed) {
            JobProgress progress = progressed.progress();
            ObjectNode json = Json.object()
                    .put("position", progress.position())
                    .put("image", progress.image())
                    .put("images", progress.images())
                    .put("step", progress.step())
                    .put("steps", progress.steps())
                    .put("share", progress.share());
            progress.secondsLeft().ifPresent(seconds -> json.put("seconds_left", seconds));
            stream.send("progress", json);
        } else if (event instanceof Previewed previewed) {
            stream.send("preview", Json.object().put("png", ImageFormat.pngBase64(previewed.image())));
        }
        return true;
    }

    private void interrupt(Exchange exchange) {
        String id = exchange.pathParameter("id");
        if (!id.matches("\\d{1,18}")) {
            throw HttpError.of(404, "There is no such job");
        }
        generation.queue().interrupt(Long.parseLong(id));
        Json.answer(exchange, Json.object());
    }

    private void compare(Exchange exchange) {
        Fields fields = Fields.of(Json.read(exchange, false));
        if (!comparing.tryAcquire()) {
            throw HttpError.tooMany("Other images are compared just now", 1);
        }
        try {
            BufferedImage unmerged = image(fields, "unmerged");
            BufferedImage merged = image(fields, "merged");
            ObjectNode json = Json.object();
            for (ImageMeasure measure : List.of(ImageMeasure.PSNR, ImageMeasure.SSIM)) {
                if (measure.fits(unmerged.getWidth(), unmerged.getHeight())) {
                    json.put(measure.name(), measure.shown(measure.between(unmerged, merged)));
                }
            }
            Json.answer(exchange, json);
        } catch (TomeException e) {
            throw HttpError.of(422, String.valueOf(e.getMessage()));
        } finally {
            comparing.release();
        }
    }

    private BufferedImage image(Fields fields, String name) {
        Pixels image = SentImages.pixels(
                SentImages.bytes(
                        fields.text(name).orElseThrow(() -> HttpError.field(name, name + " is missing")), name),
                name);
        if ((long) image.width() * image.height() > generation.limits().maxPixels()) {
            throw HttpError.field(name, name + " is larger than any image of this server");
        }
        return image.toBufferedImage();
    }

    /** What an image was made from, as fields of a request for it. */
    private void parameters(Exchange exchange) {
        Fields fields = Fields.of(Json.read(exchange, false));
        String text = fields.text("image")
                .map(PlaygroundApi::infotext)
                .or(() -> fields.text("text"))
                .orElse("");
        ReadParameters read = ReadParameters.of(text);
        GenerationParameters parameters = read.parameters().orElseThrow(() -> HttpError.of(422, read.problem()));
        Request request = parameters.request();
        ObjectNode json = Json.object().put("prompt", parameters.prompt());
        OptionsJson.put(json, request);
        json.put("seed", request.unsignedSeed().toString()); // a text: browsers' numbers are not exact
        json.put(
                "scheduler",
                Schedulers.names().contains(request.scheduler()) ? request.scheduler() : Request.CHECKPOINTS_OWN);
        json.set(OwnFields.TOKEN_MERGING, OptionsJson.of(parameters.merging()));
        json.put("model", parameters.model());
        json.put("begins_with_image", !parameters.sources().equals(Sources.NONE));
        Json.answer(exchange, json);
    }

    private static String infotext(String base64) {
        try {
            return GenerationParameters.readText(SentImages.bytes(base64, "image"));
        } catch (TomeException e) {
            throw HttpError.of(422, String.valueOf(e.getMessage())).about("image");
        }
    }
}
