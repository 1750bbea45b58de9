"""Trains the text encoder alone: from the caption to a coarse picture, which it writes into the padding's hidden states.

    python text.py --workdir DIR --minutes 30       writes DIR/text.pt and DIR/text.csv

CLIP's text encoder learnt what words look like before Stable Diffusion was trained on it; this is the same step, with a
regression in place of the contrast with an image encoder. The last 64 of the 77 tokens, which a caption seldom reaches, each
stand for one cell of an 8x8 grid over the picture: a linear map, which is thrown away afterwards, has to read the cell's
8x8 pixels of a 64x64 thumbnail from the token's hidden state. The UNet's cross-attention then finds at each place what should
be drawn there, so that it need not learn 1,600 pictures by heart at the price of a UNet's step.
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
import models

UNCONDITIONAL, COLOURED = 0.05, 0.25  # shares of the samples
GRID, THUMBNAIL = 8, 64


class Pictures:
    """Thumbnails of all motifs, from which one on any background is made in a moment."""

    def __init__(self, workdir, device="cpu"):
        path = workdir / "thumbnails.npy"
        self.motifs, renders = data.load(workdir)
        if not path.exists():
            small = [F.avg_pool2d(torch.from_numpy(r).permute(2, 0, 1).float(), data.SIZE // THUMBNAIL).permute(1, 2, 0) for r in renders]
            np.save(path, torch.stack(small).half().numpy())
        self.rgba = torch.from_numpy(np.load(path).astype(np.float32)).to(device)  # [N, 64, 64, 4], premultiplied, 0 to 255
        self.mean = self.lab(self.on(torch.arange(len(self.motifs)), ["white"] * len(self.motifs))).mean(0)

    def on(self, index, colours):
        rgba, ground = self.rgba[index], torch.tensor([data.COLOURS[c] for c in colours], dtype=torch.float32, device=self.rgba.device)
        return (rgba[..., :3] + ground[:, None, None] * (1 - rgba[..., 3:] / 255)) / 255

    @staticmethod
    def lab(rgb):
        """sRGB 0 to 1 [..., 3] to CIE Lab (D65) over 50."""
        c = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        to_xyz = torch.tensor([[0.4124564, 0.2126729, 0.0193339], [0.3575761, 0.7151522, 0.1191920], [0.1804375, 0.0721750, 0.9503041]])
        xyz = c @ to_xyz.to(c.device) / torch.tensor([0.95047, 1.0, 1.08883], device=c.device)
        f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp(min=1e-9) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
        return torch.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1) / 50


def cells(pictures):
    """[B, 64, 64, 3] to [B, 64 cells, 192], the corners' cells first: should a caption be long, little is lost."""
    b, k = len(pictures), THUMBNAIL // GRID
    found = pictures.view(b, GRID, k, GRID, k, 3).transpose(2, 3).reshape(b, GRID * GRID, k * k * 3)
    return found[:, order()]


def order():
    y, x = np.divmod(np.arange(GRID * GRID), GRID)
    return torch.from_numpy(np.argsort(-np.hypot(y - 3.5, x - 3.5), kind="stable"))


def batch(pictures, step, count):
    """Captions and thumbnails, drawn so that they depend on the step only."""
    n, rng = len(pictures.motifs), np.random.default_rng((14, step))
    index, colours, captions = [], [], []
    for i in range(step * count, (step + 1) * count):
        motif = int(np.random.default_rng((15, i // n)).permutation(n)[i % n])
        colour = str(rng.choice(list(data.COLOURS))) if rng.random() < COLOURED else "white"
        index.append(motif), colours.append(colour)
        captions.append(data.caption(pictures.motifs[motif], rng, colour))
    target = pictures.lab(pictures.on(torch.tensor(index), colours))
    for i in np.flatnonzero(rng.random(count) < UNCONDITIONAL):
        captions[i], target[i] = "", pictures.mean
    return captions, cells(target)


@torch.no_grad()
def retrieval(pictures, tokens, encoder, head):
    """How often the coarse picture that the text encoder has in mind is nearest to the right motif: top1, top10."""
    bank = pictures.lab(pictures.on(torch.arange(len(pictures.motifs)), ["white"] * len(pictures.motifs)))
    bank = cells(bank).flatten(1)
    found = []
    for i in range(0, len(bank), 200):
        ids = tokens([data.with_article(m["name"]) for m in pictures.motifs[i:i + 200]])
        guess = head(encoder(ids)[0][:, -GRID * GRID:]).float().flatten(1)
        distance = torch.cdist(guess, bank)
        found.append((distance < distance[torch.arange(len(ids)), torch.arange(i, i + len(ids))][:, None]).sum(1))
    ranks = torch.cat(found)
    return (ranks < 1).float().mean().item(), (ranks < 10).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="what the training may take, earlier runs included")
    budget.add_argument("--samples", type=int, help="how many captions it may see, earlier runs included")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    fast.set_up(args.threads)
    torch.manual_seed(16)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = CLIPTokenizer.from_pretrained(args.workdir / "tokenizer")

    def tokens(captions):
        return tokenizer(captions, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt").input_ids.to(device)

    modules = models.text_modules(tokenizer).to(device)
    encoder, head = modules["text_encoder"], modules["head"]
    optimiser = common.Muon(modules.named_parameters(), args.rate, adam_names=("embedding.weight", "head"))
    average = common.MovingAverage([modules], 0.995)
    path = args.workdir / "text.pt"
    state = common.load(path)
    budget, step = common.Budget(args.minutes, state.get("spent", 0.0), args.samples, state.get("samples", 0)), state.get("step", 0)
    if budget.progress() >= 1:
        return
    if state:
        modules.load_state_dict(state["model"])
        if "optimiser" in state:  # a model that resume.py took up has none
            optimiser.load_state_dict(state["optimiser"])
        average.load_state_dict(state["average"])
    pictures, losses, saved, stop = Pictures(args.workdir, device), [], budget.spent(), []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    while True:
        captions, target = batch(pictures, step, args.batch)
        with torch.autocast(device, torch.bfloat16):
            states = encoder(tokens(captions))[0]
            loss = F.mse_loss(head(states[:, -GRID * GRID:]).float(), target)
        rate = common.learning_rate(args.rate, step, budget.progress(), decay_from=0.5)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.update()
        losses.append(loss.detach())
        step += 1
        budget.seen += args.batch
        done = stop or budget.progress() >= 1
        if step % 50 == 0:
            row = dict(step=step, seconds=int(budget.spent()), loss=torch.stack(losses).mean().item(), rate=rate)
            if step % 500 == 0:
                average.swap()
                row["top1"], row["top10"] = retrieval(pictures, tokens, encoder, head)
                average.swap()
            print(row, flush=True) if len(row) > 4 else common.log(args.workdir / "text.csv", **row)
            losses = []
        if done or budget.spent() - saved > 180:
            saved = budget.spent()
            common.save(path, dict(model=modules.state_dict(), optimiser=optimiser.state_dict(), average=average.state_dict(), step=step, spent=saved, samples=budget.seen))
        if done:
            average.swap()
            print("top1 %.3f top10 %.3f" % retrieval(pictures, tokens, encoder, head))
            return


if __name__ == "__main__":
    main()
