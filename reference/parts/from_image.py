"""Whole runs that begin with an image, or repaint a part of one, with the schedulers that img2img.py leaves to this."""

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline, StableDiffusionPipeline
from PIL import Image

from parts.common import FIXTURES
from parts.images import Case, make_runs
from parts.img2img import SCHEDULERS, FromImage, run_from
from parts.inpaint import Repainted
from parts.resampling import noisy
from parts.rounding import rounded_correctly
from parts.scheduler_cases import CLASSES, PATH

FOLDER = FIXTURES / "from-image"
WIDTH, HEIGHT = 53, 43  # rounded down to 48 x 40
LATER = sorted(set(CLASSES) - set(SCHEDULERS))


def settings(scheduler: str) -> dict[str, int]:
    return PATH if scheduler.startswith("dpmpp_sde") else {}  # else diffusers draws its path's seed from the process's generator


def cases() -> list[Case]:
    made: list[Case] = []
    for number, name in enumerate(LATER):
        more = {"scheduler_settings": settings(name), "width": 48, "height": 40}
        made.append(FromImage(f"{name}-from", "sd1", name, 5, 300 + number, strength=0.6, **more))
        made.append(Repainted(f"{name}-repaint", "sd1", name, 6, 400 + number, strength=0.75, **more))
    merged = {"ratio": 0.5, "max_downsample": 2}
    made.append(FromImage("dpm2_a-tome", "sd2", "dpm2_a", 5, 500, images_per_prompt=2, width=48, height=40, tome=merged))
    made.append(Repainted("deis-tome", "sd2", "deis", 5, 501, strength=0.8, width=64, height=48, tome=merged))
    made.append(FromImage("dpmpp_2s-odd", "sd1", "dpmpp_2s", 9, 502, strength=0.56, width=48, height=40))
    return made


def mask() -> Image.Image:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return Image.fromarray(np.clip(255 - 30 * (np.hypot(x - 24, y - 18) - 11), 0, 255).astype(np.uint8)).convert("RGB")


def run(pipeline: StableDiffusionPipeline, case: Case, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    picture = noisy(WIDTH, HEIGHT, 27)
    parts = pipeline.components | {"requires_safety_checker": False}
    with rounded_correctly(case.scheduler):
        if isinstance(case, FromImage):
            return run_from(StableDiffusionImg2ImgPipeline(**parts), case, global_seed, image=picture, strength=case.strength)
        inpainting = StableDiffusionInpaintPipeline(**parts)
        inpainting.scheduler = pipeline.scheduler  # the constructor's repairs are for its own
        return run_from(
            inpainting, case, global_seed, image=picture, mask_image=mask(), strength=case.strength, width=case.width, height=case.height)


def make() -> None:
    make_runs(FOLDER, cases(), run)
    noisy(WIDTH, HEIGHT, 27).save(FOLDER / "source.png", optimize=True)
    mask().save(FOLDER / "mask.png", optimize=True)
