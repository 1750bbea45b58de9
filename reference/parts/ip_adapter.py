"""IP-Adapters: tiny ones with an image encoder, and whole runs of diffusers' pipelines with them, SD and SDXL."""

import shutil
from dataclasses import dataclass
from typing import Any

import numpy as np
import tomesd
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from parts import sdxl
from parts.common import FIXTURES, generator
from parts.controlnet import picture
from parts.rounding import rounded_correctly
from parts.scheduler_cases import CLASSES, NAME_SETTINGS
from parts.sdxl import HARBOUR, ROBOT
from parts.tiny_pipelines import enliven, load
from parts.whole_runs import make_runs

FOLDER = FIXTURES / "ip-adapter"
EMBEDDING, STATE = 20, 24
TALL, WIDE = "tall.png", "wide.png"
SD1, SD2, XL = "tiny-sd1", "tiny-sd2", "tiny-sdxl"
TOME = {"ratio": 0.5, "max_downsample": 2}


@dataclass(frozen=True)
class Guide:
    adapter: str
    images: tuple[str, ...]
    scale: float = 1.0


@dataclass(frozen=True)
class Case:
    name: str
    model: str
    scheduler: str
    steps: int
    seed: int
    adapters: tuple[Guide, ...]
    prompts: tuple[str, ...] = (ROBOT,)
    negative_prompt: str | None = ""
    guidance_scale: float = 6.0
    width: int = 96
    height: int = 96
    images_per_prompt: int = 1
    tome: dict[str, Any] | None = None


CASES = [
    Case("plain", SD1, "euler", 5, 801, (Guide("sd1-plain", (WIDE,)),)),
    Case("plain-odd", SD1, "heun", 4, 802, (Guide("sd1-plain", (TALL,), 0.6),), (HARBOUR,), "bad", width=136, height=120),
    Case("plain-unguided", SD1, "dpmpp_2m", 5, 803, (Guide("sd1-plain", (TALL,), 0.8),), guidance_scale=1.0),
    Case("plain-two-images", SD1, "ddim", 5, 804, (Guide("sd1-plain", (WIDE, TALL)),), (ROBOT, HARBOUR), "bad", width=64, height=72),
    Case("plain-tome", SD1, "pndm", 5, 805, (Guide("sd1-plain", (WIDE,)),), tome=TOME),
    Case("plain-tome-all", SD1, "euler_a", 5, 806, (Guide("sd1-plain", (WIDE,), 0.7),), images_per_prompt=2,
         tome=TOME | {"merge_crossattn": True, "merge_mlp": True}),
    Case("plus", SD1, "euler", 5, 807, (Guide("sd1-plus", (TALL,)),), negative_prompt="bad"),
    Case("full", SD2, "ddim", 5, 808, (Guide("sd2-full", (WIDE,)),)),
    Case("several", SD1, "euler_a", 5, 809, (Guide("sd1-plain", (WIDE,), 0.6), Guide("sd1-plus", (TALL, WIDE), 0.5))),
    Case("xl", XL, "euler", 5, 810, (Guide("xl-plain", (WIDE,)),), negative_prompt=None),
    Case("xl-plus-tome", XL, "dpmpp_2m", 5, 811, (Guide("xl-plus", (TALL,), 0.8),), images_per_prompt=2, negative_prompt="bad",
         tome=TOME | {"merge_crossattn": True}),
]


def drawn(seed: int):
    """Random tensors of a shape: weights that keep the variance, norms and biases that are not trivial."""
    numbers = generator(seed)

    def weight(*shape: int, scale: float = 1.0) -> torch.Tensor:
        return scale * torch.randn(shape, generator=numbers) / shape[-1] ** 0.5

    def norm(size: int) -> tuple[torch.Tensor, torch.Tensor]:
        return 1 + 0.2 * torch.randn(size, generator=numbers), 0.1 * torch.randn(size, generator=numbers)

    return weight, norm


def projection(kind: str, size: int, seed: int) -> dict[str, torch.Tensor]:
    weight, norm = drawn(seed)
    tensors: dict[str, torch.Tensor] = {}

    def put_norm(name: str, length: int) -> None:
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = norm(length)

    if kind == "plain":
        tensors |= {"proj.weight": weight(4 * size, EMBEDDING), "proj.bias": weight(4 * size)}
        put_norm("norm", size)
    elif kind == "full":
        tensors |= {"proj.0.weight": weight(STATE, STATE), "proj.0.bias": weight(STATE)}
        tensors |= {"proj.2.weight": weight(size, STATE), "proj.2.bias": weight(size)}
        put_norm("proj.3", size)
    else:
        hidden, inner, queries = 16, 64, 5
        tensors["latents"] = weight(1, queries, hidden, scale=4)
        tensors |= {"proj_in.weight": weight(hidden, STATE), "proj_in.bias": weight(hidden)}
        tensors |= {"proj_out.weight": weight(size, hidden), "proj_out.bias": weight(size)}
        put_norm("norm_out", size)
        for layer in range(4):
            name = f"layers.{layer}"
            put_norm(f"{name}.0.norm1", hidden)
            put_norm(f"{name}.0.norm2", hidden)
            tensors[f"{name}.0.to_q.weight"] = weight(inner, hidden)
            tensors[f"{name}.0.to_kv.weight"] = weight(2 * inner, hidden)
            tensors[f"{name}.0.to_out.weight"] = weight(hidden, inner)
            put_norm(f"{name}.1.0", hidden)
            tensors[f"{name}.1.1.weight"] = weight(4 * hidden, hidden)
            tensors[f"{name}.1.3.weight"] = weight(hidden, 4 * hidden)
    return {f"image_proj.{name}": tensor for name, tensor in tensors.items()}


def make_adapter(name: str, model: str, seed: int) -> None:
    """Keys and values in the order in which diffusers' attention processors stand."""
    unet = (sdxl.loaded if model == XL else load)(model).unet
    size = unet.config.cross_attention_dim
    tensors = projection(name.split("-")[1], size, seed)
    weight, _ = drawn(seed + 50)
    number = 1
    for processor in unet.attn_processors:
        if "attn2" in processor:
            channels = unet.get_submodule(processor.removesuffix(".processor")).to_q.weight.shape[0]
            tensors[f"ip_adapter.{number}.to_k_ip.weight"] = weight(channels, size)
            tensors[f"ip_adapter.{number}.to_v_ip.weight"] = weight(channels, size, scale=2)
            number += 2
    save_file({key: tensor.half().contiguous() for key, tensor in tensors.items()}, FOLDER / f"{name}.safetensors")


def make_encoder() -> None:
    config = CLIPVisionConfig(
        hidden_size=STATE, intermediate_size=40, projection_dim=EMBEDDING, num_hidden_layers=3, num_attention_heads=4, image_size=32,
        patch_size=8, hidden_act="gelu")
    encoder = CLIPVisionModelWithProjection(config).eval()
    enliven(encoder, 830)
    encoder.half().save_pretrained(FOLDER / "image_encoder")


def pipeline(case: Case) -> Any:
    made = (sdxl.loaded if case.model == XL else load)(case.model)
    made.scheduler = CLASSES[case.scheduler].from_config(made.scheduler.config, **NAME_SETTINGS.get(case.scheduler, {}))
    made.set_progress_bar_config(disable=True)
    made.load_ip_adapter(
        str(FOLDER), subfolder="", weight_name=[f"{one.adapter}.safetensors" for one in case.adapters],
        image_encoder_folder="image_encoder")
    made.set_ip_adapter_scale([one.scale for one in case.adapters])
    return made


def run(made: Any, case: Case, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    made.scheduler = type(made.scheduler).from_config(made.scheduler.config)
    last: dict[str, torch.Tensor] = {}

    def keep(_pipeline: Any, _step: int, _timestep: Any, values: dict[str, torch.Tensor]) -> dict:
        last["latents"] = values["latents"].clone()
        return values

    images = [[Image.open(FOLDER / name) for name in one.images] for one in case.adapters]
    negative = None if case.negative_prompt is None else [case.negative_prompt] * len(case.prompts)
    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(made, **case.tome)
    with rounded_correctly(case.scheduler):
        pictures = made(
            list(case.prompts), negative_prompt=negative, num_inference_steps=case.steps, guidance_scale=case.guidance_scale,
            width=case.width, height=case.height, num_images_per_prompt=case.images_per_prompt, generator=generator(case.seed),
            ip_adapter_image=images, callback_on_step_end=keep,
        ).images
    tomesd.remove_patch(made)
    return np.stack([np.asarray(one) for one in pictures]), last["latents"]


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    picture(41, 50, 70).save(FOLDER / TALL, optimize=True)
    picture(42, 90, 40).save(FOLDER / WIDE, optimize=True)
    make_encoder()
    for number, name in enumerate(("sd1-plain", "sd1-plus", "sd2-full", "xl-plain", "xl-plus")):
        make_adapter(name, {"sd1": SD1, "sd2": SD2, "xl": XL}[name.split("-")[0]], 840 + number)
    make_runs(FOLDER, CASES, pipeline, run)
