"""Whole runs of what few-step models need (a guidance embedding, TCD, noise of a path), of clip skip, and of rarer schedulers.

The LCM checkpoint is tiny-sd1 with another UNet config and one more tensor, which lies in a shard of its own: what is
committed is small, and tests put the folder together as here.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import tomesd
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

from parts.common import FIXTURES, generator, write_json
from parts.scheduler_cases import CLASSES, NAME_SETTINGS
from parts.tiny_pipelines import BETAS

OUT = FIXTURES / "few-steps"
GUIDANCE_SIZE = 10
SHARDS = [f"diffusion_pytorch_model-0000{number}-of-00002.safetensors" for number in (1, 2)]
ROBOT = "a rusty robot's portrait, oil on canvas"

CASES: list[dict[str, Any]] = [
    {"name": "lcm", "model": "lcm", "steps": 4, "seed": 3, "guidance_scale": 8.5},
    {"name": "lcm-two", "model": "lcm", "pipeline": "sd", "steps": 3, "seed": 4, "guidance_scale": 3.0, "images": 2,
     "tome": {"ratio": 0.5, "use_rand": False, "max_downsample": 2}},
    {"name": "lcm-unguided-euler", "model": "lcm", "pipeline": "sd", "scheduler": "euler", "steps": 4, "seed": 5, "guidance_scale": 1.0},
    {"name": "clip_skip-1", "model": "tiny-sd1", "scheduler": "ddim", "steps": 4, "seed": 6, "clip_skip": 1, "negative_prompt": "blurry"},
    {"name": "clip_skip-2", "model": "tiny-sd2", "scheduler": "euler", "steps": 4, "seed": 7, "clip_skip": 2},
    {"name": "tcd-eta", "model": "tiny-sd1", "scheduler": "tcd", "steps": 4, "seed": 8, "guidance_scale": 1.0, "eta": 0.3},
    {"name": "tcd", "model": "tiny-sd1", "scheduler": "tcd", "steps": 4, "seed": 9, "guidance_scale": 1.5},
    {"name": "ddim-eta", "model": "tiny-sd2", "scheduler": "ddim", "steps": 4, "seed": 10, "eta": 1.0},
    {"name": "dpmpp_sde", "model": "tiny-sd1", "scheduler": "dpmpp_sde", "steps": 5, "seed": 11},
    {"name": "dpmpp_2m_sde_karras", "model": "tiny-sd1", "scheduler": "dpmpp_2m_sde_karras", "steps": 6, "seed": 12},
    {"name": "dpm2_a", "model": "tiny-sd2", "scheduler": "dpm2_a", "steps": 4, "seed": 13},
    {"name": "dpm2", "model": "tiny-sd1", "scheduler": "dpm2", "steps": 4, "seed": 14,
     "tome": {"ratio": 0.5, "use_rand": False}},
    {"name": "dpmpp_2s", "model": "tiny-sd2", "scheduler": "dpmpp_2s", "steps": 5, "seed": 15},
    {"name": "deis", "model": "tiny-sd1", "scheduler": "deis", "steps": 5, "seed": 16},
]


def write_lcm(overlay: Path) -> None:
    """What differs from tiny-sd1."""
    base = FIXTURES / "tiny-sd1"
    config = json.loads((base / "unet" / "config.json").read_text()) | {"time_cond_proj_dim": GUIDANCE_SIZE}
    write_json(overlay / "unet" / "config.json", config)
    names = load_file(base / "unet" / "diffusion_pytorch_model.safetensors").keys()
    width = config["block_out_channels"][0]
    weight = torch.randn(width, GUIDANCE_SIZE, generator=generator(77))
    save_file({"time_embedding.cond_proj.weight": weight}, overlay / "unet" / SHARDS[1])
    places = {name: SHARDS[0] for name in names} | {"time_embedding.cond_proj.weight": SHARDS[1]}
    write_json(overlay / "unet" / "diffusion_pytorch_model.safetensors.index.json", {"metadata": {}, "weight_map": places})
    diffusers.LCMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=True, steps_offset=1).save_pretrained(overlay / "scheduler")
    index = json.loads((base / "model_index.json").read_text())
    index |= {"_class_name": "LatentConsistencyModelPipeline", "scheduler": ["diffusers", "LCMScheduler"]}
    write_json(overlay / "model_index.json", index)


def folder(model: str, work: Path) -> Path:
    if model != "lcm":
        return FIXTURES / model
    target = work / "lcm"
    if not target.exists():
        shutil.copytree(FIXTURES / "tiny-sd1", target)
        (target / "unet" / "diffusion_pytorch_model.safetensors").rename(target / "unet" / SHARDS[0])
        shutil.copytree(OUT / "lcm", target, dirs_exist_ok=True)
    return target


def run(case: dict[str, Any], work: Path) -> list[Image.Image]:
    latent = case["model"] == "lcm" and case.get("pipeline") != "sd"
    kind = diffusers.LatentConsistencyModelPipeline if latent else diffusers.StableDiffusionPipeline
    pipeline = kind.from_pretrained(folder(case["model"], work), local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    if "scheduler" in case:
        name = case["scheduler"]
        pipeline.scheduler = CLASSES[name].from_config(pipeline.scheduler.config, **NAME_SETTINGS.get(name, {}))
    options = {key: case[key] for key in ("eta", "clip_skip") if key in case}
    if not latent:
        options["negative_prompt"] = case.get("negative_prompt", "")
    if "tome" in case:
        tomesd.apply_patch(pipeline, **case["tome"])
    # The global generator is the run's own, as in `generator=torch.manual_seed(seed)`: DPM++ SDE draws its path's seed there.
    return pipeline(
        ROBOT, num_inference_steps=case["steps"], guidance_scale=case.get("guidance_scale", 7.5), width=96, height=64,
        num_images_per_prompt=case.get("images", 1), generator=torch.manual_seed(case["seed"]), **options,
    ).images


def make() -> None:
    # transformers 5.6 lost this; diffusers' clip_skip still asks for it.
    if not hasattr(CLIPTextModel, "text_model"):
        CLIPTextModel.text_model = property(lambda self: self)
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "lcm" / "unet").mkdir(parents=True)
    write_lcm(OUT / "lcm")
    with tempfile.TemporaryDirectory() as work:
        for case in CASES:
            for number, image in enumerate(run(case, Path(work))):
                assert np.asarray(image).std() > 20, f"{case['name']} is flat"
                image.save(OUT / f"{case['name']}-{number}.png", optimize=True)
    write_json(OUT / "cases.json", {"prompt": ROBOT, "width": 96, "height": 64, "cases": CASES})
