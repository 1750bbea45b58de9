"""Whole images of pipelines whose VAE is the tiny TAESD of part `taesd`: from noise and from an image."""

import shutil
import tempfile
from typing import Any

import diffusers
import numpy as np
import tomesd
import torch
from PIL import Image

from parts.common import FIXTURES, write_json
from parts.spacing import SIZE, initial

OUT = FIXTURES / "taesd"
PROMPT = "a teapot on a rug"
CASES: list[dict[str, Any]] = [
    {"name": "sd1", "model": "tiny-sd1", "steps": 4},
    {"name": "sd2-merged", "model": "tiny-sd2", "steps": 4, "tome": {"ratio": 0.5, "use_rand": False}},
    {"name": "sdxl", "model": "tiny-sdxl", "steps": 3},
    {"name": "sd1-image", "model": "tiny-sd1", "steps": 5, "strength": 0.6},
    {"name": "sdxl-image", "model": "tiny-sdxl", "steps": 5, "strength": 0.5},
]


def run(case: dict[str, Any], seed: int) -> Image.Image:
    xl = case["model"] == "tiny-sdxl"
    begins = "Img2Img" if "strength" in case else ""
    kind = getattr(diffusers, f"StableDiffusion{'XL' if xl else ''}{begins}Pipeline")
    more: dict[str, Any] = {"add_watermarker": False} if xl else {}
    vae = diffusers.AutoencoderTiny.from_pretrained(FIXTURES / "tiny-taesd")
    pipeline = kind.from_pretrained(FIXTURES / case["model"], vae=vae, local_files_only=True, **more)
    with tempfile.TemporaryDirectory() as folder:  # as people have it: a folder whose own VAE this is
        pipeline.save_pretrained(folder)
        pipeline = kind.from_pretrained(folder, local_files_only=True, **more)
    assert type(pipeline.vae) is diffusers.AutoencoderTiny
    pipeline.set_progress_bar_config(disable=True)
    if "tome" in case:
        tomesd.apply_patch(pipeline, **case["tome"])
    options = {"image": initial(), "strength": case["strength"]} if begins else {"width": SIZE, "height": SIZE}
    return pipeline(
        PROMPT, num_inference_steps=case["steps"], guidance_scale=6.0, negative_prompt="", generator=torch.manual_seed(seed), **options
    ).images[0]


def make() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    initial().save(OUT / "initial.png", optimize=True)
    for number, case in enumerate(CASES):
        case["seed"] = 200 + number
        image = run(case, case["seed"])
        assert np.asarray(image).std() > 10, f"{case['name']} is flat"
        image.save(OUT / f"{case['name']}.png", optimize=True)
    write_json(OUT / "cases.json", {"prompt": PROMPT, "guidance_scale": 6.0, "size": SIZE, "cases": CASES})
