"""Python's side of side_by_side.py: a process that is asked for seconds, one JSON object a line, until stdin ends.

    {"kind": "step", "resolution": 512, "batch": 1, "ratio": 0.5, "steps": 1}      seconds a step, with random weights
    {"kind": "image", "resolution": 512, "batch": 1, "ratio": 0.5, "steps": 20}    seconds from noise to pixels, from --model

It answers {"seconds": 4.2}, or {"seconds": null} where a contender does not do what is asked (`openvino` does not merge).
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from parts.sd15 import UNET

GUIDANCE_SCALE = 7.5
IMAGE_STEPS = 50
PROMPT = "a photo of an astronaut riding a horse on mars"
DEEPCACHE_INTERVAL = 3  # as DeepCache's README uses it
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def random_unet(dtype: torch.dtype, device: str) -> torch.nn.Module:
    """Stable Diffusion 1.5's UNet with weights that keep activations at a sane size."""
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(**UNET)
    unet = unet.eval().to(dtype).to_empty(device=device)
    for name, parameter in unet.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_(0, parameter[0].numel() ** -0.5)
        else:
            parameter.fill_(0 if name.endswith("bias") else 1)
    return unet


class Eager:
    """diffusers as it is, with tomesd where the ratio is not 0."""

    def __init__(self, dtype: str, device: str, model: Path | None) -> None:
        self.dtype, self.device, self.merged = DTYPES[dtype], device, 0.0
        self.pipeline = load(model, self.dtype).to(device) if model else None
        unet = self.pipeline.unet if self.pipeline else random_unet(self.dtype, device)
        # As users run it, fp32 stays in torch's own layout.
        self.unet = unet if dtype == "fp32" else unet.to(memory_format=torch.channels_last)

    def describe(self) -> str:
        import diffusers

        where = torch.cuda.get_device_name() if self.device == "cuda" else f"{torch.get_num_threads()} threads"
        return f"torch {torch.__version__}, diffusers {diffusers.__version__}, tomesd {version('tomesd')}, {where}"

    def network(self, resolution: int, batch: int, ratio: float) -> Callable[..., torch.Tensor] | None:
        """What predicts noise from latents, timestep and text, or None if this contender does not do that."""
        import tomesd

        if ratio != self.merged:
            if self.merged:
                tomesd.remove_patch(self.unet)
            if ratio:
                tomesd.apply_patch(self.unet, ratio=ratio)
            self.merged = ratio
        return lambda latents, timestep, text: self.unet(latents, timestep, encoder_hidden_states=text).sample

    def wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()


class DeepCache(Eager):
    """The same, and deep features kept for an interval of steps: of whole images only, since no step is like the other."""

    def __init__(self, dtype: str, device: str, model: Path | None) -> None:
        super().__init__(dtype, device, model)
        self.helper = None

    def describe(self) -> str:
        return super().describe() + f", deepcache {version('deepcache')} (interval {DEEPCACHE_INTERVAL}, branch 0)"

    def network(self, resolution: int, batch: int, ratio: float) -> Callable[..., torch.Tensor] | None:
        from DeepCache import DeepCacheSDHelper

        if self.pipeline is None:
            return None
        if self.helper:
            self.helper.disable()
        network = super().network(resolution, batch, ratio)
        self.helper = DeepCacheSDHelper(pipe=self.pipeline)
        self.helper.set_params(cache_interval=DEEPCACHE_INTERVAL, cache_branch_id=0)
        self.helper.enable()
        return network


class OpenVino(Eager):
    """The UNet converted for OpenVINO with a static shape, computed in bf16; merging by tomesd is traced into it."""

    def __init__(self, merging: bool, model: Path | None) -> None:
        super().__init__("fp32", "cpu", model)
        self.merging, self.compiled, self.made_for = merging, None, None

    def describe(self) -> str:
        import openvino

        merging = f", tomesd {version('tomesd')} traced into it, without random destinations" if self.merging else ""
        return f"openvino {openvino.__version__}, bf16, static shape{merging}"

    def network(self, resolution: int, batch: int, ratio: float) -> Callable[..., torch.Tensor] | None:
        if self.merging != (ratio > 0):
            return None
        if self.made_for != (resolution, batch, ratio):
            if self.made_for:
                raise ValueError(f"compiled for {self.made_for}: a process compiles once")
            self.compiled = self.compile(resolution, batch, ratio)
            self.made_for = resolution, batch, ratio
            self.unet.to("meta")  # its weights were copied, and 3.4 GB more would not fit beside the others

        def predict(latents: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
            inputs = [latents.float().numpy(), torch.as_tensor(timestep, dtype=torch.float32).numpy(), text.float().numpy()]
            return torch.from_numpy(self.compiled(inputs)[0])

        return predict

    def compile(self, resolution: int, batch: int, ratio: float) -> Any:
        import openvino
        import tomesd

        class Network(torch.nn.Module):
            def __init__(self, unet: torch.nn.Module) -> None:
                super().__init__()
                self.unet = unet

            def forward(self, latents: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
                return self.unet(latents, timestep, encoder_hidden_states=text, return_dict=False)[0]

        side = resolution // 8
        example = (torch.randn(2 * batch, 4, side, side), torch.tensor(1.0), torch.randn(2 * batch, 77, self.unet.config.cross_attention_dim))
        if ratio:
            tomesd.apply_patch(self.unet, ratio=ratio, use_rand=False)  # a trace keeps no generator
        converted = openvino.convert_model(Network(self.unet), example_input=example, input=[tuple(x.shape) for x in example])
        if ratio:
            tomesd.remove_patch(self.unet)
        return openvino.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "LATENCY"})


def load(model: Path, dtype: torch.dtype) -> Any:
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=dtype, safety_checker=None)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


class Predicted(torch.nn.Module):
    """Stands for a pipeline's UNet: its config, and a function that predicts."""

    def __init__(self, unet: torch.nn.Module, predict: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.config, self.dtype, self.device, self.predict = unet.config, unet.dtype, unet.device, predict

    def forward(self, latents: torch.Tensor, timestep: torch.Tensor, encoder_hidden_states: torch.Tensor, **_: Any) -> tuple[torch.Tensor]:
        return (self.predict(latents, timestep, encoder_hidden_states),)


def seconds_a_step(contender: Eager, resolution: int, batch: int, ratio: float, steps: int) -> float | None:
    from diffusers import DDIMScheduler

    network = contender.network(resolution, batch, ratio)
    if network is None:
        return None
    scheduler = DDIMScheduler(beta_schedule="scaled_linear")
    generator = torch.Generator("cpu").manual_seed(0)
    text = torch.randn(2 * batch, 77, 768, generator=generator).to(contender.device, contender.dtype)
    latents = torch.randn(batch, 4, resolution // 8, resolution // 8, generator=generator).to(contender.device, contender.dtype)
    scheduler.set_timesteps(max(IMAGE_STEPS, steps))
    contender.wait()
    start = time.perf_counter()
    for timestep in scheduler.timesteps[:steps]:
        both = network(torch.cat([latents, latents]), timestep, text)
        unconditional, conditional = both.chunk(2)
        guided = unconditional + GUIDANCE_SCALE * (conditional - unconditional)
        latents = scheduler.step(guided, timestep, latents).prev_sample
    contender.wait()
    return (time.perf_counter() - start) / steps


def seconds_an_image(contender: Eager, resolution: int, batch: int, ratio: float, steps: int) -> float | None:
    network = contender.network(resolution, batch, ratio)
    if network is None:
        return None
    pipeline = contender.pipeline
    if isinstance(contender, OpenVino):
        pipeline.unet = Predicted(contender.unet, network)
    contender.wait()
    start = time.perf_counter()
    pipeline(PROMPT, height=resolution, width=resolution, num_inference_steps=steps, guidance_scale=GUIDANCE_SCALE,
             num_images_per_prompt=batch, generator=torch.Generator("cpu").manual_seed(0))
    contender.wait()
    return time.perf_counter() - start


def make(name: str, device: str, model: Path | None) -> Eager:
    if name.startswith("openvino"):
        return OpenVino(name == "openvino-tomesd", model)
    if name == "deepcache":
        return DeepCache("bf16" if device == "cpu" else "fp16", device, model)
    return Eager(name.split("-")[0], device, model)


def serve(name: str, device: str, model: Path | None) -> None:
    torch.set_grad_enabled(False)
    contender = make(name, device, model)
    print(json.dumps({"ready": contender.describe()}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        ask = {"step": seconds_a_step, "image": seconds_an_image}[question.pop("kind")]
        print(json.dumps({"seconds": ask(contender, **question)}), flush=True)
