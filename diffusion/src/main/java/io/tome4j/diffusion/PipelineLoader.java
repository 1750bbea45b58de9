package io.tome4j.diffusion;

import io.tome4j.checkpoint.CheckpointFolder;
import io.tome4j.checkpoint.CheckpointSource;
import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.DownloadListener;
import io.tome4j.checkpoint.FetchOptions;
import io.tome4j.checkpoint.HubSettings;
import io.tome4j.diffusion.StableDiffusionPipeline.Components;
import io.tome4j.diffusion.scheduler.Schedulers;
import io.tome4j.models.text.ClipTextModel;
import io.tome4j.models.text.ClipTokenizer;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.models.vae.AutoencoderKL;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TomeException;
import io.tome4j.tensor.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/** Loads what a pipeline is made of; if one part fails, those before it are freed. */
final class PipelineLoader {
    private final CheckpointFolder checkpoint;
    private final Placement placement;
    private final PipelineOptions options;

    private PipelineLoader(CheckpointFolder checkpoint, Placement placement, PipelineOptions options) {
        this.checkpoint = checkpoint;
        this.placement = placement;
        this.options = options;
    }

    static Components load(String model, PipelineOptions options, DownloadListener listener) {
        // First the placement: an impossible one should be said before gigabytes are downloaded.
        Placement placement = Placement.choose(options.device(), options.dtype());
        CheckpointFolder checkpoint = CheckpointSource.resolve(
                model,
                StableDiffusionFiles.KINDS,
                new FetchOptions(options.revision(), options.variant()),
                HubSettings.fromEnvironment(),
                listener);
        return new PipelineLoader(checkpoint, placement, options).components(name(model, checkpoint));
    }

    /** A model of the hub is called by its id, a folder by its own name. */
    private static String name(String model, CheckpointFolder checkpoint) {
        Path folder = Path.of(model);
        return Files.isDirectory(folder)
                ? String.valueOf(checkpoint.path().toAbsolutePath().normalize().getFileName())
                : model;
    }

    /** First all that is small, so that what is wrong there is said before gigabytes are read. */
    private Components components(String name) {
        Config schedulerConfig = checkpoint.component("scheduler").config();
        Schedulers.fromConfig(schedulerConfig);
        for (String component : new String[] {"tokenizer", "text_encoder", "unet", "vae"}) {
            checkpoint.component(component);
        }
        Deque<AutoCloseable> loaded = new ArrayDeque<>();
        try {
            ClipTokenizer tokenizer =
                    ClipTokenizer.of(checkpoint.component("tokenizer").path());
            loaded.push(tokenizer);
            ClipTextModel textEncoder =
                    ClipTextModel.of(weights("text_encoder"), config("text_encoder"), options.attention());
            loaded.push(textEncoder);
            UNet2DConditionModel unet = UNet2DConditionModel.of(weights("unet"), config("unet"), options.attention());
            loaded.push(unet);
            AutoencoderKL vae = AutoencoderKL.of(weights("vae"), config("vae"));
            loaded.push(vae);
            requireToFit(tokenizer, textEncoder, unet, vae);
            return new Components(name, options, placement, tokenizer, textEncoder, unet, vae, schedulerConfig);
        } catch (RuntimeException e) {
            loaded.forEach(part -> close(part, e));
            throw e;
        }
    }

    private Config config(String component) {
        return checkpoint.component(component).config();
    }

    private Weights weights(String component) {
        return Weights.of(checkpoint.component(component).weights(), placement);
    }

    private static void close(AutoCloseable part, RuntimeException reason) {
        try {
            part.close();
        } catch (Exception e) {
            reason.addSuppressed(e);
        }
    }

    private void requireToFit(
            ClipTokenizer tokenizer, ClipTextModel textEncoder, UNet2DConditionModel unet, AutoencoderKL vae) {
        if (textEncoder.hiddenSize() != unet.crossAttentionDim()) {
            throw mismatch("the text encoder gives embeddings of size " + textEncoder.hiddenSize()
                    + ", and the UNet's 'cross_attention_dim' is " + unet.crossAttentionDim());
        }
        if (vae.latentChannels() != unet.inChannels()) {
            throw mismatch("the VAE has " + vae.latentChannels() + " latent channels, and the UNet's 'in_channels' is "
                    + unet.inChannels() + " (models for inpainting and the like are not supported)");
        }
        if (vae.scale() != Request.PIXELS_PER_LATENT) {
            throw mismatch("the VAE has " + vae.scale() + " pixels a latent where Stable Diffusion has 8");
        }
        if (tokenizer.maxLength() > textEncoder.maxPositionEmbeddings()) {
            throw mismatch("the tokenizer gives " + tokenizer.maxLength() + " tokens, and the text encoder takes "
                    + textEncoder.maxPositionEmbeddings());
        }
    }

    private TomeException mismatch(String what) {
        return new TomeException("The parts of " + checkpoint.path() + " do not fit together: " + what + ".");
    }
}
