"""SDXL's tasks, and ControlNets with an image to begin with: whole runs from an image, repainted, steered; merged and not."""

import json
import shutil
from dataclasses import dataclass, field
from typing import Any

import diffusers
import numpy as np
import tomesd
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel
from PIL import Image, ImageFilter

from parts import sdxl
from parts.common import FIXTURES, generator
from parts.controlnet import Control, lively, net as sd_net, picture
from parts.resampling import noisy
from parts.rounding import rounded_correctly
from parts.scheduler_cases import CLASSES, NAME_SETTINGS, PATH
from parts.sdxl import BASE, HARBOUR, REFINER, ROBOT
from parts.tiny_pipelines import calibrate, enliven, load
from parts.whole_runs import make_runs

FOLDER = FIXTURES / "sdxl-tasks"
NINE = "tiny-sdxl with the UNet for inpainting"
WIDTH, HEIGHT = 77, 61  # of the source; rounded down to 72 x 56
LINES, WAVES = "lines.png", "waves.png"
OURS = "control"  # the ControlNet made here
TOME = {"ratio": 0.5, "max_downsample": 2}
SIZES = {
    "original_size": [300, 512], "crops_coords_top_left": [3, 70], "target_size": [72, 96], "negative_original_size": [64, 80],
    "negative_crops_coords_top_left": [5, 9], "negative_target_size": [40, 56],
}


@dataclass(frozen=True)
class Case:
    name: str
    scheduler: str
    steps: int
    seed: int
    model: str = BASE
    prompts: tuple[str, ...] = (ROBOT,)
    negative_prompt: str | None = None
    guidance_scale: float | None = None  # none: the pipeline's own
    strength: float | None = None  # none: the pipeline's own
    image: bool = False
    mask: bool = False
    blur: float = 0.0
    padding: int | None = None
    controls: tuple[Control, ...] = ()
    guess_mode: bool = False
    width: int = 72
    height: int = 56
    resized: bool = False  # the source to width x height by the caller: some pipelines go by the image's own size
    images_per_prompt: int = 1
    scheduler_settings: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    tome: dict[str, Any] | None = None


def from_image(name: str, *rest: Any, **more: Any) -> Case:
    return Case(f"from-{name}", *rest, image=True, **more)


def repaint(name: str, *rest: Any, **more: Any) -> Case:
    return Case(f"repaint-{name}", *rest, image=True, mask=True, **more)


def control(name: str, *rest: Any, **more: Any) -> Case:
    return Case(f"control-{name}", *rest, **more)


SD1, SD2 = "tiny-sd1", "tiny-sd2"
CASES = [
    from_image("usual", "euler", 10, 601),
    from_image("sizes", "euler_a", 5, 602, strength=0.6, images_per_prompt=2, negative_prompt="bad", options=SIZES),
    from_image("heun", "heun", 5, 603, strength=0.55, resized=True, width=96, height=64),
    from_image("prompts", "dpmpp_2m_karras", 5, 604, prompts=(ROBOT, HARBOUR), negative_prompt="", strength=0.7),
    from_image("rescale", "unipc", 5, 605, strength=0.8, guidance_scale=9.0, options={"guidance_rescale": 0.7, "prompt_2": "a red apple!! 42"}),
    from_image("unguided", "lcm", 4, 606, strength=0.75, guidance_scale=1.0),
    from_image("whole", "ddim", 4, 607, strength=1.0),
    from_image("tome", "pndm", 5, 608, strength=0.7, resized=True, width=96, height=64, tome=TOME),
    from_image("tome_odd", "dpm2_a", 5, 609, strength=0.6, images_per_prompt=2, tome=TOME | {"max_downsample": 4, "merge_mlp": True}),
    from_image("sde", "dpmpp_sde_karras", 5, 610, strength=0.6, scheduler_settings=PATH),
    from_image("refiner", "euler", 10, 611, model=REFINER, negative_prompt="bad"),
    from_image("refiner_scores", "euler_a", 5, 612, model=REFINER, strength=0.6, images_per_prompt=2,
               options={"aesthetic_score": 7.5, "negative_aesthetic_score": 1.0, "original_size": [300, 512], "crops_coords_top_left": [3, 70]}),
    from_image("refiner_tome", "dpmpp_2m", 5, 613, model=REFINER, strength=0.6, tome=TOME),
    repaint("usual", "euler", 5, 621),
    repaint("two", "euler_a", 5, 622, strength=0.6, images_per_prompt=2, negative_prompt="bad"),
    repaint("noise", "ddim", 5, 623, strength=1.0, options=SIZES),
    repaint("heun", "heun", 5, 624, strength=0.6),
    repaint("pndm_tome", "pndm", 5, 625, strength=0.75, width=96, height=64, tome=TOME),
    repaint("crop", "dpmpp_2m", 5, 626, strength=0.8, padding=6, blur=2.0, width=64, height=48),
    repaint("refiner", "euler", 5, 627, model=REFINER, strength=0.7),
    repaint("nine_usual", "euler", 5, 631, model=NINE),
    repaint("nine_noise", "euler_a", 5, 632, model=NINE, strength=1.0, images_per_prompt=2),
    repaint("nine_ddim", "ddim", 5, 633, model=NINE, strength=0.6, blur=3.0),
    repaint("nine_crop", "dpmpp_2m", 5, 634, model=NINE, strength=0.7, padding=4, width=64, height=48),
    repaint("nine_tome", "euler_a", 5, 635, model=NINE, width=96, height=64, prompts=(ROBOT, HARBOUR), tome=TOME),
    control("plain", "euler", 5, 641, controls=(Control(OURS, LINES),), width=96, height=96),
    control("part", "heun", 5, 642, controls=(Control(OURS, WAVES, 0.7, 0.2, 0.7),), images_per_prompt=2, negative_prompt="bad"),
    control("two", "dpmpp_2m", 6, 643, controls=(Control(OURS, LINES, 0.5, 0.0, 0.6), Control(OURS, WAVES, 0.4, 0.3, 1.0))),
    control("guess", "euler_a", 5, 644, controls=(Control(OURS, LINES),), guess_mode=True, guidance_scale=4.0),
    control("tome", "ddim", 5, 645, controls=(Control(OURS, WAVES, 0.8, 0.0, 0.8),), width=96, height=64, tome=TOME),
    control("from", "euler", 8, 646, image=True, controls=(Control(OURS, LINES, 0.7, 0.2, 0.8),)),
    control("from_two", "pndm", 6, 647, image=True, strength=0.6, images_per_prompt=2,
            controls=(Control(OURS, LINES, 0.5), Control(OURS, WAVES, 0.4, 0.0, 0.5)), tome=TOME),
    control("repaint", "euler", 5, 648, image=True, mask=True, controls=(Control(OURS, LINES, 0.7, 0.0, 0.7),)),
    control("repaint_nine", "euler_a", 5, 649, model=NINE, image=True, mask=True, strength=0.8,
            controls=(Control(OURS, WAVES, 0.6),), guidance_scale=6.0),
    control("sd1_from", "euler_a", 5, 651, model=SD1, image=True, controls=(Control("sd1", LINES, 0.8, 0.2, 1.0),), negative_prompt=""),
    control("sd1_from_guess", "ddim", 5, 652, model=SD1, image=True, strength=0.7, controls=(Control("sd1", LINES, 0.8),), guess_mode=True,
            negative_prompt="bad", width=96, height=64),
    control("sd1_repaint", "dpmpp_2m", 5, 653, model=SD1, image=True, mask=True, strength=0.7, controls=(Control("sd1", WAVES, 0.6, 0.0, 0.6),),
            negative_prompt=""),
    control("sd2_repaint_tome", "euler", 5, 654, model=SD2, image=True, mask=True, controls=(Control("sd2", WAVES, 0.6),),
            negative_prompt="", width=96, height=96, tome=TOME),
]


def nine() -> UNet2DConditionModel:
    """As the base model's, with the channels of a mask and a masked image, and attention at one level alone."""
    model = UNet2DConditionModel(
        sample_size=16, in_channels=9, out_channels=4, norm_num_groups=8, cross_attention_dim=64, block_out_channels=(16, 16, 24),
        layers_per_block=1, attention_head_dim=(2, 2, 3), transformer_layers_per_block=(1, 1, 1), use_linear_projection=True,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=24 + 8 * 6,
    ).eval()
    enliven(model, 81)
    drawn = generator(82)
    sample, text = torch.randn(2, 9, 16, 16, generator=drawn), torch.randn(2, 77, 64, generator=drawn)
    added = {"text_embeds": torch.randn(2, 24, generator=drawn), "time_ids": torch.tensor([[128.0, 128, 0, 0, 128, 128]] * 2)}
    calibrate(model.conv_out, model(sample, 500, text, added_cond_kwargs=added).sample, 0.9)
    return model


def halved(model: Any, folder: str) -> None:
    model.half().save_pretrained(FOLDER / folder, safe_serialization=True)


def net(name: str) -> ControlNetModel:
    """That of SDXL fits the base model and the one for inpainting, whose skip connections are alike."""
    return sd_net(name) if name != OURS else ControlNetModel.from_pretrained(FOLDER / OURS, torch_dtype=torch.float32).eval()


def mask() -> Image.Image:
    """A disc with a soft edge, and grey levels around a half."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    levels = np.clip(255 - 22 * (np.hypot(x - 30, y - 26) - 12), 0, 255)
    levels[40:44, 50:60] = np.arange(123, 133)
    return Image.fromarray(levels.astype(np.uint8)).convert("RGB")


def pipeline(case: Case) -> Any:
    """As a user makes it: the checkpoint's parts in the class for the task, the scheduler set from its config."""
    sd = case.model in (SD1, SD2)
    parts = dict((load(case.model) if sd else sdxl.loaded(BASE if case.model == NINE else case.model)).components)
    if case.model == NINE:
        parts["unet"] = UNet2DConditionModel.from_pretrained(FOLDER / "unet", torch_dtype=torch.float32).eval()
    task = {(False, False): "", (True, False): "Img2Img", (True, True): "Inpaint"}[case.image, case.mask]
    name = "StableDiffusion" + ("" if sd else "XL") + ("ControlNet" if case.controls else "") + task + "Pipeline"
    if sd:
        parts["requires_safety_checker"] = False
        parts.pop("image_encoder", None) if not task else None
    else:
        parts["add_watermarker"] = False
        if task:
            parts["requires_aesthetics_score"] = case.model == REFINER
        parts["force_zeros_for_empty_prompt"] = case.model != REFINER
    if case.controls:
        nets = [net(one.net) for one in case.controls]
        parts["controlnet"] = nets[0] if len(nets) == 1 else MultiControlNetModel(nets)
    made = getattr(diffusers, name)(**parts)
    settings = NAME_SETTINGS.get(case.scheduler, {}) | case.scheduler_settings
    made.scheduler = CLASSES[case.scheduler].from_config(parts["scheduler"].config, **settings)
    made.set_progress_bar_config(disable=True)
    return made


def arguments(case: Case) -> dict[str, Any]:
    call: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in case.options.items()}
    if "prompt_2" in call:
        call["prompt_2"] = [call["prompt_2"]] * len(case.prompts)
    call |= {"prompt": list(case.prompts), "num_inference_steps": case.steps, "num_images_per_prompt": case.images_per_prompt}
    if case.negative_prompt is not None:
        call["negative_prompt"] = [case.negative_prompt] * len(case.prompts)
    call |= {key: value for key in ("guidance_scale", "strength") if (value := getattr(case, key)) is not None}
    size = {"width": case.width, "height": case.height}
    images = [Image.open(FOLDER / one.image) for one in case.controls]
    if case.image:
        start = noisy(WIDTH, HEIGHT, 21)
        call["image"] = start.resize((case.width, case.height), Image.Resampling.LANCZOS) if case.resized else start
    if case.mask:
        white = mask()
        call["mask_image"] = white.filter(ImageFilter.GaussianBlur(case.blur)) if case.blur else white
        call["padding_mask_crop"] = case.padding
    if case.mask or case.controls:
        call |= size
    if case.controls:
        one = len(images) == 1
        values = [[getattr(control, key) for control in case.controls] for key in ("scale", "start", "end")]
        scale, start, end = ([value[0] if one else value for value in values])
        call |= {
            "control_image" if case.image else "image": images[0] if one else images, "guess_mode": case.guess_mode,
            "controlnet_conditioning_scale": scale, "control_guidance_start": start, "control_guidance_end": end,
        }
    return call


def run(pipeline: Any, case: Case, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    last: dict[str, torch.Tensor] = {}

    def keep(_pipeline: Any, _step: int, _timestep: Any, values: dict[str, torch.Tensor]) -> dict:
        last["latents"] = values["latents"].clone()
        return values

    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(pipeline, **case.tome)
    with rounded_correctly(case.scheduler):
        pictures = pipeline(**arguments(case), generator=generator(case.seed), callback_on_step_end=keep).images
    tomesd.remove_patch(pipeline)
    return np.stack([np.asarray(one) for one in pictures]), last["latents"]


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    noisy(WIDTH, HEIGHT, 21).save(FOLDER / "source.png", optimize=True)
    mask().save(FOLDER / "mask.png", optimize=True)
    picture(1, 70, 50).save(FOLDER / LINES, optimize=True)
    picture(2, 64, 64).save(FOLDER / WAVES, optimize=True)
    halved(nine(), "unet")
    four = UNet2DConditionModel.from_config(nine().config | {"in_channels": 4})
    halved(lively(four, 84), OURS)
    index = json.loads((FIXTURES / BASE / "model_index.json").read_text())
    index["_class_name"] = "StableDiffusionXLInpaintPipeline"
    (FOLDER / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    make_runs(FOLDER, CASES, pipeline, run, lambda made: {"pipeline": type(made).__name__})
