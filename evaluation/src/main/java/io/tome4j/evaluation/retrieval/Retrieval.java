package io.tome4j.evaluation.retrieval;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.diffusion.StepListener;
import io.tome4j.emoji.Motifs;
import io.tome4j.emoji.Motifs.Motif;
import io.tome4j.evaluation.retrieval.MotifBank.Match;
import io.tome4j.evaluation.run.ResultKey;
import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.evaluation.run.ResultStore.Finished;
import io.tome4j.evaluation.run.Savings;
import io.tome4j.evaluation.run.SettingRun;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;

/**
 * Whether a model draws what it is asked for:
 *
 * <ol>
 *   <li>Motifs are drawn by the seed, without replacement. A longer draw begins with the shorter ones.
 *   <li>Each is asked for by its name, on white, which is the background of a prompt that names none.
 *   <li>Each image is looked up among all motifs, {@link MotifBank}.
 * </ol>
 */
public final class Retrieval {
    private final Motifs motifs;
    private final List<Sample> samples;
    private final Optional<Drawings> drawings;
    private final Request template;

    /**
     * One image to make.
     *
     * @param index from 0
     * @param motif the motif's index among all
     * @param name what the motif is called
     * @param file what to call the image's file, without its ending
     * @param request what to generate
     */
    public record Sample(int index, int motif, String name, String file, Request request) {}

    /**
     * One image looked up.
     *
     * @param sample what it should show
     * @param rank how many motifs are nearer to it than that: 0 is best
     * @param nearest the name of the nearest motif
     * @param thumbnailDifference from the right motif's thumbnail: the mean colour difference (CIE 1976) of 64 x 64 pixels
     * @param drawingDifference from the right motif's drawing, of all pixels; empty without drawings
     * @param making how long the image took; empty for one that was in the store
     */
    public record Row(
            Sample sample,
            int rank,
            String nearest,
            double thumbnailDifference,
            OptionalDouble drawingDifference,
            Optional<Duration> making) {}

    /** Told of the run as it goes on. */
    public interface Listener extends StepListener {
        /**
         * Called after each image.
         *
         * @param image as it was generated
         */
        void onImage(Row row, BufferedImage image);
    }

    /**
     * @param samples how many motifs to draw, from 1 to all
     * @param seed draws the motifs; each image has this plus its index as its own
     * @param template how to draw: steps, guidance scale, scheduler, negative prompt and size; the rest is not used
     * @throws IllegalArgumentException if there are not so many motifs, or the template's size cannot be compared
     */
    public Retrieval(Motifs motifs, int samples, long seed, Request template) {
        this(motifs, samples, seed, template, Optional.empty());
    }

    /**
     * As {@link #Retrieval(Motifs, int, long, Request)}, and compares each image with the motif's drawing, too.
     *
     * @param drawings of these motifs; whoever opened them closes them
     */
    public Retrieval(Motifs motifs, int samples, long seed, Request template, Optional<Drawings> drawings) {
        if (samples < 1 || samples > motifs.all().size()) {
            throw new OptionException("{samples} is " + samples + ": it must be from 1 to "
                    + motifs.all().size() + ", which is how many motifs there are");
        }
        if (template.width() != 0 && template.height() != 0) {
            Images.requireComparable(template.width(), template.height());
        }
        this.motifs = motifs;
        this.template = template;
        this.drawings = drawings;
        this.samples = new ArrayList<>();
        for (int motif : draw(motifs.all().size(), samples, seed)) {
            int index = this.samples.size();
            Motif wanted = motifs.all().get(motif);
            Request request = template.prompts(List.of(wanted.prompt()))
                    .imagesPerPrompt(1)
                    .seed(seed + index);
            String file = String.format(Locale.ROOT, "%04d-%s", index, wanted.id());
            this.samples.add(new Sample(index, motif, wanted.name(), file, request));
        }
    }

    /**
     * Draws without replacement, the first steps of a Fisher-Yates shuffle: the i-th draw (from 0) swaps place i with
     * place {@code i + new Random(seed).nextInt(count - i)} of the numbers in order, one generator for all. Java
     * specifies {@link Random} to the bit, so the draw is the same on every machine.
     *
     * @return {@code draws} different numbers from 0 to {@code count - 1}
     */
    public static List<Integer> draw(int count, int draws, long seed) {
        int[] numbers = new int[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = i;
        }
        Random random = new Random(seed);
        List<Integer> drawn = new ArrayList<>();
        for (int i = 0; i < draws; i++) {
            int j = i + random.nextInt(count - i);
            drawn.add(numbers[j]);
            numbers[j] = numbers[i];
        }
        return drawn;
    }

    /** What is to be made. */
    public List<Sample> samples() {
        return List.copyOf(samples);
    }

    /**
     * Makes the images that are not in the store, and looks all up.
     *
     * @param merging how to merge
     * @param store of images of this template; what it keeps is told apart by prompt, seed and merging
     * @return the rows in the order of the samples
     * @throws TomeException if the size is left to a model whose own cannot be compared, or the store holds images of
     *     another retrieval
     * @throws java.util.concurrent.CancellationException if the listener stopped the run; the store keeps what was
     *     finished
     */
    public RetrievalResult run(
            StableDiffusionPipeline pipeline, ToMeOptions merging, ResultStore store, Listener listener) {
        TokenGrid grid = template.latentGrid(pipeline.nominalGrid());
        int width = grid.width() * Request.PIXELS_PER_LATENT;
        int height = grid.height() * Request.PIXELS_PER_LATENT;
        try {
            Images.requireComparable(width, height);
        } catch (IllegalArgumentException e) {
            throw new TomeException(
                    "The images of " + pipeline.modelName() + " cannot be looked up: " + e.getMessage()
                            + ". Ask for such a size.",
                    e);
        }
        MotifBank bank = MotifBank.of(motifs);
        SettingRun run = new SettingRun(pipeline, listener);
        Savings savings = Savings.of(merging);
        List<Row> rows = new ArrayList<>();
        for (Sample sample : samples) {
            Request request = sample.request().size(width, height);
            Finished finished = store.findOrMake(
                    ResultKey.of(sample.file(), request, savings), false, () -> run.make(request, savings));
            BufferedImage image = finished.kept().image();
            Match match = bank.match(image, sample.motif());
            Row row = new Row(
                    sample,
                    match.rank(),
                    motifs.all().get(match.nearest()).name(),
                    match.difference(),
                    drawings.map(all -> OptionalDouble.of(all.difference(image, sample.motif())))
                            .orElse(OptionalDouble.empty()),
                    finished.making());
            rows.add(row);
            listener.onImage(row, image);
        }
        return new RetrievalResult(width, height, rows);
    }
}
