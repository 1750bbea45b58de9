"""Runs that begin in the middle, as from an image, stop early, or take over: diffusers' schedulers driven as its pipelines do."""

import inspect
import shutil
from types import SimpleNamespace
from typing import Any

import diffusers
import torch

from parts.common import FIXTURES, generator, write_json_lines, write_tensors
from parts.rounding import rounded_correctly
from parts.scheduler_cases import CLASSES, KARRAS, LEADING, NAME_SETTINGS, SD_DDIM, TRAILING, V
from parts.schedulers import plain_config

SHAPE = (1, 4, 1, 2)
DRAW_SEED, STEP_SEED = 11000, 13000
SHARES = (0.3, 0.5, 0.8)
BASE = SD_DDIM | {"skip_prk_steps": True}
MORE = [
    ("pndm", {"skip_prk_steps": False}, 10, 0.75),
    ("pndm", {"skip_prk_steps": False}, 20, 1.0),
    ("euler", LEADING, 10, 0.3),
    ("euler", KARRAS | V, 10, 0.75),
    ("ddim", V | TRAILING | {"steps_offset": 0}, 10, 0.29),
    ("dpmpp_2m", {"solver_order": 3}, 10, 0.75),
    ("dpmpp_2m", {"solver_order": 3}, 20, 0.3),
    ("unipc", {"solver_order": 3}, 10, 0.75),
    ("lms", KARRAS, 10, 0.3),
    ("heun", KARRAS | LEADING, 10, 0.5),
    ("dpmpp_2s", {"solver_order": 3}, 10, 0.75),
    ("dpmpp_2s", {"solver_order": 3}, 20, 0.3),
    ("deis", {"solver_order": 3}, 10, 0.75),
    ("lcm", {"original_inference_steps": 100}, 10, 0.5),
]


def cases() -> list[tuple[str, dict[str, Any], int, float]]:
    plain = [(name, {}, steps, strength) for name in CLASSES if not name.startswith("edm") for steps in (5, 10, 20) for strength in (0.3, 0.75, 1.0)]
    return plain + MORE


def built(name: str, settings: dict[str, Any]) -> diffusers.SchedulerMixin:
    """The scheduler over Stable Diffusion's config, which may hold what another class means."""
    known = inspect.signature(CLASSES[name].__init__).parameters
    return CLASSES[name](**{k: v for k, v in (NAME_SETTINGS.get(name, {}) | BASE | settings).items() if k in known})


def sliced(scheduler: diffusers.SchedulerMixin, steps: int, strength: float | None, start: float | None) -> torch.Tensor:
    """The timesteps that diffusers' own image-to-image pipeline makes of it."""
    scheduler.set_timesteps(steps)
    pipeline = SimpleNamespace(scheduler=scheduler)
    return diffusers.StableDiffusionXLImg2ImgPipeline.get_timesteps(pipeline, steps, strength, "cpu", start)[0]


def drive(scheduler: diffusers.SchedulerMixin, timesteps: torch.Tensor, number: int) -> torch.Tensor:
    """Rows: the first latents, an image noised for the second call (as inpainting does), the latents after each step."""
    draws = generator(DRAW_SEED + number)
    original, noise = torch.randn(SHAPE, generator=draws), torch.randn(SHAPE, generator=draws)
    sample = scheduler.add_noise(original, noise, timesteps[:1])
    rows = [sample, sample]
    torch.manual_seed(STEP_SEED + number)  # where a scheduler draws a seed of its own
    options = {}
    if "generator" in inspect.signature(scheduler.step).parameters:
        options["generator"] = generator(STEP_SEED + number)
    if "eta" in inspect.signature(scheduler.step).parameters:
        options["eta"] = 0.0  # what pipelines pass on if they are not told otherwise
    for i, timestep in enumerate(timesteps):
        model_input = scheduler.scale_model_input(sample, timestep)
        model_output = torch.randn(SHAPE, generator=draws) + 0.25 * model_input
        sample = scheduler.step(model_output, timestep, sample, **options).prev_sample
        rows.append(sample)
        if i == 0 and len(timesteps) > 1:
            rows[1] = scheduler.add_noise(original, noise, timesteps[1:2])
    return torch.cat(rows).float()


def parts_of_a_run(name: str, settings: dict[str, Any], steps: int) -> list[dict[str, Any]]:
    parts = []
    for share in SHARES:
        scheduler = built(name, settings)
        scheduler.set_timesteps(steps)
        trained = scheduler.config.num_train_timesteps
        cutoff = int(round(trained - share * trained))  # as StableDiffusionXLPipeline cuts at denoising_end
        first = sum(bool(timestep >= cutoff) for timestep in scheduler.timesteps)
        parts.append({"share": share, "first": first, "second": sliced(scheduler, steps, None, share).tolist()})
    return parts


def make() -> None:
    folder = FIXTURES / "schedulers-middle"
    shutil.rmtree(folder, ignore_errors=True)
    tensors, rows = {}, []
    for number, (name, settings, steps, strength) in enumerate(cases()):
        with rounded_correctly(name):
            scheduler = built(name, settings)
            config = plain_config(dict(scheduler.config))
            timesteps = sliced(scheduler, steps, strength, None)
            tensors[f"{number}"] = drive(scheduler, timesteps, number)
        row = {
            "scheduler": name, "class": type(scheduler).__name__, "config": config, "steps": steps, "strength": strength,
            "number": number, "order": scheduler.order, "timesteps": timesteps.tolist(),
        }
        if steps == 10 and strength == 0.75:
            row["parts"] = parts_of_a_run(name, settings, steps)
        rows.append(row)
    spread = []
    for name in ("lcm", "tcd"):
        for steps, strength in ((4, 0.5), (4, 0.3), (7, 0.75), (3, 1.0)):
            scheduler = built(name, {})
            scheduler.set_timesteps(steps, strength=strength)
            spread.append({"scheduler": name, "steps": steps, "strength": strength, "timesteps": scheduler.timesteps.tolist()})
    write_tensors(folder / "runs.safetensors", tensors)
    head = {"draw_seed": DRAW_SEED, "step_seed": STEP_SEED, "shape": SHAPE, "spread": spread}
    write_json_lines(folder / "cases.json", head, "cases", rows)
