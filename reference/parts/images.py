"""Whole runs of the tiny pipelines, from prompt to picture, with and without token merging."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tomesd
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from parts.common import FIXTURES, generator, write_json, write_tensors
from parts.robustness import first_steady_seed
from parts.scheduler_cases import CLASSES, NAME_SETTINGS
from parts.schedulers import plain_config
from parts.tiny_pipelines import load

FIRST_GLOBAL_SEED = 1
STEADY = 1  # of 255
ROBOT = "a rusty robot's portrait, oil on canvas"
HARBOUR = "the harbour at night!! long exposure"


@dataclass(frozen=True)
class Case:
    name: str
    pipeline: str
    scheduler: str  # a name of tome4j
    steps: int
    seed: int
    prompts: tuple[str, ...] = (ROBOT,)
    negative_prompt: str = ""
    guidance_scale: float = 7.5
    width: int = 128
    height: int = 128
    images_per_prompt: int = 1
    scheduler_settings: dict[str, Any] = field(default_factory=dict)
    tome: dict[str, Any] | None = None


CASES = [
    Case("sd1-pndm", "sd1", "pndm", 6, 42),
    Case("sd1-ddim-negative", "sd1", "ddim", 5, 7, width=96, height=96, negative_prompt="blurry, low quality", guidance_scale=5.0),
    Case("sd1-euler-wide", "sd1", "euler", 5, 8, (HARBOUR,), width=192),
    Case("sd1-euler_a-two", "sd1", "euler_a", 4, 9, images_per_prompt=2, width=96, height=96),
    Case("sd1-lcm-unguided", "sd1", "lcm", 4, 10, width=96, height=96, guidance_scale=1.0),
    Case("sd1-dpmpp_2m_karras-odd", "sd1", "dpmpp_2m_karras", 6, 11, width=136, height=120),
    Case("sd2-ddim", "sd2", "ddim", 6, 12, (HARBOUR,), guidance_scale=5.0),
    Case("sd2-heun-prompts", "sd2", "heun", 4, 13, (ROBOT, HARBOUR), negative_prompt="bad!", width=96, height=96),
    Case("sd2-unipc-trailing", "sd2", "unipc", 5, 14, width=96, height=96, scheduler_settings={"timestep_spacing": "trailing"}),
    Case("sd2-lms", "sd2", "lms", 5, 15, guidance_scale=1.0, width=96, height=128),
    Case("sd1-pndm-tome_50", "sd1", "pndm", 5, 42, tome={"ratio": 0.5}),
    Case("sd1-euler_a-tome_75", "sd1", "euler_a", 4, 16, width=96, height=96, tome={"ratio": 0.75, "max_downsample": 2}),
    Case("sd1-dpmpp_2m-tome_odd", "sd1", "dpmpp_2m", 5, 17, (HARBOUR,), width=136, height=120, tome={"ratio": 0.5}),
    Case("sd1-lcm-tome_unguided", "sd1", "lcm", 4, 18, width=96, height=96, guidance_scale=1.0, tome={"ratio": 0.5, "max_downsample": 4}),
    Case("sd2-ddim-tome_all", "sd2", "ddim", 4, 19, (HARBOUR,), width=96, height=96,
         tome={"ratio": 0.5, "max_downsample": 2, "merge_crossattn": True, "merge_mlp": True}),
    Case("sd2-euler-tome_no_rand", "sd2", "euler", 4, 20, width=96, height=128, images_per_prompt=2,
         tome={"ratio": 0.5, "use_rand": False, "max_downsample": 4}),
]


def prepared(case: Case) -> StableDiffusionPipeline:
    pipeline = load(f"tiny-{case.pipeline}")
    settings = NAME_SETTINGS.get(case.scheduler, {}) | case.scheduler_settings
    pipeline.scheduler = CLASSES[case.scheduler].from_config(pipeline.scheduler.config, **settings)
    return pipeline


def run(pipeline: StableDiffusionPipeline, case: Case, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    """Pictures [n, H, W, 3] of bytes and the last latents; the scheduler is made anew, since some keep state."""
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    last: dict[str, torch.Tensor] = {}

    def keep_latents(_pipeline: Any, _step: int, _timestep: Any, values: dict[str, torch.Tensor]) -> dict:
        last["latents"] = values["latents"].clone()
        return values

    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(pipeline, **case.tome)
    pictures = pipeline(
        list(case.prompts),
        negative_prompt=[case.negative_prompt] * len(case.prompts),
        num_inference_steps=case.steps, guidance_scale=case.guidance_scale, width=case.width, height=case.height,
        num_images_per_prompt=case.images_per_prompt, generator=generator(case.seed),
        callback_on_step_end=keep_latents,
    ).images
    tomesd.remove_patch(pipeline)
    return np.stack([np.asarray(picture) for picture in pictures]), last["latents"]


def no_more(_pipeline: StableDiffusionPipeline, _case: Case) -> dict[str, Any]:
    return {}


def make_runs(
    folder: Path,
    cases: list[Case],
    run: Callable[[StableDiffusionPipeline, Any, int], tuple[np.ndarray, torch.Tensor]],
    more: Callable[[StableDiffusionPipeline, Any], dict[str, Any]] = no_more,
) -> None:
    """A fresh folder with the images and latents of cases, and what each was made from; `more` is said of each besides."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    latents: dict[str, torch.Tensor] = {}
    descriptions = []
    for case in cases:
        pipeline = prepared(case)
        seed, moved = first_steady_seed(
            pipeline.unet, lambda seed: torch.from_numpy(run(pipeline, case, seed)[0]).short(), FIRST_GLOBAL_SEED, STEADY)
        pictures, latents[case.name] = run(pipeline, case, seed)
        files = [f"{case.name}-{number}.png" for number in range(len(pictures))]
        for name, picture in zip(files, pictures):
            assert picture.std() > 20, f"{name} is flat"
            Image.fromarray(picture).save(folder / name, optimize=True)
        descriptions.append(
            asdict(case)
            | {
                "pipeline": f"tiny-{case.pipeline}",
                "scheduler_class": type(pipeline.scheduler).__name__,
                "scheduler_config": plain_config(dict(pipeline.scheduler.config)),
                "global_seed": seed,
            }
            | more(pipeline, case)
            | {"moved_by_shaking": int(moved), "images": files}
        )
    write_tensors(folder / "latents.safetensors", latents)
    write_json(folder / "cases.json", {"cases": descriptions})


def make() -> None:
    make_runs(FIXTURES / "images", CASES, run)
