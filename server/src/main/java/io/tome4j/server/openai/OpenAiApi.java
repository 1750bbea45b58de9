package io.tome4j.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.server.generate.Errors;
import io.tome4j.server.generate.Generation;
import io.tome4j.server.generate.JobStream;
import io.tome4j.server.generate.OwnFields;
import io.tome4j.server.http.Api;
import io.tome4j.server.http.EventStream;
import io.tome4j.server.http.Exchange;
import io.tome4j.server.http.HttpError;
import io.tome4j.server.http.Json;
import io.tome4j.server.http.Route;
import io.tome4j.server.queue.JobEvent.Previewed;
import io.tome4j.server.queue.MadeImage;
import io.tome4j.server.queue.Outcome;
import io.tome4j.server.queue.PreviewPlan;
import io.tome4j.server.queue.ServedModel;
import io.tome4j.server.queue.Ticket;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.time.Instant;
import java.util.Base64;
import java.util.List;

/** OpenAI's images API, with our own fields beside its own. */
public final class OpenAiApi implements Api {
    private static final String ROOT = "/v1/";
    private final Generation generation;
    private final long created = Instant.now().getEpochSecond();

    /** @param generation makes the images */
    public OpenAiApi(Generation generation) {
        this.generation = generation;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                Route.post(ROOT + "images/generations", this::generations),
                Route.post(ROOT + "images/edits", this::edits),
                Route.get(ROOT + "models", this::models),
                Route.get(ROOT + "models/<id>", this::model)); // an id may hold a slash
    }

    @Override
    public boolean owns(String path) {
        return path.startsWith("/v1");
    }

    @Override
    public ErrorAnswer answer(HttpError error) {
        int status = error.status() == 422 ? 400 : error.status();
        ObjectNode json = Json.object();
        ObjectNode body = json.putObject("error");
        body.put("message", error.message());
        body.put(
                "type",
                status >= 500 ? "server_error" : status == 429 ? "rate_limit_exceeded" : "invalid_request_error");
        if (error.field().isEmpty()) {
            body.putNull("param");
        } else {
            body.put("param", error.field());
        }
        if (error.code().isEmpty()) {
            body.putNull("code");
        } else {
            body.put("code", error.code());
        }
        return new ErrorAnswer(status, json);
    }

    private void generations(Exchange exchange) throws Exception {
        ObjectNode json = Json.read(exchange, false);
        OwnFields.addQuery(json, exchange);
        ImagesRequest request =
                Errors.explaining(ImagesRequest::name, () -> ImagesRequest.read(json, generation, generation::base));
        make(request, exchange, "image_generation");
    }

    private void edits(Exchange exchange) throws Exception {
        EditRequest edit = EditRequest.read(exchange);
        OwnFields.addQuery(edit.fields(), exchange);
        ImagesRequest request = Errors.explaining(
                ImagesRequest::name,
                () -> ImagesRequest.read(
                        edit.fields(), generation, (model, prompt) -> edit.begin(generation.base(model, prompt))));
        make(request, exchange, "image_edit");
    }

    private void make(ImagesRequest request, Exchange exchange, String event) throws IOException, InterruptedException {
        try (Ticket ticket = generation.submit(request.asked(), exchange, ImagesRequest::name)) {
            if (request.stream()) {
                stream(request, ticket, exchange, event);
            } else {
                Outcome outcome = generation.await(ticket, ImagesRequest::name);
                requireImages(outcome);
                Json.answer(exchange, ImagesAnswer.of(request, outcome));
            }
        }
    }

    private static void requireImages(Outcome outcome) {
        if (outcome.images().isEmpty()) {
            throw HttpError.of(409, "The images were interrupted before the first was begun");
        }
    }

    private void stream(ImagesRequest request, Ticket ticket, Exchange exchange, String event)
            throws IOException, InterruptedException {
        EventStream stream = EventStream.of(exchange);
        Outcome ended = JobStream.follow(ticket, new PreviewPlan.Shares(request.partialImages()), stream, each -> {
            if (each instanceof Previewed previewed) {
                sendPartial(request, previewed, stream, event);
                return true;
            }
            return false;
        });
        try {
            Outcome outcome = Generation.finished(ended, ImagesRequest::name);
            requireImages(outcome);
            MadeImage made = outcome.images().get(0);
            ObjectNode json = event(event + ".completed", request.format().base64(made, request.quality()));
            ImagesAnswer.putCommon(
                    json, request, made.image().width(), made.image().height());
            ImagesAnswer.putUsage(json);
            ImagesAnswer.putOurs(json.putObject("tome4j"), outcome);
            stream.send(event + ".completed", json);
        } catch (HttpError e) {
            stream.send("error", answer(e).body());
        } catch (IllegalStateException e) {
            stream.send(
                    "error",
                    answer(HttpError.of(500, "An unexpected failure of the server; its log says more"))
                            .body());
        }
    }

    private static void sendPartial(ImagesRequest request, Previewed previewed, EventStream stream, String event)
            throws IOException {
        int width = request.asked().request().width();
        int height = request.asked().request().height();
        BufferedImage image = width == 0 || height == 0 ? previewed.image() : scaled(previewed.image(), width, height);
        ObjectNode json = event(
                event + ".partial_image",
                Base64.getEncoder().encodeToString(request.format().bytes(image, request.quality())));
        json.put("partial_image_index", previewed.index());
        ImagesAnswer.putCommon(json, request, image.getWidth(), image.getHeight());
        stream.send(event + ".partial_image", json);
    }

    private static ObjectNode event(String type, String base64) {
        return Json.object()
                .put("type", type)
                .put("b64_json", base64)
                .put("created_at", Instant.now().getEpochSecond());
    }

    private static BufferedImage scaled(BufferedImage small, int width, int height) {
        BufferedImage large = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = large.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(small, 0, 0, width, height, null);
        graphics.dispose();
        return large;
    }

    private void models(Exchange exchange) {
        ObjectNode json = Json.object().put("object", "list");
        ArrayNode data = json.putArray("data");
        generation.queue().models().forEach(model -> data.add(described(model)));
        Json.answer(exchange, json);
    }

    private void model(Exchange exchange) {
        String id = exchange.pathParameter("id");
        ServedModel model = generation.model(id).orElseThrow(() -> ImagesRequest.notFound(id));
        Json.answer(exchange, described(model));
    }

    private ObjectNode described(ServedModel model) {
        return Json.object()
                .put("id", model.name())
                .put("object", "model")
                .put("created", created)
                .put("owned_by", "tome4j");
    }
}
