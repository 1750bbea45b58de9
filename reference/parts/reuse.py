"""Whole runs that leave steps out: deep features reused between steps (DeepCache), guidance in part of the steps."""

import ast
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomesd
import torch
from DeepCache import DeepCacheSDHelper
from diffusers import StableDiffusionPipeline

from parts.common import FIXTURES, generator, write_json_lines
from parts.images import HARBOUR, ROBOT, Case, make_runs


@dataclass(frozen=True)
class ReuseCase(Case):
    width: int = 64
    height: int = 64
    every: int = 1
    branch: int = 0
    center: int | None = None  # of a non-uniform schedule: the step around which passes are dense; None is uniform
    power: float | None = None
    guidance_from: float = 0.0
    guidance_to: float = 1.0


CASES = [
    ReuseCase("sd1-ddim-2-0", "sd1", "ddim", 6, 21, every=2, branch=0),
    ReuseCase("sd1-pndm-3-1", "sd1", "pndm", 7, 22, every=3, branch=1),
    ReuseCase("sd1-dpmpp_2m-5-3-odd", "sd1", "dpmpp_2m", 8, 23, (HARBOUR,), width=72, height=88, every=5, branch=3),
    ReuseCase("sd1-heun-3-2", "sd1", "heun", 5, 24, every=3, branch=2),
    ReuseCase("sd1-heun-2-0", "sd1", "heun", 4, 25, every=2, branch=0),
    ReuseCase("sd1-ddim-3-11", "sd1", "ddim", 5, 26, every=3, branch=11),
    ReuseCase("sd2-ddim-3-2-prompts", "sd2", "ddim", 6, 27, (ROBOT, HARBOUR), negative_prompt="bad!", every=3, branch=2),
    ReuseCase("sd2-dpmpp_2m-2-4-unguided", "sd2", "dpmpp_2m", 6, 28, guidance_scale=1.0, every=2, branch=4),
    ReuseCase("sd2-heun-5-7", "sd2", "heun", 5, 29, every=5, branch=7),
    ReuseCase("sd2-pndm-2-6", "sd2", "pndm", 5, 30, every=2, branch=6),
    ReuseCase("sd1-pndm-2-0-tome", "sd1", "pndm", 6, 31, width=96, height=96, every=2, branch=0, tome={"ratio": 0.5}),
    ReuseCase("sd1-ddim-3-1-tome_all", "sd1", "ddim", 6, 32, every=3, branch=1,
              tome={"ratio": 0.5, "max_downsample": 2, "merge_crossattn": True, "merge_mlp": True}),
    ReuseCase("sd2-dpmpp_2m-5-3-tome", "sd2", "dpmpp_2m", 7, 33, width=96, every=5, branch=3, tome={"ratio": 0.5, "max_downsample": 2}),
    ReuseCase("sd2-heun-3-0-tome", "sd2", "heun", 4, 34, every=3, branch=0, tome={"ratio": 0.5}),
    ReuseCase("sd1-ddim-nonuniform", "sd1", "ddim", 12, 35, every=3, branch=0, center=4, power=1.4),
    ReuseCase("sd2-pndm-nonuniform-tome", "sd2", "pndm", 10, 36, every=2, branch=1, center=5, power=1.2, tome={"ratio": 0.5}),
    ReuseCase("sd1-ddim-guidance", "sd1", "ddim", 8, 37, negative_prompt="blurry", guidance_from=0.25, guidance_to=0.75),
    ReuseCase("sd2-pndm-guidance_to-tome", "sd2", "pndm", 6, 38, guidance_to=0.5, tome={"ratio": 0.5}),
    ReuseCase("sd2-heun-guidance_from-prompts", "sd2", "heun", 5, 39, (ROBOT, HARBOUR), guidance_from=0.4),
]


def sample_from_quad_center() -> Callable[..., tuple[list[int], float]]:
    """The package's function, taken out of its file: the rest of that needs a diffusers of 2023."""
    folder = Path(importlib.util.find_spec("DeepCache").origin).parent
    tree = ast.parse((folder / "sd" / "pipeline_stable_diffusion.py").read_text())
    function = next(node for node in tree.body if getattr(node, "name", "") == "sample_from_quad_center")
    names: dict[str, Any] = {"np": np}
    exec(compile(ast.Module([function], []), "sample_from_quad_center", "exec"), names)
    return names["sample_from_quad_center"]


def full_passes(calls: int, every: int, center: int, power: float) -> list[int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers below 0 to a fraction's power are complex; their real parts count
        return [int(i) for i in sample_from_quad_center()(calls, -(-calls // every), center, power)[0]]


class Helper(DeepCacheSDHelper):
    """Knows non-uniform schedules too, which the package has in its older pipeline alone."""

    full: list[int] | None = None

    def is_skip_step(self, block_i: int, layer_i: int, blocktype: str = "down") -> bool:
        if self.full is None:
            return super().is_skip_step(block_i, layer_i, blocktype)
        self.params["cache_interval"] = 1 if self.cur_timestep in self.full else 1_000_000  # 0 is always full
        return super().is_skip_step(block_i, layer_i, blocktype)


def is_guided(case: ReuseCase, timesteps: list[float], call: int) -> bool:
    position = timesteps.index(timesteps[call])
    return round(case.guidance_from * len(timesteps)) <= position < round(case.guidance_to * len(timesteps))


def timesteps_of(pipeline: StableDiffusionPipeline, case: ReuseCase) -> list[float]:
    scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    scheduler.set_timesteps(case.steps)
    return [float(timestep) for timestep in scheduler.timesteps]


def run(pipeline: StableDiffusionPipeline, case: ReuseCase, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    """As `images.run`, with what the case leaves out."""
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    timesteps = timesteps_of(pipeline, case)
    negative = [case.negative_prompt] * len(case.prompts)
    prompted, unprompted = pipeline.encode_prompt(list(case.prompts), "cpu", 1, True, negative)
    last: dict[str, torch.Tensor] = {}

    def after_step(running: Any, step: int, _timestep: Any, values: dict[str, torch.Tensor]) -> dict:
        last["latents"] = values["latents"].clone()
        if case.guidance_scale > 1 and step + 1 < len(timesteps):
            guided = is_guided(case, timesteps, step + 1)
            running._guidance_scale = case.guidance_scale if guided else 1.0
            values["prompt_embeds"] = torch.cat([unprompted, prompted]) if guided else prompted
        return values

    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(pipeline, **case.tome)
    helper = Helper(pipeline)
    helper.set_params(cache_interval=case.every, cache_branch_id=case.branch)
    if case.center is not None:
        helper.full = full_passes(len(timesteps), case.every, case.center, case.power)
    if case.every > 1:
        helper.enable()
    pictures = pipeline(
        prompt_embeds=prompted, negative_prompt_embeds=unprompted, num_inference_steps=case.steps,
        guidance_scale=case.guidance_scale if is_guided(case, timesteps, 0) else 1.0,
        width=case.width, height=case.height, generator=generator(case.seed),
        callback_on_step_end=after_step, callback_on_step_end_tensor_inputs=["latents", "prompt_embeds"],
    ).images
    if case.every > 1:
        helper.disable()
    tomesd.remove_patch(pipeline)
    return np.stack([np.asarray(picture) for picture in pictures]), last["latents"]


def schedules() -> list[dict[str, Any]]:
    rows = []
    for calls, center in ((50, 15), (50, 0), (50, 10), (20, 6), (30, 20), (12, 4), (11, 5)):
        for every in (2, 3, 5):
            for power in (1.2, 1.4):
                try:
                    full = full_passes(calls, every, center, power)
                except ValueError:
                    full = []  # no power gives so many
                rows.append({"calls": calls, "every": every, "center": center, "power": power, "full": full})
    return rows


def make() -> None:
    folder = FIXTURES / "reuse"
    make_runs(folder, CASES, run, lambda pipeline, case: {"calls": len(timesteps_of(pipeline, case))})
    write_json_lines(folder / "schedules.json", {}, "cases", schedules())
