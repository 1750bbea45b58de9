"""Whole runs of the tiny pipelines that begin with an image: ten schedulers, several strengths, merged and not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tomesd
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image

from parts.common import FIXTURES, generator
from parts.images import HARBOUR, ROBOT, Case, make_runs
from parts.resampling import noisy

FOLDER = FIXTURES / "img2img"
SOURCE = "source.png"  # no side is a multiple of 8
SCHEDULERS = ("ddim", "dpmpp_2m", "dpmpp_2m_karras", "euler", "euler_a", "heun", "lcm", "lms", "pndm", "unipc")  # others: from_image.py


@dataclass(frozen=True)
class FromImage(Case):
    strength: float = 0.6
    resized: bool = False  # to width x height, by the caller; else the image's own size counts
    width: int = 72
    height: int = 56


CASES = [
    *(FromImage(f"sd1-{name}", "sd1", name, 5, 42 + number) for number, name in enumerate(SCHEDULERS)),
    FromImage("sd1-euler-strength_30", "sd1", "euler", 10, 7, strength=0.3),
    FromImage("sd1-pndm-strength_75", "sd1", "pndm", 6, 8, strength=0.75),
    FromImage("sd1-ddim-strength_100", "sd1", "ddim", 4, 9, strength=1.0),
    FromImage("sd1-heun-strength_29", "sd1", "heun", 10, 10, strength=0.29),
    FromImage("sd2-euler_a-two", "sd2", "euler_a", 5, 11, (HARBOUR,), images_per_prompt=2),
    FromImage("sd2-dpmpp_2m-prompts", "sd2", "dpmpp_2m", 5, 12, (ROBOT, HARBOUR), negative_prompt="bad!"),
    FromImage("sd1-lcm-unguided", "sd1", "lcm", 4, 13, guidance_scale=1.0),
    FromImage("sd1-euler-resized", "sd1", "euler", 5, 14, resized=True, width=96, height=64),
    FromImage("sd1-pndm-tome_50", "sd1", "pndm", 5, 15, resized=True, width=96, height=96, tome={"ratio": 0.5}),
    FromImage("sd1-euler_a-tome_odd", "sd1", "euler_a", 5, 16, tome={"ratio": 0.5, "max_downsample": 2}),
    FromImage("sd2-ddim-tome_all", "sd2", "ddim", 5, 17, resized=True, width=128, height=96,
              tome={"ratio": 0.5, "max_downsample": 2, "merge_crossattn": True, "merge_mlp": True}),
]


def source(name: str = SOURCE) -> Image.Image:
    return Image.open(FOLDER / name).convert("RGB")


def run_from(pipeline: Any, case: Case, global_seed: int, **arguments) -> tuple[np.ndarray, torch.Tensor]:
    """As images.run, with what else the pipeline takes."""
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    last: dict[str, torch.Tensor] = {}

    def keep_latents(_pipeline: Any, _step: int, _timestep: Any, values: dict[str, torch.Tensor]) -> dict:
        last["latents"] = values["latents"].clone()
        return values

    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(pipeline, **case.tome)
    pictures = pipeline(
        list(case.prompts), negative_prompt=[case.negative_prompt] * len(case.prompts),
        num_inference_steps=case.steps, guidance_scale=case.guidance_scale,
        num_images_per_prompt=case.images_per_prompt, generator=generator(case.seed),
        callback_on_step_end=keep_latents, **arguments,
    ).images
    tomesd.remove_patch(pipeline)
    return np.stack([np.asarray(picture) for picture in pictures]), last["latents"]


def run(pipeline: StableDiffusionPipeline, case: FromImage, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    start = noisy(77, 61, 21)
    if case.resized:
        start = start.resize((case.width, case.height), Image.Resampling.LANCZOS)
    from_image = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    return run_from(from_image, case, global_seed, image=start, strength=case.strength)


def make() -> None:
    make_runs(FOLDER, CASES, run)
    noisy(77, 61, 21).save(FOLDER / SOURCE, optimize=True)
