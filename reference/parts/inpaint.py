"""Whole runs that repaint a part of an image: UNets of 4 and of 9 channels, at strength 1 and below, cropped or not."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionInpaintPipeline, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image, ImageFilter

from parts.common import FIXTURES, generator
from parts.images import HARBOUR, Case, make_runs
from parts.img2img import run_from
from parts.resampling import noisy
from parts.tiny_pipelines import calibrate, enliven

FOLDER = FIXTURES / "inpaint"
WIDTH, HEIGHT = 77, 61


@dataclass(frozen=True)
class Repainted(Case):
    channels: int = 4
    strength: float = 1.0
    blur: float = 0.0
    padding: int | None = None
    width: int = 72
    height: int = 56


CASES = [
    Repainted("4-euler", "sd1", "euler", 5, 31),
    Repainted("4-ddim-strength_60", "sd1", "ddim", 5, 32, strength=0.6),
    Repainted("4-euler_a-strength_60", "sd1", "euler_a", 5, 33, strength=0.6, images_per_prompt=2),
    Repainted("4-pndm-strength_75", "sd1", "pndm", 5, 34, strength=0.75),
    Repainted("4-heun-strength_60", "sd1", "heun", 5, 35, strength=0.6),
    Repainted("4-dpmpp_2m-blur", "sd2", "dpmpp_2m", 5, 36, (HARBOUR,), strength=0.8, blur=3.0),
    Repainted("4-lcm-unguided", "sd1", "lcm", 4, 37, strength=0.9, guidance_scale=1.0),
    Repainted("4-euler-crop", "sd1", "euler", 5, 38, strength=0.8, padding=6, width=64, height=64),
    Repainted("4-unipc-crop_wide", "sd1", "unipc", 5, 39, padding=0, blur=2.0, width=128, height=48),
    Repainted("4-euler_a-tome", "sd1", "euler_a", 5, 40, strength=0.8, width=96, height=96, tome={"ratio": 0.5}),
    Repainted("9-euler", "sd2", "euler", 5, 41, channels=9),
    Repainted("9-ddim-strength_60", "sd2", "ddim", 5, 42, channels=9, strength=0.6),
    Repainted("9-euler_a-two", "sd2", "euler_a", 5, 43, channels=9, images_per_prompt=2, strength=0.9999),
    Repainted("9-pndm-unguided", "sd2", "pndm", 5, 44, channels=9, guidance_scale=1.0),
    Repainted("9-euler_a-tome", "sd2", "euler_a", 5, 45, channels=9, width=96, height=96,
              tome={"ratio": 0.5, "max_downsample": 2}),
    Repainted("9-euler-crop", "sd2", "euler", 5, 46, channels=9, strength=0.7, padding=4, width=64, height=48),
]


def mask() -> Image.Image:
    """A disc with a soft edge, and grey levels around a half."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    levels = np.clip(255 - 22 * (np.hypot(x - 30, y - 26) - 12), 0, 255)
    levels[40:44, 50:60] = np.arange(123, 133)
    return Image.fromarray(levels.astype(np.uint8)).convert("RGB")


def unet() -> UNet2DConditionModel:
    model = UNet2DConditionModel(
        sample_size=16, in_channels=9, out_channels=4, norm_num_groups=8, cross_attention_dim=32,
        block_out_channels=(16, 16, 16), layers_per_block=1, attention_head_dim=2, use_linear_projection=True,
        down_block_types=("CrossAttnDownBlock2D",) * 2 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 2,
    ).eval()
    enliven(model, 51)
    numbers = generator(52)
    sample, text = torch.randn(2, 9, 16, 16, generator=numbers), torch.randn(2, 77, 32, generator=numbers)
    calibrate(model.conv_out, model(sample, 500, text).sample, 0.9)
    return model


NINE = unet()


def run(pipeline: StableDiffusionPipeline, case: Repainted, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    parts: dict[str, Any] = dict(pipeline.components)
    if case.channels == 9:
        parts["unet"] = NINE
    inpainting = StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False)
    inpainting.scheduler = pipeline.scheduler  # set afterwards, as users do: the constructor's repairs are for its own
    white = mask()
    if case.blur > 0:
        white = white.filter(ImageFilter.GaussianBlur(case.blur))
    return run_from(
        inpainting, case, global_seed, image=noisy(WIDTH, HEIGHT, 21), mask_image=white, strength=case.strength,
        padding_mask_crop=case.padding, width=case.width, height=case.height)


def make() -> None:
    make_runs(FOLDER, CASES, run)
    noisy(WIDTH, HEIGHT, 21).save(FOLDER / "source.png", optimize=True)
    mask().save(FOLDER / "mask.png", optimize=True)
    NINE.save_pretrained(FOLDER / "unet")
    index = json.loads((FIXTURES / "tiny-sd2" / "model_index.json").read_text())
    index["_class_name"] = "StableDiffusionInpaintPipeline"
    (FOLDER / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
