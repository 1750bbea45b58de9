"""Trajectories of diffusers' schedulers along made-up model outputs."""

import inspect
import math
import shutil
from typing import Any

import torch

from parts.common import FIXTURES, generator, write_json, write_tensors
from parts.rounding import rounded_correctly
from parts.scheduler_cases import CASES, Case

SHAPE = (1, 4, 5, 3)
MODEL_SEED, STEP_SEED = 7000, 9000


def plain_config(config: dict[str, Any]) -> dict[str, Any]:
    """What JSON can hold: no private notes of diffusers, and no infinity (as a string, the way diffusers saves it)."""
    kept = {key: value for key, value in sorted(config.items()) if not key.startswith("_")}
    return {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in kept.items()
    }


def run(case: Case, number: int) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    scheduler = case.build()
    config = plain_config(dict(scheduler.config))  # some change it as they go
    scheduler.set_timesteps(case.steps)
    timesteps = scheduler.timesteps.clone()
    numbers = generator(MODEL_SEED + number)
    sample = torch.randn(SHAPE, generator=numbers) * scheduler.init_noise_sigma
    tensors = {"timesteps": timesteps, "sample": [sample], "model_input": [], "model_output": []}
    if hasattr(scheduler, "sigmas"):
        tensors["sigmas"] = scheduler.sigmas.clone()

    step_seed = STEP_SEED + number
    torch.manual_seed(step_seed)
    before = torch.get_rng_state()
    options = dict(case.step_options)
    if "generator" in inspect.signature(scheduler.step).parameters:
        options["generator"] = generator(step_seed)
    for timestep in timesteps:
        model_input = scheduler.scale_model_input(sample, timestep)
        model_output = torch.randn(SHAPE, generator=numbers)
        sample = scheduler.step(model_output, timestep, sample, **options).prev_sample
        tensors["model_input"].append(model_input)
        tensors["model_output"].append(model_output)
        tensors["sample"].append(sample)
    assert sample.isfinite().all(), case.name

    if all(map(torch.equal, tensors["model_input"], tensors["sample"])):
        del tensors["model_input"]  # this scheduler does not scale
    if "generator" in options and torch.equal(options["generator"].get_state(), generator(step_seed).get_state()):
        step_seed = None  # nothing was drawn
    elif "generator" not in options and torch.equal(before, torch.get_rng_state()):
        step_seed = None
    description = {
        "name": case.name,
        "scheduler": case.scheduler,
        "class": type(scheduler).__name__,
        "steps": case.steps,
        "calls": len(timesteps),
        "scales_model_input": "model_input" in tensors,
        "step_options": case.step_options,
        "generator_seed": step_seed,
        "init_noise_sigma": float(scheduler.init_noise_sigma),
        "config": config,
    }
    return {key: torch.cat(value) if isinstance(value, list) else value for key, value in tensors.items()}, description


def make() -> None:
    folder = FIXTURES / "schedulers"
    shutil.rmtree(folder, ignore_errors=True)
    descriptions = []
    for number, case in enumerate(CASES):
        with rounded_correctly(case.scheduler):
            tensors, description = run(case, number)
        write_tensors(folder / f"{case.name}.safetensors", tensors)
        descriptions.append(description)
    assert len({case.name for case in CASES}) == len(CASES)
    write_json(folder / "cases.json", {"cases": descriptions})
