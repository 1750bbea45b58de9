package io.tome4j.spark;

import io.tome4j.diffusion.StableDiffusionPipeline;
import org.jspecify.annotations.Nullable;

/**
 * The one pipeline of an executor. A process has one libtorch and memory for one model, and tasks come and go: so the
 * model is loaded by the first task that needs it, and stays for the next ones.
 */
final class PipelineOfThisJvm {
    private static @Nullable BatchSettings settings;
    private static @Nullable StableDiffusionPipeline pipeline;
    private static boolean closesAtTheEnd;

    private PipelineOfThisJvm() {}

    /**
     * The pipeline of these settings. One that was loaded in another way is closed first.
     *
     * @throws io.tome4j.tensor.TomeException if it cannot be loaded
     */
    static synchronized StableDiffusionPipeline get(BatchSettings wanted) {
        if (pipeline != null && settings != null && settings.loadsAs(wanted)) {
            return pipeline;
        }
        close();
        if (!closesAtTheEnd) {
            Runtime.getRuntime().addShutdownHook(new Thread(PipelineOfThisJvm::close, "tome4j-close"));
            closesAtTheEnd = true;
        }
        StableDiffusionPipeline loaded =
                StableDiffusionPipeline.fromPretrained(wanted.model(), wanted.pipelineOptions());
        settings = wanted;
        pipeline = loaded;
        return loaded;
    }

    private static synchronized void close() {
        if (pipeline != null) {
            pipeline.close();
            pipeline = null;
        }
    }
}
