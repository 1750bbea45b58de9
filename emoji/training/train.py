"""Trains the text encoder and the UNet together, one stage a call; a later call goes on where the last one stopped.

    python train.py --workdir DIR --stage small --size 16 --minutes 15
    python train.py --workdir DIR --stage middle --size 32 --minutes 120
    python train.py --workdir DIR --stage full --size 64 --minutes 120 --merge 0.5 --decay 0.4

``--size`` is the side of the latents: 64 for 512x512 pictures. 16 halves the latents of 256x256 pictures.
Writes DIR/unet.pt (weights, their average, the optimiser) every few minutes and DIR/unet.csv.
"""
import argparse
import signal
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from transformers import CLIPTokenizer

import common
import data
import fast
import merging
import models

UNCONDITIONAL, COLOURED = 0.1, 0.2  # shares of the samples


class Samples:
    """Draws batches that depend only on the seed and the step, so that a resumed run goes on as if never stopped."""

    def __init__(self, workdir, size):
        self.motifs, _ = data.load(workdir)
        cache = common.load(workdir / f"latents-{512 if size == 64 else 256}.pt")
        self.white, self.coloured, self.colour = cache["white"], cache["coloured"], cache["colour"]
        self.size, self.colours = size, list(data.COLOURS)

    def batch(self, step, count):
        """Latents [count, 4, size, size] and their captions."""
        first, n = step * count, len(self.motifs)
        rng = np.random.default_rng((4, step))
        latents, captions = [], []
        for i in range(first, first + count):
            motif = np.random.default_rng((5, i // n)).permutation(n)[i % n]
            version = rng.integers(len(self.coloured)) if rng.random() < COLOURED and self.coloured.shape[1] else None
            colour = "white" if version is None else self.colours[self.colour[version, motif]]
            latents.append(self.white[motif] if version is None else self.coloured[version, motif])
            captions.append("" if rng.random() < UNCONDITIONAL else data.caption(self.motifs[motif], rng, colour))
        x = torch.stack(latents).float()
        return F.avg_pool2d(x, x.shape[-1] // self.size), captions


def timesteps(count, generator):
    """Noise levels, more of the high ones: there it is decided what the picture shows, and that is what must be learnt by heart."""
    u = torch.rand(count, generator=generator)
    return (1000 * u ** 0.7).long().clamp(max=999)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--stage", required=True, help="a name; its budget is counted over all calls with the same name")
    parser.add_argument("--size", type=int, choices=(16, 32, 64), required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--merge", type=float, default=0.0, help="share of the 4,096 tokens merged in training, in nine of ten steps")
    parser.add_argument("--decay", type=float, default=0.0, help="last part of the stage over which the learning rate falls to a fiftieth")
    parser.add_argument("--average", type=float, default=0.998, help="decay of the moving average of the weights")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    fast.set_up(args.threads)
    torch.manual_seed(6)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    tokenizer = CLIPTokenizer.from_pretrained(args.workdir / "tokenizer")
    text_encoder, unet = models.text_encoder(tokenizer).to(device), fast.fuse(models.unet().to(device))
    attention = merging.MergingProcessor(args.merge, least=4096)
    if args.merge or device == "cpu":
        unet.set_attn_processor(attention)  # plain matrix products train faster than the fused attention on a CPU
    modules = torch.nn.ModuleDict(dict(text_encoder=text_encoder, unet=unet))
    optimiser = common.Muon(modules.named_parameters(), args.rate, adam_names=("embedding.weight", "conv_in", "conv_out", "time_emb"))
    average = common.MovingAverage([modules], args.average)
    path = args.workdir / "unet.pt"
    state = common.load(path)
    spent = state.get("spent", {})
    budget, step = common.Budget(args.minutes, spent.get(args.stage, 0.0)), state.get("step", 0)
    if budget.progress() >= 1:
        return
    if state:
        modules.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.load_state_dict(state["average"])
    del state

    scheduler, samples = models.scheduler(), Samples(args.workdir, args.size)
    sums, saved, stop = [], budget.spent(), []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))  # a plain kill saves first
    while True:
        x, captions = samples.batch(step, args.batch)
        generator = torch.Generator().manual_seed(step)
        t, noise = timesteps(len(x), generator), torch.randn(x.shape, generator=generator)
        noisy, target = scheduler.add_noise(x, noise, t), scheduler.get_velocity(x, noise, t)
        ids = tokenizer(captions, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt").input_ids
        attention.ratio = args.merge if step % 10 else 0.0
        with torch.autocast(device, torch.bfloat16):
            states = text_encoder(ids.to(device))[0]  # [B, 77, width]
            v = unet(noisy.to(device, memory_format=torch.channels_last), t.to(device), states).sample
        losses = (v.float() - target.to(device)).square().mean((1, 2, 3))
        rate = common.learning_rate(args.rate, step, budget.progress(), decay_from=1 - args.decay)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        losses.mean().backward()
        torch.nn.utils.clip_grad_norm_(modules.parameters(), 1.0)
        optimiser.step()
        average.update()
        step += 1
        high = t.to(device) > 800
        sums.append((losses.mean().item(), losses[high].mean().item() if high.any() else float("nan")))
        if step % 50 == 0:
            loss, noisiest = np.nanmean(sums, 0)
            common.log(args.workdir / "unet.csv", stage=args.stage, step=step, seconds=int(budget.spent()), loss=float(loss), loss_t800=float(noisiest), rate=rate)
            sums = []
        done = stop or budget.progress() >= 1
        if done or budget.spent() - saved > 240:
            saved = budget.spent()
            spent[args.stage] = saved
            common.save(path, dict(model=modules.state_dict(), optimiser=optimiser.state_dict(), average=average.state_dict(), step=step, spent=spent))
        if done:
            return


if __name__ == "__main__":
    main()
