package io.tome4j.models.singlefile;

/** What a safetensors file is. */
public enum FileKind {
    /** A model with all parts, or with a UNet and some. */
    MODEL("a Stable Diffusion model", "--model takes it"),
    /** A UNet alone. */
    UNET("a UNet alone", "--model takes it, with --config FOLDER|ID for the other parts"),
    /** An autoencoder. */
    VAE("a VAE", "--vae takes it"),
    /** A tiny autoencoder. */
    TAESD("a tiny VAE (TAESD)", "it is no model of its own, but decodes images of one quickly"),
    /** A text encoder. */
    TEXT_ENCODER("a text encoder", "it is a part of a model, and no model of its own"),
    /** A low-rank adaptation, or one of its kin. */
    LORA("a LoRA", "it changes a model: --lora takes it, --model the model"),
    /** Embeddings for a prompt. */
    EMBEDDING("an embedding (textual inversion)", "--embedding takes it, --model the model"),
    /** A network that guides by an image. */
    CONTROLNET("a ControlNet", "it guides a model by an image: --controlnet takes it, --model the model"),
    /** A kin of ControlNet that is of a kind of its own. */
    OTHER_CONTROL("a control network of a special kind (Union, LLLite or ControlLoRA)", "this kind is not supported"),
    /** A small network that guides by an image. */
    T2I_ADAPTER("a T2I-Adapter", "it guides a model by an image: --t2i-adapter takes it, --model the model"),
    /** An image as a prompt. */
    IP_ADAPTER("an IP-Adapter", "it takes images as prompts: --ip-adapter takes it, --model the model"),
    /** A network that enlarges images. */
    UPSCALER("an upscaler (ESRGAN)", "it enlarges images: --hires-upscaler takes it, and tome upscale"),
    /** Another network that enlarges images. */
    OTHER_UPSCALER("an upscaler of another kind than ESRGAN", "this kind is not supported"),
    /** Stable Diffusion 3. */
    SD3("a Stable Diffusion 3 model", "this family is not supported yet: take a model of Stable Diffusion 1, 2 or XL"),
    /** Flux. */
    FLUX("a Flux model", "this family is not supported yet: take a model of Stable Diffusion 1, 2 or XL"),
    /** PixArt. */
    PIXART("a PixArt model", "this family is not supported yet: take a model of Stable Diffusion 1, 2 or XL"),
    /** None of these. */
    UNKNOWN(
            "none of the kinds of files that tome4j knows",
            "the names of its tensors are not those of a model of Stable" + " Diffusion");

    private final String title;
    private final String use;

    FileKind(String title, String use) {
        this.title = title;
        this.use = use;
    }

    /** In a sentence: {@code a LoRA}. */
    public String title() {
        return title;
    }

    /** What it is good for, or why for nothing: the end of a sentence. */
    public String use() {
        return use;
    }
}
