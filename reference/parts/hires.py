"""Whole runs of two passes: a first image, enlarged as latents or as pixels, and image-to-image over it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tomesd
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image
from torch.nn import functional

from parts import upscalers
from parts.common import FIXTURES, generator
from parts.images import HARBOUR, Case, make_runs

LATENT: dict[str, dict[str, Any]] = {
    "latent": {"mode": "bilinear"},
    "latent_antialiased": {"mode": "bilinear", "antialias": True},
    "latent_bicubic": {"mode": "bicubic"},
    "latent_bicubic_antialiased": {"mode": "bicubic", "antialias": True},
    "latent_nearest": {"mode": "nearest"},
    "latent_nearest_exact": {"mode": "nearest-exact"},
}


@dataclass(frozen=True)
class TwoPasses(Case):
    factor: float = 2.0
    upscaler: str = "latent"
    hires_steps: int = 0
    hires_strength: float = 0.7
    hires_ratio: float | None = None
    width: int = 64
    height: int = 48


CASES = [
    TwoPasses("latent", "sd1", "euler", 4, 61),
    TwoPasses("antialiased", "sd1", "ddim", 4, 62, upscaler="latent_antialiased", factor=1.5, hires_strength=0.55),
    TwoPasses("bicubic-ancestral", "sd1", "euler_a", 4, 63, upscaler="latent_bicubic", hires_steps=3),
    TwoPasses("bicubic_antialiased-heun", "sd1", "heun", 3, 64, upscaler="latent_bicubic_antialiased", factor=1.3),
    TwoPasses("nearest-pndm", "sd1", "pndm", 5, 65, upscaler="latent_nearest", hires_steps=4),
    TwoPasses("nearest_exact-two", "sd2", "dpmpp_2m", 4, 66, (HARBOUR,), upscaler="latent_nearest_exact", factor=1.7,
              images_per_prompt=2),
    TwoPasses("lanczos", "sd1", "euler", 4, 67, upscaler="lanczos", hires_strength=0.4),
    TwoPasses("pixels-two", "sd1", "euler_a", 3, 68, upscaler="nearest", factor=1.5, images_per_prompt=2),
    TwoPasses("latent-tome", "sd1", "euler", 3, 69, width=64, height=64, hires_steps=2, tome={"ratio": 0.5}),
    TwoPasses("lanczos-tome_first", "sd1", "ddim", 3, 70, width=64, height=64, upscaler="lanczos", hires_steps=2,
              tome={"ratio": 0.5}, hires_ratio=0.0),
    TwoPasses("network", "sd1", "euler", 4, 71, upscaler="real-2x", hires_strength=0.5),
    TwoPasses("network-two", "sd1", "euler", 3, 73, upscaler="first-2x", factor=1.5, images_per_prompt=2, hires_strength=0.5),
]


def run(pipeline: StableDiffusionPipeline, case: TwoPasses, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    last: dict[str, torch.Tensor] = {}

    def keep_latents(_pipeline: Any, _step: int, _timestep: Any, values: dict[str, torch.Tensor]) -> dict:
        last["latents"] = values["latents"].clone()
        return values

    numbers = generator(case.seed)
    arguments = dict(
        prompt=list(case.prompts), negative_prompt=[case.negative_prompt] * len(case.prompts),
        guidance_scale=case.guidance_scale, num_images_per_prompt=case.images_per_prompt, generator=numbers)
    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(pipeline, **case.tome)
    pixels = case.upscaler not in LATENT
    first = pipeline(
        **arguments, num_inference_steps=case.steps, width=case.width, height=case.height,
        output_type="pil" if pixels else "latent").images
    height, width = int(case.height // 8 * case.factor), int(case.width // 8 * case.factor)
    if case.upscaler in upscalers.FILES:
        first = [upscalers.enlarged(upscalers.net(case.upscaler), image, (8 * width, 8 * height)) for image in first]
    elif pixels:
        first = [image.resize((8 * width, 8 * height), Image.Resampling[case.upscaler.upper()]) for image in first]
    else:
        first = functional.interpolate(first, size=(height, width), **LATENT[case.upscaler])
    if case.hires_ratio is not None:
        tomesd.apply_patch(pipeline, **(case.tome | {"ratio": case.hires_ratio}))
    steps = case.hires_steps or case.steps
    total = max(steps, int(steps / min(case.hires_strength, 0.999)))
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    second = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    second.set_progress_bar_config(disable=True)
    pictures = second(
        **arguments, image=first, num_inference_steps=total, strength=min(1.0, (steps + 0.5) / total),
        callback_on_step_end=keep_latents).images
    tomesd.remove_patch(pipeline)
    return np.stack([np.asarray(picture) for picture in pictures]), last["latents"]


def make() -> None:
    make_runs(FIXTURES / "hires", CASES, run)
