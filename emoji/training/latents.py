"""Encodes every picture once: on white and on a few named backgrounds.

    python latents.py --workdir DIR --size 256 --coloured 2      writes DIR/latents-256.pt
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from diffusers import AutoencoderKL

import common
import data
import fast

BATCH = {"cpu": 1, "cuda": 32}


@torch.no_grad()
def encode(vae, renders, size, colours, device):
    """Means of the latents, fp16 [N, 4, size / 8, size / 8], of picture i on the background colours[i], an index in data.COLOURS."""
    found = []
    for first in range(0, len(renders), BATCH[device]):
        some = slice(first, first + BATCH[device])
        rgb = data.laid_on(torch.from_numpy(renders[some]).to(device), colours[some].to(device))
        x = F.avg_pool2d(rgb, data.SIZE // size).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16):
            found.append((vae.encode(x).latent_dist.mean.float() * vae.config.scaling_factor).half().cpu())
    return torch.cat(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--size", type=int, choices=(256, 512), required=True)
    parser.add_argument("--coloured", type=int, default=2, help="how many coloured backgrounds a picture gets")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    fast.set_up(args.threads)
    path = args.workdir / f"latents-{args.size}.pt"
    if path.exists():
        return
    device = "cuda" if torch.cuda.is_available() else "cpu"
    _, renders = data.load(args.workdir)
    vae = fast.fuse(AutoencoderKL.from_pretrained(args.workdir / "vae").to(device))
    white = encode(vae, renders, args.size, torch.zeros(len(renders), dtype=torch.long), device)
    rng = np.random.default_rng(3)
    drawn = torch.from_numpy(rng.integers(1, len(data.COLOURS), (args.coloured, len(renders))))
    coloured = [encode(vae, renders, args.size, row, device) for row in drawn]
    common.save(path, dict(white=white, coloured=torch.stack(coloured) if coloured else white[None, :0], colour=drawn))


if __name__ == "__main__":
    main()
