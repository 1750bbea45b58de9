"""T2I-Adapters: tiny ones of each type, what they give, and whole runs of diffusers' pipelines with them, SD and SDXL."""

import shutil
from dataclasses import dataclass
from typing import Any

import numpy as np
import tomesd
import torch
from diffusers import MultiAdapter, StableDiffusionAdapterPipeline, StableDiffusionXLAdapterPipeline, T2IAdapter
from PIL import Image

from parts import sdxl
from parts.common import FIXTURES, generator, write_tensors
from parts.controlnet import picture
from parts.rounding import rounded_correctly
from parts.scheduler_cases import CLASSES, NAME_SETTINGS
from parts.sdxl import HARBOUR, ROBOT
from parts.tiny_pipelines import enliven, load
from parts.whole_runs import make_runs

FOLDER = FIXTURES / "t2i-adapter"
COLOURS, GREY, RGB = "colours.png", "grey.png", "grey-as-rgb.png"
ADAPTERS: dict[str, dict[str, Any]] = {
    "full": {"channels": [16, 16, 16, 24], "adapter_type": "full_adapter"},
    "grey": {"channels": [16, 16, 16, 24], "adapter_type": "full_adapter", "in_channels": 1, "num_res_blocks": 1},
    "light": {"channels": [16, 16, 24], "adapter_type": "light_adapter", "num_res_blocks": 4},
    "xl": {"channels": [16, 16, 24, 24], "adapter_type": "full_adapter_xl", "downscale_factor": 16},
}
TOME = {"ratio": 0.5, "max_downsample": 2}


@dataclass(frozen=True)
class Guide:
    adapter: str
    image: str
    scale: float = 1.0


@dataclass(frozen=True)
class Case:
    name: str
    model: str
    scheduler: str
    steps: int
    seed: int
    adapters: tuple[Guide, ...]
    prompt: str = ROBOT
    negative_prompt: str | None = ""
    guidance_scale: float = 6.0
    width: int = 96
    height: int = 96
    images_per_prompt: int = 1
    factor: float = 1.0
    tome: dict[str, Any] | None = None


SD1, SD2, XL = "tiny-sd1", "tiny-sd2", "tiny-sdxl"
CASES = [
    Case("full", SD1, "euler", 5, 701, (Guide("full", COLOURS),)),
    Case("full-odd", SD1, "heun", 4, 702, (Guide("full", COLOURS, 0.7),), HARBOUR, "bad", width=136, height=120),
    Case("full-two-images-tome", SD1, "pndm", 5, 703, (Guide("full", COLOURS, 0.8),), images_per_prompt=2, tome=TOME),
    Case("grey-unguided", SD1, "dpmpp_2m", 5, 704, (Guide("grey", GREY),), guidance_scale=1.0),
    Case("several", SD1, "ddim", 5, 705, (Guide("full", COLOURS, 0.6), Guide("grey", GREY, 0.5)), width=104, height=64),
    Case("light", SD2, "euler_a", 5, 706, (Guide("light", COLOURS),), negative_prompt="bad"),
    Case("light-tome", SD2, "ddim", 5, 707, (Guide("light", COLOURS, 0.6),), tome=TOME),
    Case("xl", XL, "euler", 5, 708, (Guide("xl", COLOURS),), negative_prompt=None),
    Case("xl-part", XL, "dpmpp_2m", 6, 709, (Guide("xl", COLOURS, 0.8),), negative_prompt="bad", factor=0.6, images_per_prompt=2),
    Case("xl-heun", XL, "heun", 4, 710, (Guide("xl", COLOURS),), width=112, height=64),
    Case("xl-several-tome", XL, "euler_a", 5, 711, (Guide("xl", COLOURS, 0.7), Guide("xl", RGB, 0.4)), factor=0.75, tome=TOME),
]


def adapter(name: str) -> T2IAdapter:
    return T2IAdapter.from_pretrained(FOLDER / name, torch_dtype=torch.float32).eval()


def make_adapters() -> None:
    tensors = {}
    for number, (name, config) in enumerate(ADAPTERS.items()):
        model = T2IAdapter(**config).eval()
        enliven(model, 720 + number)
        model.half().save_pretrained(FOLDER / name, safe_serialization=True)
        height, width = (64, 96) if name == "xl" else (72, 104)
        image = torch.rand(1, config.get("in_channels", 3), height, width, generator=generator(730 + number)).half()
        tensors[f"{name}.image"] = image
        tensors |= {f"{name}.{place}": one for place, one in enumerate(adapter(name)(image.float()))}
    write_tensors(FOLDER / "features.safetensors", tensors)


def pipeline(case: Case) -> Any:
    is_xl = case.model == XL
    parts = dict((sdxl.loaded if is_xl else load)(case.model).components)
    adapters = [adapter(one.adapter) for one in case.adapters]
    parts["adapter"] = adapters[0] if len(adapters) == 1 else MultiAdapter(adapters)
    if is_xl:
        made = StableDiffusionXLAdapterPipeline(**parts)
    else:
        parts.pop("image_encoder", None)
        made = StableDiffusionAdapterPipeline(**parts, requires_safety_checker=False)
    settings = NAME_SETTINGS.get(case.scheduler, {})
    made.scheduler = CLASSES[case.scheduler].from_config(parts["scheduler"].config, **settings)
    made.set_progress_bar_config(disable=True)
    return made


def run(made: Any, case: Case, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    made.scheduler = type(made.scheduler).from_config(made.scheduler.config)
    last: dict[str, torch.Tensor] = {}
    images = [Image.open(FOLDER / one.image) for one in case.adapters]
    scales = [one.scale for one in case.adapters]
    more = {"adapter_conditioning_factor": case.factor} if case.model == XL else {}
    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(made, **case.tome)
    with rounded_correctly(case.scheduler):
        pictures = made(
            case.prompt, image=images if len(images) > 1 else images[0], negative_prompt=case.negative_prompt,
            num_inference_steps=case.steps, guidance_scale=case.guidance_scale, width=case.width, height=case.height,
            num_images_per_prompt=case.images_per_prompt, generator=generator(case.seed),
            adapter_conditioning_scale=scales if len(scales) > 1 else scales[0],
            callback=lambda _step, _timestep, latents: last.update(latents=latents.clone()), callback_steps=1, **more,
        ).images
    tomesd.remove_patch(made)
    return np.stack([np.asarray(one) for one in pictures]), last["latents"]


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    picture(31, 70, 50).save(FOLDER / COLOURS, optimize=True)
    grey = picture(32, 64, 80).convert("L")
    grey.save(FOLDER / GREY, optimize=True)
    grey.convert("RGB").save(FOLDER / RGB, optimize=True)
    make_adapters()
    make_runs(FOLDER, CASES, pipeline, run)
