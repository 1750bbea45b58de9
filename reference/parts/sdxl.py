"""SDXL: tiny base model and refiner, what their stages give, and whole runs, with and without token merging."""

import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tomesd
import torch
from diffusers import (
    AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from parts.clip_vocabulary import tokenizer, vocabulary
from parts.common import FIXTURES, generator, write_json, write_tensors
from parts.robustness import first_steady_seed
from parts.scheduler_cases import CLASSES, NAME_SETTINGS
from parts.tiny_pipelines import BETAS, TINY_MERGES, calibrate, enliven, load

FOLDER = FIXTURES / "sdxl"
BASE = "tiny-sdxl"
REFINER = "tiny-sdxl-refiner"
STEADY = 1  # of 255
ROBOT = "a rusty robot's portrait, oil on canvas"
HARBOUR = "the harbour at night!! long exposure"
SCHEDULER = {
    **BETAS, "timestep_spacing": "leading", "steps_offset": 1, "prediction_type": "epsilon",
    "interpolation_type": "linear", "use_karras_sigmas": False,
}


def text_config(words: dict[str, int], activation: str, eos: int, **more: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=37, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=77, hidden_act=activation, bos_token_id=0, eos_token_id=eos, pad_token_id=1, **more)


def second_encoder(words: dict[str, int], eos: int, seed: int) -> CLIPTextModelWithProjection:
    model = CLIPTextModelWithProjection(text_config(words, "gelu", eos, projection_dim=24)).eval()
    enliven(model, seed)
    return model


def unet(seed: int, text_size: int, numbers: int) -> UNet2DConditionModel:
    model = UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, norm_num_groups=8, cross_attention_dim=text_size,
        block_out_channels=(16, 16, 24), layers_per_block=1, attention_head_dim=(2, 2, 3),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 2), use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=8, projection_class_embeddings_input_dim=24 + 8 * numbers,
    ).eval()
    enliven(model, seed)
    for name, parameter in model.named_parameters():
        if "attn2.to_out.0.weight" in name or "attn2.to_q.weight" in name:  # let the prompt matter
            parameter.mul_(2)
    drawn = generator(seed + 1)
    sample, text = torch.randn(2, 4, 16, 16, generator=drawn), torch.randn(2, 77, text_size, generator=drawn)
    added = {
        "text_embeds": torch.randn(2, 24, generator=drawn),
        "time_ids": torch.tensor([[128.0, 128, 0, 0, 128, 128][:numbers]] * 2),
    }
    calibrate(model.conv_out, model(sample, 500, text, added_cond_kwargs=added).sample, 0.9)
    return model


def vae(seed: int) -> AutoencoderKL:
    model = AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=128, scaling_factor=0.13025,
        block_out_channels=(8, 8, 16, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        latents_mean=[-1.6574, 1.886, -1.383, 2.5155], latents_std=[8.4927, 5.9022, 6.5498, 5.2299],
    ).eval()
    enliven(model, seed)
    latents = torch.randn(1, 4, 16, 16, generator=generator(seed + 1)) / 0.13025
    calibrate(model.decoder.conv_out, model.decode(latents).sample, 0.5)
    return model


def tiny_base() -> StableDiffusionXLPipeline:
    words = vocabulary(TINY_MERGES)
    first = CLIPTextModel(text_config(words.ids, "quick_gelu", 2)).eval()
    enliven(first, 31)
    return StableDiffusionXLPipeline(
        tokenizer=tokenizer(words), tokenizer_2=tokenizer(words, pad_token="!"), text_encoder=first,
        text_encoder_2=second_encoder(words.ids, 2, 32), unet=unet(33, 64, 6), vae=vae(34),
        scheduler=EulerDiscreteScheduler(**SCHEDULER), force_zeros_for_empty_prompt=True, add_watermarker=False,
    )


def tiny_refiner() -> StableDiffusionXLImg2ImgPipeline:
    """Its VAE has no means, and its second text encoder marks ends by their true id."""
    words = vocabulary(TINY_MERGES)
    plain_vae = vae(36)
    plain_vae.register_to_config(latents_mean=None, latents_std=None)
    return StableDiffusionXLImg2ImgPipeline(
        tokenizer=None, tokenizer_2=tokenizer(words, pad_token="!"), text_encoder=None,
        text_encoder_2=second_encoder(words.ids, words.ids["<|endoftext|>"], 35), unet=unet(37, 32, 5), vae=plain_vae,
        scheduler=EulerDiscreteScheduler(**SCHEDULER), force_zeros_for_empty_prompt=False,
        requires_aesthetics_score=True, add_watermarker=False,
    )


def loaded(name: str) -> Any:
    pipeline_class = StableDiffusionXLPipeline if name == BASE else StableDiffusionXLImg2ImgPipeline
    pipeline = pipeline_class.from_pretrained(FIXTURES / name, local_files_only=True, add_watermarker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@dataclass(frozen=True)
class Case:
    name: str
    scheduler: str  # a name of tome4j
    steps: int
    seed: int
    prompts: tuple[str, ...] = (ROBOT,)
    negative_prompt: str | None = None
    guidance_scale: float = 5.0
    width: int = 128
    height: int = 128
    images_per_prompt: int = 1
    scheduler_settings: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)  # of the call: prompt_2, original_size, ...
    tome: dict[str, Any] | None = None
    refiner_start: float | None = None
    model: str = BASE


CASES = [
    Case("euler-none", "euler", 5, 42),
    Case("euler-empty", "euler", 5, 42, negative_prompt=""),
    Case("ddim-negative", "ddim", 5, 43, negative_prompt="blurry, low quality", width=96, height=96),
    Case("dpmpp_2m-second_prompts", "dpmpp_2m_karras", 5, 44, (HARBOUR,), negative_prompt="bad", width=96,
         options={"prompt_2": "a red apple!! 42", "negative_prompt_2": "grey"}),
    Case("euler_a-sizes", "euler_a", 4, 45, width=96, height=96, negative_prompt="bad", images_per_prompt=2,
         options={"original_size": [1000, 37], "crops_coords_top_left": [3, 70], "target_size": [200, 300]}),
    Case("euler-negative_sizes", "euler", 4, 46, width=96, height=96, images_per_prompt=2,
         options={"original_size": [300, 512], "negative_original_size": [64, 80],
                  "negative_crops_coords_top_left": [5, 9], "negative_target_size": [72, 96]}),
    Case("euler-one_negative_size", "euler", 4, 46, width=96, height=96, options={"negative_original_size": [64, 80]}),
    Case("heun-odd", "heun", 4, 47, (HARBOUR,), width=136, height=120),
    Case("unipc-rescale", "unipc", 5, 48, negative_prompt="bad!", width=96, height=96, guidance_scale=9.0,
         options={"guidance_rescale": 0.7}),
    Case("pndm-prompts", "pndm", 4, 49, (ROBOT, HARBOUR), width=96, height=96, images_per_prompt=2),
    Case("turbo", "euler_a", 2, 50, guidance_scale=0.0, width=64, height=64,
         scheduler_settings={"timestep_spacing": "trailing"}),
    Case("lcm-unguided", "lcm", 4, 51, guidance_scale=1.0, width=96, height=96),
    Case("euler-tome_2", "euler", 4, 52, tome={"ratio": 0.5, "max_downsample": 2}),
    Case("euler_a-tome_4", "euler_a", 4, 53, (HARBOUR,), width=192, height=160, images_per_prompt=2,
         tome={"ratio": 0.4, "max_downsample": 4, "merge_mlp": True}),
    Case("ddim-tome_odd", "ddim", 4, 54, width=136, height=120, tome={"ratio": 0.5, "max_downsample": 2}),
    Case("refined", "euler", 10, 55, refiner_start=0.8),
    Case("refined-heun", "heun", 6, 56, width=96, height=120, refiner_start=0.6, negative_prompt="bad",
         options={"original_size": [300, 512]}),
    Case("refined-dpmpp_2m", "dpmpp_2m", 8, 57, (HARBOUR,), width=96, height=96, refiner_start=0.5, images_per_prompt=2),
    Case("ddim-inherits", "ddim", 4, 60, width=64, height=64,  # as the published base model's file says, for another scheduler
         scheduler_settings={"set_alpha_to_one": False, "skip_prk_steps": True}),
    Case("ddim-tome_4", "ddim", 3, 61, (ROBOT, HARBOUR), width=104, height=88,
         tome={"ratio": 0.3, "max_downsample": 4, "merge_crossattn": True}),
    Case("refined-eta", "ddim", 6, 62, width=64, height=72, refiner_start=0.6, options={"eta": 0.8}),
    Case("refined-pndm", "pndm", 7, 63, width=64, height=64, refiner_start=0.83, negative_prompt="", images_per_prompt=2),
    Case("refined-tome", "ddim", 8, 58, refiner_start=0.7, tome={"ratio": 0.5, "max_downsample": 2}),
]
SD1_RESCALED = Case(
    "sd1-rescale", "ddim", 4, 59, negative_prompt="bad", guidance_scale=9.0, width=96, height=96, images_per_prompt=2,
    options={"guidance_rescale": 0.6}, model="tiny-sd1")


def prepared(name: str, case: Case) -> Any:
    pipeline = load(name) if name == "tiny-sd1" else loaded(name)
    settings = NAME_SETTINGS.get(case.scheduler, {}) | case.scheduler_settings
    pipeline.scheduler = CLASSES[case.scheduler].from_config(pipeline.scheduler.config, **settings)
    return pipeline


def arguments(case: Case, numbers: torch.Generator) -> dict[str, Any]:
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in case.options.items()}
    for key in ("prompt_2", "negative_prompt_2"):
        if key in options:
            options[key] = [options[key]] * len(case.prompts)
    negative = None if case.negative_prompt is None else [case.negative_prompt] * len(case.prompts)
    return options | {
        "prompt": list(case.prompts), "negative_prompt": negative, "num_inference_steps": case.steps,
        "guidance_scale": case.guidance_scale, "num_images_per_prompt": case.images_per_prompt, "generator": numbers,
    }


def run(pipeline: Any, refiner: Any, case: Case, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    last: dict[str, torch.Tensor] = {}

    def keep(_pipeline: Any, _step: int, _timestep: Any, values: dict[str, torch.Tensor]) -> dict:
        last["latents"] = values["latents"].clone()
        return values

    torch.manual_seed(global_seed)
    for each in (pipeline, refiner):
        if each is not None:
            each.scheduler = type(each.scheduler).from_config(each.scheduler.config)
            if case.tome is not None:
                tomesd.apply_patch(each, **case.tome)
    call = arguments(case, generator(case.seed))
    size = {"width": case.width, "height": case.height}
    if refiner is None:
        pictures = pipeline(**call, **size, callback_on_step_end=keep).images
    else:
        latents = pipeline(**call, **size, denoising_end=case.refiner_start, output_type="latent").images
        pictures = refiner(**call, image=latents, denoising_start=case.refiner_start, callback_on_step_end=keep).images
    for each in (pipeline, refiner):
        if each is not None:
            tomesd.remove_patch(each)
    return np.stack([np.asarray(picture) for picture in pictures]), last["latents"]


def make_runs() -> None:
    latents: dict[str, torch.Tensor] = {}
    descriptions = []
    for case in [*CASES, SD1_RESCALED]:
        pipeline = prepared(case.model, case)
        refiner = None if case.refiner_start is None else prepared(REFINER, case)

        def pixels(seed: int) -> torch.Tensor:
            return torch.from_numpy(run(pipeline, refiner, case, seed)[0]).short()

        seed, moved = first_steady_seed(pipeline.unet, pixels, 1, STEADY)
        pictures, latents[case.name] = run(pipeline, refiner, case, seed)
        files = [f"{case.name}-{number}.png" for number in range(len(pictures))]
        for name, picture in zip(files, pictures):
            assert picture.std() > 20, f"{name} is flat"
            Image.fromarray(picture).save(FOLDER / name, optimize=True)
        descriptions.append(asdict(case) | {
            "scheduler_class": type(pipeline.scheduler).__name__, "global_seed": seed, "moved_by_shaking": int(moved),
            "images": files,
        })
    write_tensors(FOLDER / "latents.safetensors", latents)
    write_json(FOLDER / "cases.json", {"cases": descriptions})


def make_stages() -> None:
    """What the text encoders and the UNets give."""
    tensors: dict[str, torch.Tensor] = {}
    base, refiner = loaded(BASE), loaded(REFINER)
    texts = [ROBOT, HARBOUR, ""]
    for name, words, model in (
        ("first", base.tokenizer, base.text_encoder), ("second", base.tokenizer_2, base.text_encoder_2),
        ("refiner", refiner.tokenizer_2, refiner.text_encoder_2),
    ):
        ids = words(texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        output = model(ids, output_hidden_states=True)
        tensors[f"{name}.ids"] = ids
        tensors[f"{name}.hidden"] = output.hidden_states[-2]
        tensors[f"{name}.before"] = output.hidden_states[-3]
        if name != "first":
            tensors[f"{name}.pooled"] = output.text_embeds
    # texts that end late, and ids above the end marker's, as textual inversion has them
    odd = tensors["second.ids"].clone()
    odd[0, 3] = base.text_encoder_2.config.vocab_size - 1
    odd[1, 0] = base.text_encoder_2.config.vocab_size - 1
    tensors["odd.ids"] = odd
    tensors["odd.pooled"] = base.text_encoder_2(odd).text_embeds
    tensors["odd.refiner"] = refiner.text_encoder_2(odd).text_embeds
    for name, model, size, numbers in (("base", base.unet, 64, 6), ("refiner", refiner.unet, 32, 5)):
        drawn = generator(61)
        sample = torch.randn(2, 4, 12, 9, generator=drawn)
        text, pooled = torch.randn(2, 7, size, generator=drawn), torch.randn(2, 24, generator=drawn)
        ids = torch.tensor([[1000.0, 37, 3, 70, 2.5, 300][:numbers], [96.0, 128, 0, 0, 6, 128][:numbers]])
        tensors |= {
            f"unet.{name}.sample": sample, f"unet.{name}.text": text, f"unet.{name}.pooled": pooled,
            f"unet.{name}.time_ids": ids,
        }
        for timestep in (981, 1):
            tensors[f"unet.{name}.{timestep}"] = model(
                sample, timestep, text, added_cond_kwargs={"text_embeds": pooled, "time_ids": ids}).sample
    latents = torch.randn(1, 4, 6, 5, generator=generator(62))
    mean = torch.tensor(base.vae.config.latents_mean).view(1, 4, 1, 1)
    std = torch.tensor(base.vae.config.latents_std).view(1, 4, 1, 1)
    tensors["vae.latents"] = latents
    tensors["vae.image"] = base.vae.decode(latents * std / base.vae.config.scaling_factor + mean).sample
    write_tensors(FOLDER / "stages.safetensors", tensors)


def save(pipeline: Any, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    pipeline.save_pretrained(folder)


def make() -> None:
    save(tiny_base(), FIXTURES / BASE)
    save(tiny_refiner(), FIXTURES / REFINER)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    make_stages()
    make_runs()
