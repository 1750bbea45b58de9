"""Generates some motifs by name on white, finds the nearest of all pictures and makes a contact sheet.

    python evaluate.py --workdir DIR --samples 48 --size 512 --steps 20       prints top1 and top10, writes DIR/sheet.png
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import data
import export
import fast

THUMBNAIL = 64


def lab(rgb):
    """sRGB uint8 [..., 3] to CIE Lab, D65."""
    c = rgb.astype(np.float32) / 255
    c = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = c @ np.array([[0.4124564, 0.2126729, 0.0193339], [0.3575761, 0.7151522, 0.1191920], [0.1804375, 0.0721750, 0.9503041]], np.float32)
    xyz = xyz / np.array([0.95047, 1.0, 1.08883], np.float32)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def thumbnail(rgb):
    """Box-averaged uint8 [64, 64, 3] of a square picture."""
    k = rgb.shape[0] // THUMBNAIL
    return rgb.reshape(THUMBNAIL, k, THUMBNAIL, k, 3).mean((1, 3)).round().astype(np.uint8)


def bank(workdir, renders):
    """Lab thumbnails of all pictures on white, float32 [N, 64 * 64 * 3], made once."""
    path = workdir / "lab.npy"
    if not path.exists():
        np.save(path, np.stack([lab(thumbnail(data.on_background(r, "white"))).ravel() for r in renders]))
    return np.load(path)


def ranks(pictures, targets, bank):
    """For each picture, how many of the bank are nearer to it than its own motif (0: it is the nearest)."""
    found = []
    for picture, target in zip(pictures, targets):
        distance = np.square(bank - lab(thumbnail(picture)).ravel()).mean(1)
        found.append(int((distance < distance[target]).sum()))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=48)
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--prompt", default="{a}", help="how a motif is asked for; {a} is its name with an article")
    parser.add_argument("--raw", action="store_true", help="the weights as they are, not their average")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    fast.set_up(args.threads)
    motifs, renders = data.load(args.workdir)
    pipe = export.pipeline(args.workdir, not args.raw)
    pipe.set_progress_bar_config(disable=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipe.to(device)
    fast.fuse(pipe.unet)
    fast.fuse(pipe.vae)
    drawn = np.random.default_rng(args.seed).choice(len(motifs), args.samples, replace=False)
    pictures = []
    for i in range(0, len(drawn), 8):
        names = [motifs[j]["name"] for j in drawn[i:i + 8]]
        prompts = [args.prompt.format(a=data.with_article(n), name=n) for n in names]
        noise = [torch.Generator().manual_seed(args.seed + i + k) for k in range(len(prompts))]
        with torch.autocast(device, torch.bfloat16):
            made = pipe(prompts, height=args.size, width=args.size, num_inference_steps=args.steps, guidance_scale=args.guidance,
                        generator=noise, output_type="np").images
        pictures.extend((np.asarray(made, np.float32) * 255).round().astype(np.uint8))
    found = np.array(ranks(pictures, drawn, bank(args.workdir, renders)))
    print(f"samples {len(found)} size {args.size} steps {args.steps} guidance {args.guidance}: "
          f"top1 {(found < 1).mean():.3f} top10 {(found < 10).mean():.3f} top50 {(found < 50).mean():.3f} median rank {np.median(found):.0f}")
    k = args.size // 128
    tiles = [np.concatenate([data.on_background(renders[j], "white")[::4, ::4], p[::k, ::k]]) for j, p in zip(drawn[:48], pictures)]
    rows = [np.concatenate(tiles[i:i + 12], 1) for i in range(0, len(tiles) // 12 * 12, 12)]
    if rows:
        Image.fromarray(np.concatenate(rows)).save(args.workdir / "sheet.png")  # above each picture, its motif


if __name__ == "__main__":
    main()
