"""ControlNets: tiny ones with lively weights, what a pass of each gives, and whole runs of diffusers' pipelines."""

import json
import shutil
from dataclasses import dataclass
from typing import Any

import numpy as np
import tomesd
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, UNet2DConditionModel
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel
from PIL import Image
from safetensors.torch import load_file

from parts.common import FIXTURES, generator, write_json, write_tensors
from parts.images import HARBOUR, Case, make_runs
from parts.tiny_pipelines import enliven, load

FOLDER = FIXTURES / "controlnet"
SETTINGS = {"conditioning_embedding_out_channels": (8, 8, 16, 16)}
ALIKE = {  # those with the weights of sd1: their folders hold a config alone
    "sd1-bgr": {"controlnet_conditioning_channel_order": "bgr"},
    "sd1-pool": {"global_pool_conditions": True},
}
SDXL_UNET = dict(
    sample_size=16, in_channels=4, out_channels=4, norm_num_groups=8, cross_attention_dim=64, block_out_channels=(16, 24),
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), layers_per_block=1,
    attention_head_dim=(2, 3), transformer_layers_per_block=(1, 2), use_linear_projection=True, addition_embed_type="text_time",
    addition_time_embed_dim=8, projection_class_embeddings_input_dim=32 + 6 * 8)


def lively(unet: UNet2DConditionModel, seed: int) -> ControlNetModel:
    net = ControlNetModel.from_unet(unet, **SETTINGS, load_weights_from_unet=False).eval()
    enliven(net, seed)
    for name, parameter in net.named_parameters():
        if name.startswith(("controlnet_down_blocks", "controlnet_mid_block")):
            parameter.mul_(0.25)  # else the image is all control
    return net


def make_nets() -> dict[str, ControlNetModel]:
    xl = UNet2DConditionModel(**SDXL_UNET).eval()
    made = {"sd1": lively(load("tiny-sd1").unet, 71), "sd2": lively(load("tiny-sd2").unet, 74), "sdxl": lively(xl, 76)}
    for name, model in made.items():
        model.half().save_pretrained(FOLDER / name, safe_serialization=True)
    config = json.loads((FOLDER / "sd1" / "config.json").read_text())
    for name, settings in ALIKE.items():
        write_json(FOLDER / name / "config.json", config | settings)
    return {name: net(name) for name in [*made, *ALIKE]}


def net(name: str) -> ControlNetModel:
    config = json.loads((FOLDER / name / "config.json").read_text())
    made = ControlNetModel.from_config(config).eval()
    weights = load_file(FOLDER / ("sd1" if name in ALIKE else name) / "diffusion_pytorch_model.safetensors")
    made.load_state_dict({key: tensor.float() for key, tensor in weights.items()})
    return made


LDM = {  # tiny-sd1 has two layers a level: its places as the files of the first ControlNets number them
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "conv_in": "input_blocks.0.0",
    "controlnet_cond_embedding.conv_in": "input_hint_block.0", "controlnet_cond_embedding.conv_out": "input_hint_block.14",
    "controlnet_mid_block": "middle_block_out.0",
    "mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1", "mid_block.resnets.1": "middle_block.2",
}
RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0", "conv2": "out_layers.3",
          "conv_shortcut": "skip_connection"}


def ldm_name(name: str) -> str:
    parts = name.split(".")
    if parts[0] == "down_blocks":
        block, kind, number = int(parts[1]), parts[2], int(parts[3])
        place = 1 + 3 * block + (2 if kind == "downsamplers" else number)
        inner = {"resnets": "0", "attentions": "1", "downsamplers": "0.op"}[kind]
        rest = parts[5:] if kind == "downsamplers" else parts[4:]
        if kind == "resnets":
            rest = [RESNET[rest[0]], *rest[1:]]
        return ".".join(["input_blocks", str(place), inner, *rest])
    if parts[0] == "controlnet_down_blocks":
        return ".".join(["zero_convs", parts[1], "0", *parts[2:]])
    if name.startswith("controlnet_cond_embedding.blocks"):
        return ".".join(["input_hint_block", str(2 * int(parts[2]) + 2), *parts[3:]])
    for diffusers, ldm in LDM.items():
        if name.startswith(diffusers + "."):
            rest = name[len(diffusers) + 1 :].split(".")
            if diffusers.startswith("mid_block.resnets"):
                rest = [RESNET[rest[0]], *rest[1:]]
            return ".".join([ldm, *rest])
    raise ValueError(name)


def write_ldm_names() -> None:
    tensors = load_file(FOLDER / "sd1" / "diffusion_pytorch_model.safetensors")
    write_json(FOLDER / "ldm-names.json", {name: "control_model." + ldm_name(name) for name in sorted(tensors)})


def picture(seed: int, width: int, height: int) -> Image.Image:
    numbers = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    values = np.stack([255 * x / width, 255 * y / height, 127 + 120 * np.sin(x / 5 + y / 9)], axis=-1) + numbers.normal(0, 9, (height, width, 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def make_passes(nets: dict[str, ControlNetModel]) -> None:
    tensors, cases = {}, []
    for number, (name, model) in enumerate(nets.items()):
        for guess in (False, True):
            numbers = generator(80 + number)
            height, width = (6, 8) if guess else (7, 5)
            sample = torch.randn(2, 4, height, width, generator=numbers)
            text = torch.randn(2, 77, model.config.cross_attention_dim, generator=numbers)
            image = torch.rand(1, 3, 8 * height, 8 * width, generator=numbers).half().float()
            added = {}
            if name == "sdxl":
                added = {"text_embeds": torch.randn(2, 32, generator=numbers), "time_ids": torch.tensor([[96.0, 64, 0, 8, 96, 64]] * 2)}
            down, mid = model(sample, 401, text, image.expand(2, -1, -1, -1), conditioning_scale=0.8, guess_mode=guess,
                            added_cond_kwargs=added or None, return_dict=False)
            key = f"{name}-{'guess' if guess else 'plain'}"
            tensors |= {f"{key}.sample": sample, f"{key}.text": text, f"{key}.image": image, f"{key}.mid": mid}
            tensors |= {f"{key}.down.{place}": one[:, :, ::3, ::2] for place, one in enumerate(down)}
            tensors |= {f"{key}.{part}": tensor for part, tensor in added.items()}
            cases.append({"name": key, "net": name, "guess": guess, "timestep": 401, "scale": 0.8, "down": len(down)})
    write_tensors(FOLDER / "passes.safetensors", {name: tensor.half() if name.endswith(".image") else tensor for name, tensor in tensors.items()})
    write_json(FOLDER / "passes.json", {"cases": cases})


@dataclass(frozen=True)
class Control:
    net: str
    image: str
    scale: float = 1.0
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class Run(Case):
    controls: tuple[Control, ...] = ()
    guess_mode: bool = False
    tome_controlnet: bool = False


LINES, WAVES = "lines.png", "waves.png"
RUNS = [
    Run("plain", "sd1", "euler", 5, 51, width=96, height=96, controls=(Control("sd1", LINES),)),
    Run("scaled-part", "sd1", "ddim", 6, 52, (HARBOUR,), "blurry", 5.0, 96, 96, controls=(Control("sd1", WAVES, 0.6, 0.2, 0.7),)),
    Run("pndm-two-images", "sd1", "pndm", 5, 53, width=96, height=96, images_per_prompt=2, controls=(Control("sd1", WAVES, 0.8, 0, 0.5),)),
    Run("heun-odd", "sd2", "heun", 4, 54, width=136, height=120, guidance_scale=5.0, controls=(Control("sd2", LINES, 0.7, 0.3, 1),)),
    Run("guess", "sd1", "euler_a", 5, 55, width=96, height=96, guidance_scale=4.0, controls=(Control("sd1", LINES),), guess_mode=True),
    Run("pool", "sd1", "dpmpp_2m", 5, 56, width=96, height=96, controls=(Control("sd1-pool", WAVES),)),
    Run("two", "sd1", "euler", 5, 57, width=96, height=96, controls=(Control("sd1", LINES, 0.5), Control("sd1-bgr", WAVES, 0.4, 0.1, 0.9))),
    Run("unguided", "sd2", "euler", 4, 58, width=96, height=96, guidance_scale=1.0, controls=(Control("sd2", WAVES, 0.5),)),
    Run("tome", "sd1", "euler", 5, 59, width=96, height=96, tome={"ratio": 0.5}, controls=(Control("sd1", LINES),)),
]


def run(pipeline: Any, case: Run, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    nets = [net(control.net) for control in case.controls]
    one = len(nets) == 1
    whole = StableDiffusionControlNetPipeline(
        **{name: part for name, part in pipeline.components.items() if name != "image_encoder"},
        controlnet=nets[0] if one else MultiControlNetModel(nets), requires_safety_checker=False)
    whole.set_progress_bar_config(disable=True)
    whole.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    last: dict[str, torch.Tensor] = {}

    def keep(_pipeline: Any, _step: int, _timestep: Any, values: dict[str, torch.Tensor]) -> dict:
        last["latents"] = values["latents"].clone()
        return values

    def each(values: list) -> Any:
        return values[0] if one else values

    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(whole, **case.tome)
    pictures = whole(
        list(case.prompts), each([Image.open(FOLDER / control.image) for control in case.controls]),
        negative_prompt=[case.negative_prompt] * len(case.prompts), num_inference_steps=case.steps, guidance_scale=case.guidance_scale,
        width=case.width, height=case.height, num_images_per_prompt=case.images_per_prompt, generator=generator(case.seed),
        controlnet_conditioning_scale=each([control.scale for control in case.controls]), guess_mode=case.guess_mode,
        control_guidance_start=each([control.start for control in case.controls]),
        control_guidance_end=each([control.end for control in case.controls]), callback_on_step_end=keep,
    ).images
    tomesd.remove_patch(whole)
    return np.stack([np.asarray(one) for one in pictures]), last["latents"]


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    picture(1, 70, 50).save(FOLDER / LINES)
    picture(2, 96, 96).save(FOLDER / WAVES)
    make_passes(make_nets())
    write_ldm_names()
    make_runs(FOLDER / "runs", RUNS, run)
