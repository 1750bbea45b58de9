package io.tome4j.server;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What real clients send, as their sources have it, with numbers that suit a tiny model.
 *
 * @param client which one
 * @param schema its name in openapi.json
 */
public record Recorded(String client, String path, String schema, String answerSchema, String body) {
    public static final Map<String, Recorded> ALL = new LinkedHashMap<>();

    static {
        webUi(
                "open-webui",
                """
                {"prompt": "a cat", "batch_size": 1, "width": 64, "height": 64, "steps": 2, "negative_prompt": ""}""");
        webUi(
                "SillyTavern",
                """
                {"url": "http://127.0.0.1:7860", "auth": "", "prompt": "a cat, best quality", "negative_prompt": "lowres",
                 "sampler_name": "DPM++ 2M", "scheduler": "Automatic", "steps": 2, "cfg_scale": 7, "width": 64, "height": 64,
                 "restore_faces": false, "enable_hr": false, "hr_upscaler": "None", "hr_scale": 1.5,
                 "hr_additional_steps": 0, "hr_second_pass_steps": 0, "denoising_strength": 0.7, "seed": -1,
                 "override_settings": {"CLIP_stop_at_last_layers": 1, "sd_vae": "Automatic"},
                 "override_settings_restore_afterwards": true, "clip_skip": 1, "save_images": true, "send_images": true,
                 "do_not_save_grid": false, "do_not_save_samples": false}""");
        webUi(
                "LibreChat",
                """
                {"prompt": "a cat", "negative_prompt": "dog", "cfg_scale": 4.5, "steps": 2, "width": 64, "height": 64}""");
        webUi(
                "webuiapi",
                """
                {"enable_hr": false, "hr_scale": 2, "hr_upscaler": "Latent", "hr_second_pass_steps": 0, "hr_resize_x": 0,
                 "hr_resize_y": 0, "hr_checkpoint_name": null, "hr_sampler_name": null, "hr_scheduler": null,
                 "hr_prompt": "", "hr_negative_prompt": "", "denoising_strength": 0.7, "firstphase_width": 0,
                 "firstphase_height": 0, "prompt": "a cat", "styles": [], "seed": 7, "subseed": -1, "subseed_strength": 0.0,
                 "seed_resize_from_h": 0, "seed_resize_from_w": 0, "batch_size": 1, "n_iter": 1, "steps": 2,
                 "cfg_scale": 7.0, "width": 64, "height": 64, "restore_faces": false, "tiling": false,
                 "do_not_save_samples": false, "do_not_save_grid": false, "negative_prompt": "", "eta": 1.0, "s_churn": 0,
                 "s_tmax": 0, "s_tmin": 0, "s_noise": 1, "override_settings": {},
                 "override_settings_restore_afterwards": true, "sampler_name": "Euler a", "scheduler": "automatic",
                 "script_name": null, "script_args": [], "sampler_index": "Euler a", "use_deprecated_controlnet": false,
                 "send_images": true, "save_images": false,
                 "alwayson_scripts": {"ControlNet": {"args": [{"image": "", "mask": null, "module": "none", "model": "None",
                 "weight": 1.0, "resize_mode": "Resize and Fill", "low_vram": false, "processor_res": 512, "threshold_a": 64,
                 "threshold_b": 64, "guidance_start": 0.0, "guidance_end": 1.0, "control_mode": "Balanced",
                 "pixel_perfect": false, "hr_option": "Both", "enabled": false}]}}}""");
        webUi(
                "Dify",
                """
                {"prompt": "a cat", "negative_prompt": "", "steps": 2, "width": 64, "height": 64,
                 "override_settings": {"sd_model_checkpoint": "tiny-sd1 [0123456789]"}, "sampler_name": "Euler",
                 "scheduler": "Automatic", "cfg_scale": 7}""");
        openAi(
                "open-webui",
                """
                {"model": "dall-e-2", "prompt": "a cat", "n": 1, "size": "64x64", "response_format": "b64_json"}""");
        openAi(
                "LibreChat",
                """
                {"model": "gpt-image-1", "prompt": "a cat", "background": "auto", "quality": "auto", "size": "auto", "n": 1,
                 "output_format": "png"}""");
        openAi(
                "langchain4j",
                """
                {"model": "gpt-image-1-mini", "prompt": "a cat", "n": 1, "size": "64x64", "moderation": "low"}""");
        openAi(
                "Spring AI",
                """
                {"model": "gpt-image-1-mini", "prompt": "a cat", "n": 1, "quality": "standard", "response_format": "b64_json",
                 "size": "64x64", "style": "vivid", "user": "me"}""");
        openAi(
                "openai-python with extra_body",
                """
                {"model": "gpt-image-1", "prompt": "a cat", "size": "64x64", "num_inference_steps": 2, "seed": 5,
                 "token_merging": {"ratio": 0.5, "method": "todo"}}""");
    }

    private static void webUi(String client, String body) {
        put(new Recorded(client, "/sdapi/v1/txt2img", "Txt2ImgRequest", "Txt2ImgAnswer", body));
    }

    private static void openAi(String client, String body) {
        put(new Recorded(client, "/v1/images/generations", "ImagesRequest", "ImagesAnswer", body));
    }

    private static void put(Recorded request) {
        ALL.put(request.client() + " " + request.path(), request);
    }

    @Override
    public String toString() {
        return client + " " + path;
    }
}
