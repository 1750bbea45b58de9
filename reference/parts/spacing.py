"""Whole runs whose steps a caller spaces: noise levels, timesteps, and lists of either; from noise and from an image."""

import shutil
from typing import Any

import diffusers
import numpy as np
import tomesd
import torch
from PIL import Image

from parts.common import FIXTURES, write_json
from parts.scheduler_cases import CLASSES, NAME_SETTINGS

OUT = FIXTURES / "spacing"
LIGHTHOUSE = "a lighthouse in a storm, woodcut"
SIZE = 64
AYS = [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]
AYS_SIGMAS = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.0]
DMD2 = [999, 749, 499, 249]
FLAGS = {"karras": "use_karras_sigmas", "exponential": "use_exponential_sigmas", "beta": "use_beta_sigmas"}


def case(model: str, scheduler: str, steps: int, **more: Any) -> dict[str, Any]:
    return {"model": model, "scheduler": scheduler, "steps": steps, **more}


def listed(model: str, scheduler: str, **more: Any) -> dict[str, Any]:
    steps = len(more["timesteps"]) if "timesteps" in more else len(more["sigmas"]) - 1
    return case(model, scheduler, steps, **more)


CASES: list[dict[str, Any]] = [
    case("tiny-sd1", "euler", 5, schedule_type="karras"),
    case("tiny-sd2", "euler", 5, schedule_type="exponential"),
    case("tiny-sd2", "euler", 4, schedule_type="karras", timestep_spacing="trailing"),
    case("tiny-sd1", "heun", 4, schedule_type="beta"),
    case("tiny-sd1", "heun", 4, schedule_type="karras"),
    case("tiny-sd1", "lms", 5, schedule_type="karras"),
    case("tiny-sd2", "dpm2", 4, schedule_type="karras"),
    case("tiny-sd1", "dpm2_a", 4, schedule_type="exponential"),
    case("tiny-sd1", "dpmpp_2m", 5, schedule_type="karras"),
    case("tiny-sd1", "dpmpp_2m", 5, schedule_type="exponential"),
    case("tiny-sd2", "dpmpp_2m", 5, schedule_type="beta", tome={"ratio": 0.5, "use_rand": False}),
    case("tiny-sd1", "dpmpp_2m_sde", 5, schedule_type="exponential"),
    case("tiny-sd1", "dpmpp_sde", 4, schedule_type="exponential"),
    case("tiny-sd1", "dpmpp_2s", 5, schedule_type="karras"),
    case("tiny-sd1", "deis", 5, schedule_type="exponential"),
    case("tiny-sd2", "unipc", 5, schedule_type="beta"),
    case("tiny-sd1", "", 5, timestep_spacing="linspace"),
    case("tiny-sd1", "ddim", 4, timestep_spacing="trailing", guidance_scale=1.0),
    case("tiny-sd2", "euler_a", 3, timestep_spacing="trailing", guidance_scale=1.0),
    case("tiny-sd1", "dpmpp_2m", 6, timestep_spacing="leading"),
    case("tiny-sdxl", "euler", 4, schedule_type="karras", timestep_spacing="leading"),
    case("tiny-sdxl", "", 4, timestep_spacing="trailing", guidance_scale=1.0),
    listed("tiny-sd1", "euler", timesteps=[901, 640, 333, 20]),
    listed("tiny-sd1", "dpmpp_2m", timesteps=AYS),
    listed("tiny-sd2", "dpmpp_2s", timesteps=[990, 700, 400, 100]),
    listed("tiny-sd1", "heun", timesteps=[960, 555, 111]),
    listed("tiny-sd1", "lcm", timesteps=DMD2, guidance_scale=1.0, tome={"ratio": 0.5, "use_rand": False}),
    listed("tiny-sd1", "tcd", timesteps=[800], guidance_scale=1.0),
    listed("tiny-sdxl", "lcm", timesteps=DMD2, guidance_scale=1.0),
    listed("tiny-sd1", "euler", sigmas=AYS_SIGMAS),
    listed("tiny-sdxl", "euler", sigmas=[9.5, 3.0, 1.0, 0.25]),
    case("tiny-sd1", "euler", 6, schedule_type="karras", strength=0.6),
    case("tiny-sd2", "dpmpp_2m", 6, schedule_type="exponential", strength=0.5),
    case("tiny-sd1", "ddim", 6, timestep_spacing="trailing", strength=0.7),
    listed("tiny-sd1", "euler", timesteps=AYS, strength=0.45),
    listed("tiny-sd1", "euler", sigmas=AYS_SIGMAS, strength=0.8),
    listed("tiny-sd1", "heun", timesteps=[960, 777, 555, 333, 111], strength=0.75),
    listed("tiny-sd1", "lcm", timesteps=DMD2, strength=0.5, guidance_scale=1.0),
]


def initial() -> Image.Image:
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    waves = [128 + 100 * np.sin(rows / 9 + columns / 5), columns * 3.9, 255 - rows * 3.5]
    return Image.fromarray(np.stack(waves, axis=-1).clip(0, 255).astype(np.uint8))


def run(one: dict[str, Any]) -> Image.Image:
    xl = one["model"] == "tiny-sdxl"
    begins = "Img2Img" if "strength" in one else ""
    kind = getattr(diffusers, f"StableDiffusion{'XL' if xl else ''}{begins}Pipeline")
    options: dict[str, Any] = {"add_watermarker": False} if xl else {}
    pipeline = kind.from_pretrained(FIXTURES / one["model"], local_files_only=True, **options)
    pipeline.set_progress_bar_config(disable=True)
    settings = dict(NAME_SETTINGS.get(one["scheduler"], {}))
    if "schedule_type" in one:
        settings[FLAGS[one["schedule_type"]]] = True
    if "timestep_spacing" in one:
        settings["timestep_spacing"] = one["timestep_spacing"]
    of = CLASSES[one["scheduler"]] if one["scheduler"] else type(pipeline.scheduler)
    pipeline.scheduler = of.from_config(pipeline.scheduler.config, **settings)
    if "tome" in one:
        tomesd.apply_patch(pipeline, **one["tome"])
    options = {key: one[key] for key in ("timesteps", "sigmas", "strength") if key in one}
    options |= {"image": initial()} if begins else {"width": SIZE, "height": SIZE}
    # The global generator is the run's own, as in `generator=torch.manual_seed(seed)`: DPM++ SDE draws its path's seed there.
    return pipeline(
        LIGHTHOUSE, num_inference_steps=one["steps"], guidance_scale=one.get("guidance_scale", 6.0), negative_prompt="fog",
        generator=torch.manual_seed(one["seed"]), **options,
    ).images[0]


def make() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    initial().save(OUT / "initial.png", optimize=True)
    described = []
    for number, one in enumerate(CASES):
        how = [one.get("schedule_type"), one.get("timestep_spacing")]
        how += [key for key in ("timesteps", "sigmas", "strength") if key in one]
        parts = [str(number), one["model"], one["scheduler"] or "own", *filter(None, how)]
        one = {"name": "-".join(parts), "seed": 100 + number, **one}
        image = run(one)
        assert np.asarray(image).std() > 15, f"{one['name']} is flat"
        image.save(OUT / f"{one['name']}.png", optimize=True)
        described.append(one)
    write_json(OUT / "cases.json", {"prompt": LIGHTHOUSE, "negative_prompt": "fog", "guidance_scale": 6.0, "size": SIZE, "cases": described})
