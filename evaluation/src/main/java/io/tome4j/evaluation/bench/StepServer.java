package io.tome4j.evaluation.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.tensor.DeviceMemory;
import io.tome4j.tensor.Placement;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;

/**
 * Times steps on demand, for a script that asks several programs in turn: {@code reference/side_by_side.py}. A question is a
 * line {@code {"resolution": 512, "batch": 1, "ratio": 0.5, "steps": 1}}, its answer {@code {"seconds": 2.31}}, seconds a
 * step; at first it says {@code {"ready": "PyTorch 2.10.0, ..."}}. Ratio 0 is without merging.
 */
public final class StepServer {
    private static final double NANOS = 1e9;

    private StepServer() {}

    /**
     * Answers until the questions end.
     *
     * @throws IOException if a question cannot be read, or is no JSON
     */
    public static void serve(BenchModel model, ToMeOptions merging, BufferedReader questions, PrintWriter answers)
            throws IOException {
        Placement placement = model.placement();
        Denoising denoising = new Denoising(model, merging);
        DeviceMemory device = DeviceMemory.of(placement);
        model.build(List.of(Variant.EFFICIENT));
        answers.println(answer().put("ready", Machine.here(placement).engine()));
        answers.flush();
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            JsonNode question = Json.MAPPER.readTree(line);
            double ratio = question.path("ratio").asDouble();
            int steps = question.path("steps").asInt(1);
            Cell cell = new Cell(
                    question.path("resolution").asInt(),
                    question.path("batch").asInt(1),
                    ratio > 0 ? Variant.TOME_EFFICIENT : Variant.EFFICIENT,
                    ratio);
            denoising.prepare(cell);
            device.synchronize();
            long start = System.nanoTime();
            denoising.run(cell, steps);
            device.synchronize();
            answers.println(answer().put("seconds", (System.nanoTime() - start) / NANOS / steps));
            answers.flush();
        }
    }

    private static ObjectNode answer() {
        return Json.MAPPER.createObjectNode();
    }
}
