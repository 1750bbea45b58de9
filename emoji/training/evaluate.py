"""Generates some motifs by name on white, finds the nearest of all pictures and makes a contact sheet.

    python evaluate.py --workdir DIR --samples 48 --steps 20       prints top1 and top10, writes DIR/sheet.png
    python evaluate.py --workdir DIR --level 2                     the same for an inner level of the UNet while it is trained
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from diffusers import AutoencoderKL
from transformers import CLIPTokenizer

import common
import data
import fast
import growing
import merging
import models

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


def differences(pictures, targets, bank, renders):
    """The mean colour difference (CIE 1976) of each picture to its motif's thumbnail and to its full-size drawing."""
    for picture, target in zip(pictures, targets):
        thumbnails = lab(thumbnail(picture)) - bank[target].reshape(THUMBNAIL, THUMBNAIL, 3)
        drawings = lab(picture) - lab(data.on_background(renders[target], "white")[::data.SIZE // len(picture), ::data.SIZE // len(picture)])
        yield [np.linalg.norm(d, axis=-1).mean() for d in (thumbnails, drawings)]


@torch.no_grad()
def sample(modules, scheduler, states, level, steps, guidance, seeds):
    """DDIM (arXiv:2010.02502) with classifier-free guidance at a level: latents [B, 4, H, W] for hidden states [B + 1, 77, width], the last the empty one's."""
    side, count, device = 64 // 2 ** level, len(seeds), states.device
    x = torch.stack([torch.randn(4, side, side, generator=torch.Generator().manual_seed(s)) for s in seeds]).to(device) / 2 ** level
    both = torch.cat([states[-1:].expand(count, -1, -1), states[:-1]])
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        with torch.autocast(device.type, torch.bfloat16):
            v = modules(x.repeat(2, 1, 1, 1).contiguous(memory_format=torch.channels_last), t.expand(2 * count).to(device), both, level).float()
        plain, prompted = v.chunk(2)
        x = scheduler.step(plain + guidance * (prompted - plain), t, x).prev_sample
    return x


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=48)
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--level", type=int, choices=(0, 1, 2), default=0)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, nargs="+", default=[2.0])
    parser.add_argument("--ratio", type=float, default=0.0, help="share of the 4,096 tokens that is merged")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--raw", action="store_true", help="the weights as they are, not their average")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    fast.set_up(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    motifs, renders = data.load(args.workdir)
    modules, average = growing.Growing(models.unet()), None
    state = common.load(args.workdir / "unet.pt")
    modules.load_state_dict(state["model"])
    if not args.raw:
        average = common.MovingAverage([modules], 0)
        average.load_state_dict(state["average"])
        average.swap()
    tokenizer = CLIPTokenizer.from_pretrained(args.workdir / "tokenizer")
    encoder = models.trained_text_encoder(tokenizer, common.load(args.workdir / "text.pt"))
    vae = AutoencoderKL.from_pretrained(args.workdir / "vae")
    for module in (modules, encoder, vae):
        module.to(device)
    fast.fuse(modules.unet), fast.fuse(vae)
    modules.unet.set_attn_processor(merging.MergingProcessor(args.ratio, least=4096))
    drawn = np.random.default_rng(args.seed).choice(len(motifs), args.samples, replace=False)
    for guidance in args.guidance:
        pictures = []
        for i in range(0, len(drawn), args.batch):
            captions = [data.with_article(motifs[j]["name"]) for j in drawn[i:i + args.batch]] + [""]
            ids = tokenizer(captions, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt").input_ids.to(device)
            with torch.no_grad(), torch.autocast(device, torch.bfloat16):
                latents = sample(modules, models.scheduler(), encoder(ids)[0], args.level, args.steps, guidance, range(args.seed + i, args.seed + i + len(captions) - 1))
                made = vae.decode(latents.to(memory_format=torch.channels_last)).sample.float()
            pictures.extend(((made / 2 + 0.5).clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy())
        known = bank(args.workdir, renders)
        found, (thumbnails, drawings) = np.array(ranks(pictures, drawn, known)), np.mean(list(differences(pictures, drawn, known, renders)), 0)
        print(f"step {state['step']} samples {len(found)} level {args.level} steps {args.steps} guidance {guidance}: top1 {(found < 1).mean():.3f} "
              f"top10 {(found < 10).mean():.3f} top50 {(found < 50).mean():.3f} median rank {np.median(found):.0f} "
              f"ratio {args.ratio} difference of thumbnails {thumbnails:.2f}, of drawings {drawings:.2f}", flush=True)
    k = pictures[0].shape[0] // 128
    tiles = [np.concatenate([data.on_background(renders[j], "white")[::4, ::4], p[::k, ::k]]) for j, p in zip(drawn[:48], pictures)]
    rows = [np.concatenate(tiles[i:i + 12], 1) for i in range(0, len(tiles) // 12 * 12, 12)]
    if rows:
        Image.fromarray(np.concatenate(rows)).save(args.workdir / "sheet.png")  # above each picture, its motif


if __name__ == "__main__":
    main()
