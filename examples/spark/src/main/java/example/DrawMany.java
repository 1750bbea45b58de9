package example;

import io.tome4j.diffusion.Request;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.spark.BatchSettings;
import io.tome4j.spark.TomeBatch;
import java.util.List;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;

/** Images of several prompts by Spark, as PNG files. Started again, it makes only what is not there. */
public final class DrawMany {
    public static void main(String[] args) {
        SparkSession spark = SparkSession.builder().config("spark.ui.enabled", "false").getOrCreate();
        var prompts = spark.createDataset(List.of("a red apple", "a goat", "a lighthouse"), Encoders.STRING())
                .toDF("prompt")
                .selectExpr("prompt as key", "prompt");
        BatchSettings settings =
                BatchSettings.of(args[0]).option(Request.STEPS, 20).merging(ToMeOptions.ratio(0.5));
        long added = TomeBatch.of(settings).run(prompts, args[1], TomeBatch.Images.AS_FILES);
        System.out.println(added + " images added to " + args[1]);
        spark.stop();
    }
}
