"""A LoRA with the keys, kinds of modules and scale of LCM-LoRA, and whole runs with it and the LCM scheduler."""

import shutil
from typing import Any

import diffusers
import numpy as np
import torch
from safetensors.torch import save_file

from parts.common import FIXTURES, generator, write_json

OUT = FIXTURES / "lcm-lora"
FILE = "lcm-lora-sdv1-5.safetensors"
RANK = 2
MODULES = (
    "to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2", "conv_shortcut",
    "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj",
)
PROMPT = "a fox in the snow"
CASES: list[dict[str, Any]] = [
    {"name": "guided", "steps": 4, "seed": 301, "guidance_scale": 1.5},
    {"name": "unguided", "steps": 4, "seed": 302, "guidance_scale": 1.0},
    {"name": "eight-steps", "steps": 8, "seed": 303, "guidance_scale": 2.0},
]


def write_lora(unet: torch.nn.Module) -> None:
    numbers = generator(77)
    tensors: dict[str, torch.Tensor] = {}
    for name, module in unet.named_modules():
        if name.endswith(MODULES) and isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            weight = module.weight
            key = "lora_unet_" + name.replace(".", "_")
            down = torch.randn(RANK, *weight.shape[1:], generator=numbers) / weight[0].numel() ** 0.5
            up = 0.4 * torch.randn(weight.shape[0], RANK, *(1,) * (weight.dim() - 2), generator=numbers)
            tensors |= {f"{key}.lora_down.weight": down.half(), f"{key}.lora_up.weight": up.half(), f"{key}.alpha": torch.tensor(float(RANK)).half()}
    save_file(tensors, OUT / FILE)


def make() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(FIXTURES / "tiny-sd1", local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = diffusers.LCMScheduler.from_config(pipeline.scheduler.config)
    write_lora(pipeline.unet)

    def image(case: dict[str, Any]) -> Any:
        return pipeline(
            PROMPT, num_inference_steps=case["steps"], guidance_scale=case["guidance_scale"], negative_prompt="rain", width=64, height=64,
            generator=torch.manual_seed(case["seed"]),
        ).images[0]

    without = np.asarray(image(CASES[0]), dtype=int)
    pipeline.load_lora_weights(OUT / FILE)
    pipeline.fuse_lora()
    for case in CASES:
        made = image(case)
        assert np.asarray(made).std() > 15, f"{case['name']} is flat"
        made.save(OUT / f"{case['name']}.png", optimize=True)
    assert np.abs(np.asarray(image(CASES[0]), dtype=int) - without).max() > 40, "the LoRA changes nothing"
    write_json(OUT / "cases.json", {"prompt": PROMPT, "negative_prompt": "rain", "size": 64, "file": FILE, "cases": CASES})
