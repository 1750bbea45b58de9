"""Times diffusers + tomesd on a GPU, on the cells of `tome bench`: sizes, batches, without and with merging.

    python reference/gpu_cells.py [--sizes 512,768,1024] [--batches 1,2,4,8,10] [--seconds 1] [--out FOLDER]

A cell is a denoising step: Stable Diffusion 1.5's UNet at its full size with random weights in fp16, channels-last, with scaled_dot_product_attention, on both halves of
a batch with guidance, and a DDIM step. It is warmed up, then timed three times over as many steps as --seconds has room for; the median counts. Prints a JSON object a
cell, and with --out adds it to gpu-cells.jsonl there. Needs a GPU and requirements.txt.
"""

import argparse
import json
import time
from pathlib import Path

import tomesd
import torch
from contenders import GUIDANCE_SCALE
from diffusers import DDIMScheduler, UNet2DConditionModel


def unet() -> UNet2DConditionModel:
    """Stable Diffusion 1.5's, with random weights made on the GPU."""
    with torch.device("meta"):
        model = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    model = model.eval().half().to_empty(device="cuda")
    for name, p in model.named_parameters():
        if p.dim() > 1:
            p.normal_(0, p[0].numel() ** -0.5)
        else:
            p.fill_(0 if name.endswith("bias") else 1)
    return model.to(memory_format=torch.channels_last)


def seconds_a_step(model, scheduler, size: int, batch: int, steps: int) -> float:
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(2 * batch, 77, 768, generator=generator).to("cuda", torch.float16)
    latents = torch.randn(batch, 4, size // 8, size // 8, generator=generator).to("cuda", torch.float16)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for t in scheduler.timesteps[:steps]:
        plain, prompted = model(torch.cat([latents, latents]), t, encoder_hidden_states=text, return_dict=False)[0].chunk(2)
        latents = scheduler.step(plain + GUIDANCE_SCALE * (prompted - plain), t, latents, return_dict=False)[0]
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps


def cell(model, scheduler, size: int, batch: int, seconds: float) -> dict:
    """The median of three, their number of steps and the most that the allocator handed out; "oom" where memory ran out."""
    try:
        torch.cuda.reset_peak_memory_stats()
        seconds_a_step(model, scheduler, size, batch, 2)
        steps = max(2, min(20, int(seconds / 3 / seconds_a_step(model, scheduler, size, batch, 1))))
        samples = sorted(seconds_a_step(model, scheduler, size, batch, steps) for _ in range(3))
        return dict(seconds=samples[1], samples=samples, steps=steps, peak_bytes=torch.cuda.max_memory_allocated())
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return dict(oom=True)


@torch.no_grad()
def main() -> None:
    def numbers(text: str) -> list[int]:
        return [int(n) for n in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=numbers, default=[512, 768, 1024])
    parser.add_argument("--batches", type=numbers, default=[1, 2, 4, 8, 10])
    parser.add_argument("--seconds", type=float, default=1.0, help="what a cell may take, roughly")
    parser.add_argument("--ratio", type=float, default=0.5)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    model, scheduler = unet(), DDIMScheduler(beta_schedule="scaled_linear")
    scheduler.set_timesteps(50)
    for batch in args.batches:
        for size in args.sizes:
            for ratio in (0.0, args.ratio):
                if ratio:
                    tomesd.apply_patch(model, ratio=ratio)
                row = dict(size=size, batch=batch, ratio=ratio, gpu=torch.cuda.get_device_name()) | cell(model, scheduler, size, batch, args.seconds)
                if ratio:
                    tomesd.remove_patch(model)
                print(json.dumps(row), flush=True)
                if args.out:
                    args.out.mkdir(parents=True, exist_ok=True)
                    with (args.out / "gpu-cells.jsonl").open("a") as file:
                        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
