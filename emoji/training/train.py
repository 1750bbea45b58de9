"""Trains the UNet on the hidden states of the finished text encoder, one level a call; a later call goes on where the last one stopped.

    python train.py --workdir DIR --level 2 --minutes 30
    python train.py --workdir DIR --level 1 --minutes 30
    python train.py --workdir DIR --level 0 --minutes 30 --merge 0.5 --decay 0.4

Levels are growing.py's: 2 is 16x16 latents, 1 is 32x32, 0 is 64x64 (512x512 pictures).
Writes DIR/unet.pt (weights, their average, the optimiser) every few minutes and DIR/unet.csv.
"""
import argparse
import signal
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPTokenizer

import common
import data
import fast
import growing
import merging
import models

UNCONDITIONAL, COLOURED = 0.1, 0.2  # shares of the samples
WORDINGS = 4  # captions that a picture on one background has in training


@torch.no_grad()
def hidden_states(workdir, motifs, colour):
    """What the text encoder says to the captions that training uses, bf16: white and coloured [N, WORDINGS, 77, width], none [77, width]."""
    path, text = workdir / "states.pt", common.load(workdir / "text.pt")
    cache = common.load(path)
    if cache.get("step") == text["step"]:
        return cache
    tokenizer, device = CLIPTokenizer.from_pretrained(workdir / "tokenizer"), "cuda" if torch.cuda.is_available() else "cpu"
    encoder = models.trained_text_encoder(tokenizer, text).to(device)

    def states(captions):
        ids = tokenizer(captions, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt").input_ids
        with torch.autocast(device, torch.bfloat16):
            return encoder(ids.to(device))[0].bfloat16().cpu()

    rng = np.random.default_rng(4)
    found = dict(step=text["step"], none=states([""])[0])
    for name, grounds in (("white", ["white"] * len(motifs)), ("coloured", colour)):
        captions = [[data.caption(m, rng, c) for _ in range(WORDINGS)] for m, c in zip(motifs, grounds)]
        if name == "white":
            for m, wordings in zip(motifs, captions):
                wordings[0] = data.with_article(m["name"])
        found[name] = torch.stack([states(wordings) for wordings in captions])
    common.save(path, found)
    return found


class Samples:
    """Draws batches that depend only on the seed and the step, so that a resumed run goes on as if never stopped."""

    def __init__(self, workdir, level):
        self.motifs, _ = data.load(workdir)
        cache = common.load(workdir / f"latents-{256 if level else 512}.pt")
        self.white, self.coloured, self.level = cache["white"], cache["coloured"][0], level
        self.states = hidden_states(workdir, self.motifs, [list(data.COLOURS)[c] for c in cache["colour"][0]])

    def batch(self, step, count):
        """Latents [count, 4, size, size] and the hidden states of their captions."""
        first, n = step * count, len(self.motifs)
        rng = np.random.default_rng((4, step))
        latents, states = [], []
        for i in range(first, first + count):
            motif = np.random.default_rng((5, i // n)).permutation(n)[i % n]
            on_white = rng.random() >= COLOURED
            latents.append((self.white if on_white else self.coloured)[motif])
            wording = self.states["white" if on_white else "coloured"][motif, rng.integers(WORDINGS)]
            states.append(self.states["none"] if rng.random() < UNCONDITIONAL else wording)
        return torch.stack(latents).float(), torch.stack(states)


def timesteps(count, level, generator):
    """Noise levels, more of the high ones: there it is decided what the picture shows. Inner levels see less of the noise."""
    u = torch.rand(count, generator=generator)
    return (1000 * u ** (0.7, 0.55, 0.4)[level]).long().clamp(max=999)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--level", type=int, choices=(0, 1, 2), required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--inner", type=int, default=0, help="pictures at level 2 that each step trains on besides: what to draw is learnt there for little")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--merge", type=float, default=0.0, help="share of the 4,096 tokens merged in training, in nine of ten steps")
    parser.add_argument("--decay", type=float, default=0.0, help="last part of the stage over which the learning rate falls to a fiftieth")
    parser.add_argument("--average", type=float, default=0.998, help="decay of the moving average of the weights")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    fast.set_up(args.threads)
    torch.manual_seed(6)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    unet = fast.fuse(models.unet().to(device))
    attention = merging.MergingProcessor(args.merge, least=4096)
    if args.merge or device == "cpu":
        unet.set_attn_processor(attention)  # plain matrix products train faster than the fused attention on a CPU
    modules = growing.Growing(unet).to(device)
    optimiser = common.Muon(modules.named_parameters(), args.rate, adam_names=("conv_in", "conv_out", "time_emb", "enter", "leave"))
    average = common.MovingAverage([modules], args.average)
    path = args.workdir / "unet.pt"
    state = common.load(path)
    spent, stage = state.get("spent", {}), f"level {args.level}"
    budget, step = common.Budget(args.minutes, spent.get(stage, 0.0)), state.get("step", 0)
    begun = step  # where this stage's learning rate begins to rise
    if budget.progress() >= 1:
        return
    if state:
        modules.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.load_state_dict(state["average"])
        begun = state.get("begun", 0)
        if stage not in spent:
            begun = step
            average.swap()
            modules.grow(args.level)
            average.restart()
    del state

    scheduler, samples = models.scheduler(), Samples(args.workdir, args.level)
    sums, saved, stop = [], budget.spent(), []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))  # a plain kill saves first
    while True:
        generator = torch.Generator().manual_seed(step)
        attention.ratio = args.merge if step % 10 else 0.0

        def losses_at(level, first, count):
            """The squared errors [count] of the pictures from the ``first`` batch on, which is backpropagated, and the timesteps."""
            x, states = samples.batch(first, count)
            x = growing.pooled(x, level - (args.level > 0))  # the inner levels' own latents are half as large
            t, noise = timesteps(len(x), level, generator), torch.randn(x.shape, generator=generator) / 2 ** level
            noisy, target = scheduler.add_noise(x, noise, t), scheduler.get_velocity(x, noise, t)
            with torch.autocast(device, torch.bfloat16):
                v = modules(noisy.to(device, memory_format=torch.channels_last), t.to(device), states.to(device), level)
            losses = (v.float() - target.to(device)).square().mean((1, 2, 3))
            losses.mean().backward()
            return losses.detach().cpu(), t

        optimiser.zero_grad()
        losses, t = losses_at(args.level, step, args.batch)
        inner = losses_at(2, step, args.inner)[0].mean().item() if args.inner else float("nan")
        rate = common.learning_rate(args.rate, step - begun, budget.progress(), decay_from=1 - args.decay)
        for group in optimiser.param_groups:
            group["lr"] = rate
        torch.nn.utils.clip_grad_norm_([p for p in modules.parameters() if p.grad is not None], 1.0)
        optimiser.step()
        average.update()
        step += 1
        high = t > 800
        sums.append((losses.mean().item(), losses[high].mean().item() if high.any() else float("nan"), inner))
        if step % 50 == 0:
            loss, noisiest, inner = np.nanmean(sums, 0) if args.inner else (*np.nanmean(sums, 0)[:2], 0.0)
            common.log(args.workdir / "unet.csv", stage=stage, step=step, seconds=int(budget.spent()), loss=float(loss), loss_t800=float(noisiest), loss_inner=float(inner), rate=rate)
            sums = []
        done = stop or budget.progress() >= 1
        if done or budget.spent() - saved > 240:
            saved = budget.spent()
            spent[stage] = saved
            common.save(path, dict(model=modules.state_dict(), optimiser=optimiser.state_dict(), average=average.state_dict(), step=step, begun=begun, spent=spent))
        if done:
            return


if __name__ == "__main__":
    main()
