"""Trains the UNet on the hidden states of the finished text encoder, one level a call; a later call goes on where the last one stopped.

    python train.py --workdir DIR --level 2 --minutes 30
    python train.py --workdir DIR --level 1 --minutes 30
    python train.py --workdir DIR --level 0 --samples 140000 --merge 0.5 --decay 0.2

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
from workers import Workers

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
        whole = workdir / "latents-512.pt"
        cache = common.load(whole if level == 0 or whole.exists() else workdir / "latents-256.pt")
        self.white, self.coloured = cache["white"], cache["coloured"][0]
        self.states = hidden_states(workdir, self.motifs, [list(data.COLOURS)[c] for c in cache["colour"][0]])

    def batch(self, step, count):
        """Latents [count, 4, 64 or 32, the same] and the hidden states of their captions."""
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
    """Noise levels, more of the high ones: there it is decided what the picture shows. Inner levels see less of the noise.

    They are spread over a batch, one of each count-th part, so that the loss and its gradient vary less.
    """
    u = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
    return (1000 * u ** (0.7, 0.55, 0.4)[level]).long().clamp(max=999)


@torch.no_grad()
def noisy_latents(samples, scheduler):
    """Some latents at all levels of noise, with timesteps and hidden states."""
    (x, states), generator = samples.batch(0, 8), torch.Generator().manual_seed(7)
    t = timesteps(len(x), 0, generator)
    return scheduler.add_noise(x, torch.randn(x.shape, generator=generator), t), t, states.float()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--level", type=int, choices=(0, 1, 2), required=True)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="what the stage may take, earlier runs included")
    budget.add_argument("--samples", type=int, help="how many pictures the stage may see, earlier runs included, those of --inner not")
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--inner", type=int, default=0, help="pictures at level 2, every third step a quarter as many at level 1, that each step trains on besides: what to draw is learnt there for little")
    parser.add_argument("--thin", action="store_true", help="train only the two layers that an inner level works alone with, which resume.py could not find")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--merge", type=float, default=0.0, help="share of the 4,096 tokens merged in training, in nine of ten steps")
    parser.add_argument("--decay", type=float, default=0.0, help="last part of the stage over which the learning rate falls to a fiftieth")
    parser.add_argument("--average", type=float, default=0.998, help="decay of the moving average of the weights")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1, help="processes of one thread each that share the batches; needs --samples")
    args = parser.parse_args()
    if args.thin and not (args.level and (args.workdir / "latents-512.pt").exists()):
        parser.error("--thin is for the levels 1 and 2, and needs the latents of latents.py --size 512")
    if args.workers > 1 and (args.samples is None or args.batch % args.workers or args.inner % (4 * args.workers)):
        parser.error("--workers needs --samples, and batches that can be shared evenly")
    fast.set_up(args.threads if args.workers == 1 else 1)
    torch.manual_seed(6)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    path, stage = args.workdir / "unet.pt", f"{'thin' if args.thin else 'level'} {args.level}"
    state = common.load(path)
    stages = state.get("stages", {})
    begun = stages.get(stage, dict(seconds=0.0, samples=0, step=state.get("step", 0)))  # the learning rate rises from that step on
    budget, step = common.Budget(args.minutes, begun["seconds"], args.samples, begun["samples"]), state.get("step", 0)
    if budget.progress() >= 1:
        return
    samples = Samples(args.workdir, args.level)
    if args.workers > 1 and device == "cpu":
        fast.kernel()  # compiled once
    workers = Workers(args.workers)

    unet = fast.fuse(models.unet().to(device))
    attention = merging.MergingProcessor(args.merge, least=4096)
    if args.merge or device == "cpu":
        unet.set_attn_processor(attention)  # plain matrix products train faster than the fused attention on a CPU
    modules = growing.Growing(unet).to(device)
    optimiser = common.Muon(modules.named_parameters(), args.rate, adam_names=("conv_in", "conv_out", "time_emb", "enter", "leave"))
    average = common.MovingAverage([modules], args.average)
    if state:
        modules.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        if "optimiser" in state:  # a model that resume.py took up has none
            optimiser.load_state_dict(state["optimiser"])
        if stage not in stages and args.thin:
            modules.fit_entrances(*noisy_latents(samples, models.scheduler()))
        elif stage not in stages:
            average.swap()
            modules.grow(args.level)
            average.restart()
    del state
    if args.thin:
        modules.unet.requires_grad_(False)

    scheduler = models.scheduler()
    sums, saved, stop = [], budget.spent(), []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))  # a plain kill saves first
    while True:
        generator = torch.Generator().manual_seed(step)
        attention.ratio = args.merge if step % 10 else 0.0

        def losses_at(level, first, count):
            """The squared errors of this worker's pictures of the ``count`` from the ``first`` batch on, which are backpropagated, and the timesteps."""
            x, states = samples.batch(first, count)
            x = growing.pooled(x, level)
            t, noise = timesteps(len(x), level, generator), torch.randn(x.shape, generator=generator) / 2 ** level
            x, states, t, noise = workers.part(x, states, t, noise)
            noisy, target = scheduler.add_noise(x, noise, t), scheduler.get_velocity(x, noise, t)
            with torch.autocast(device, torch.bfloat16):
                v = modules(noisy.to(device, memory_format=torch.channels_last), t.to(device), states.to(device), level)
            losses = (v.float() - target.to(device)).square().mean((1, 2, 3))
            losses.mean().backward()
            return losses.detach().cpu(), t

        optimiser.zero_grad()
        losses, t = losses_at(args.level, step, args.batch)
        inner = float("nan")
        if args.inner and step % 3 == 0:
            losses_at(1, step, args.inner // 4)
        elif args.inner:
            inner = losses_at(2, step, args.inner)[0].mean().item()
        rate = common.learning_rate(args.rate, step - begun["step"], budget.progress(), decay_from=1 - args.decay)
        for group in optimiser.param_groups:
            group["lr"] = rate
        trained, stopping = [p for p in modules.parameters() if p.grad is not None], torch.tensor(float(len(stop)))
        workers.mean([*(p.grad for p in trained), stopping])  # all stop at the same step
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        average.update()
        step += 1
        budget.seen += args.batch
        high = t > 800
        sums.append((losses.mean().item(), losses[high].mean().item() if high.any() else float("nan"), inner))
        if step % 50 == 0:
            loss, noisiest, inner = np.nanmean(sums, 0) if args.inner else (*np.nanmean(sums, 0)[:2], 0.0)
            if workers.rank == 0:
                common.log(args.workdir / "unet.csv", stage=stage, step=step, samples=budget.seen, seconds=int(budget.spent()), loss=float(loss), loss_t800=float(noisiest), loss_inner=float(inner), rate=rate)
            sums = []
        done = stopping.item() > 0 or budget.progress() >= 1
        if workers.rank == 0 and (done or budget.spent() - saved > 240):
            saved = budget.spent()
            stages[stage] = dict(seconds=saved, samples=budget.seen, step=begun["step"])
            common.save(path, dict(model=modules.state_dict(), optimiser=optimiser.state_dict(), average=average.state_dict(), step=step, stages=stages))
        if done:
            return workers.close()


if __name__ == "__main__":
    main()
