package io.tome4j.spark;

import io.tome4j.diffusion.Image;
import io.tome4j.diffusion.MemoryRanOutException;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.TomeException;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;

/** What a task does with its rows: an image each, one at a time, on the executor's pipeline. */
final class ImageTask implements MapPartitionsFunction<Row, Row> {
    private static final long serialVersionUID = 1L;
    private static final String GPU = "gpu";

    private final BatchSettings settings;
    private final @Nullable ImageFolder folder;

    /** @param folder where PNG files go; null for PNG in the table */
    ImageTask(BatchSettings settings, @Nullable ImageFolder folder) {
        this.settings = settings;
        this.folder = folder;
    }

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        TaskContext task = TaskContext.get();
        if (settings.onCuda()) {
            gpuOf(task).ifPresent(index -> Engine.start().useCudaDevice(index));
        }
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public Row next() {
                return image(new PromptRow(rows.next()), task);
            }
        };
    }

    /** The CUDA device that Spark gave this task, if it gave any. */
    static Optional<Integer> gpuOf(TaskContext task) {
        ResourceInformation gpus = task.resourcesJMap().get(GPU);
        return gpus == null || gpus.addresses().length == 0
                ? Optional.empty()
                : Optional.of(Integer.parseInt(gpus.addresses()[0]));
    }

    /**
     * The image of a row, or why there is none. What is wrong with the row itself is an error in its row; what is wrong with
     * the executor (no model, no memory) fails the task, for the next row would fare no better.
     */
    private Row image(PromptRow row, TaskContext task) {
        task.killTaskIfInterrupted();
        StableDiffusionPipeline pipeline = PipelineOfThisJvm.get(settings);
        long start = System.nanoTime();
        Request request;
        try {
            request = row.request(settings);
        } catch (IllegalArgumentException e) {
            return RowFactory.create(row.key(), null, null, null, null, e.getMessage());
        }
        try {
            Image image = pipeline.generate(request, progress -> !task.isInterrupted())
                    .image();
            Object where = folder == null ? image.png() : folder.write(row.key(), image.png());
            double seconds = (System.nanoTime() - start) / 1e9;
            return RowFactory.create(row.key(), request.seed(), where, image.parameters(), seconds, null);
        } catch (CancellationException e) {
            task.killTaskIfInterrupted();
            throw e;
        } catch (MemoryRanOutException e) {
            throw e;
        } catch (TomeException | IllegalArgumentException e) {
            return RowFactory.create(row.key(), request.seed(), null, null, null, e.getMessage());
        }
    }
}
