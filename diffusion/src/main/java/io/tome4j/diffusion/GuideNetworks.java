package io.tome4j.diffusion;

import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.ControlNetModel;
import io.tome4j.models.unet.T2IAdapterModel;
import java.util.List;

/** The networks that guide a pipeline's model by images, as far as requests named them. Owns them. */
final class GuideNetworks implements AutoCloseable {
    private final ControlNets controlNets;
    private final T2IAdapters t2iAdapters;
    private final IPAdapters ipAdapters;

    /** @param stages whose model they guide */
    GuideNetworks(Stages stages) {
        this.controlNets = new ControlNets(stages);
        this.t2iAdapters = new T2IAdapters(stages);
        this.ipAdapters = new IPAdapters(stages);
    }

    /**
     * Those of a request, loaded.
     *
     * @param nets in the order of {@link Request#controls}
     * @param adapters in the order of {@link Request#t2iAdapters}
     * @param prompting in the order of {@link Request#ipAdapters}
     */
    record Opened(List<ControlNetModel> nets, List<T2IAdapterModel> adapters, List<IPAdapters.Opened> prompting) {
        /** Whether there is none. */
        boolean isEmpty() {
            return nets.isEmpty() && adapters.isEmpty() && prompting.isEmpty();
        }

        /** The model whose blocks are to merge. */
        MergeableModel merged(MergeableModel model, Request request) {
            return request.mergeControlnet() && !nets.isEmpty() ? new WithControlNets(model, nets) : model;
        }

        /**
         * @param request with its size set
         * @throws io.tome4j.tensor.OptionException if an image or the size is none that a network can go by
         */
        void requireFit(Request request) {
            T2IAdapters.requireFit(adapters, request);
        }

        /**
         * The denoiser of a pass, steered by these.
         *
         * @param request of the pass, with its size set
         * @param text what it is conditioned on
         * @param steps of the scheduler in this pass
         * @param calls of the denoiser in it
         */
        Denoiser steer(Denoiser denoiser, Request request, TextTimeline text, int steps, int calls) {
            if (isEmpty()) {
                return denoiser;
            }
            int prompted = request.images() * text.composition().parts();
            Controls controls = new Controls(
                    Controls.embedded(nets, request.controls(), request.width(), request.height()),
                    prompted,
                    calls,
                    request.guessMode(),
                    request.mergeControlnet());
            boolean isXl = denoiser.unetConfig()
                    .filter(unet -> unet.textTime().isPresent())
                    .isPresent();
            return denoiser.steered(new Steering(
                    controls,
                    T2IAdapters.features(adapters, request, new AdapterFeatures.Steps(steps, !isXl)),
                    IPAdapters.prompts(prompting, request.ipAdapters(), prompted)));
        }
    }

    /**
     * Loads those of a request that are not yet loaded; of each kind, those that it does not name are freed if it names any.
     *
     * @throws io.tome4j.tensor.TomeException if one cannot be had or loaded, is of a kind that is not supported, or for another
     *     model
     */
    Opened open(Request request) {
        return new Opened(
                controlNets.open(request.controls()),
                t2iAdapters.open(request.t2iAdapters()),
                ipAdapters.open(request.ipAdapters()));
    }

    /** Bytes of the weights of those that are loaded. */
    long weightBytes() {
        return controlNets.weightBytes() + t2iAdapters.weightBytes() + ipAdapters.weightBytes();
    }

    /**
     * Bytes that what they give takes beside a pass of the denoiser, about.
     *
     * @param rows of the pass's batch
     */
    long besidePass(Request request, long rows, TokenGrid latents) {
        return controlNets.residualBytes(request.controls(), rows, latents)
                + t2iAdapters.featureBytes(
                        request.t2iAdapters(),
                        latents.width() * Request.PIXELS_PER_LATENT,
                        latents.height() * Request.PIXELS_PER_LATENT);
    }

    @Override
    public void close() {
        controlNets.close();
        t2iAdapters.close();
        ipAdapters.close();
    }
}
