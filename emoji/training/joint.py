"""Trains the UNet and the text encoder together on the whole latents: for a GPU, which draws thousands of samples where a CPU draws one.

    python joint.py --workdir DIR --minutes 10 --batch 128 --merge 0.5 --decay 0.3

The text encoder learns what the UNet misses in its states, which its own training on coarse pictures cannot tell it. Goes on from
DIR/unet.pt and DIR/text.pt, which it writes every few minutes, and logs to DIR/joint.csv.
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
import train

WORDINGS = 12  # captions that a picture on one background has in training


class Samples:
    """All latents and captions on the device; a batch depends only on the seed and the step, so that a resumed run goes on as if never stopped."""

    def __init__(self, workdir, tokenizer, device):
        motifs, _ = data.load(workdir)
        cache, rng = common.load(workdir / "latents-512.pt"), np.random.default_rng(21)
        self.latents = torch.cat([cache["white"][None], cache["coloured"]]).to(device)  # [grounds, N, 4, 64, 64], white first
        grounds, names = [["white"] * len(motifs)] + [[list(data.COLOURS)[c] for c in row] for row in cache["colour"]], [data.with_article(m["name"]) for m in motifs]
        captions = [[data.caption(m, rng, colour) for _ in range(WORDINGS)] for row in grounds for m, colour in zip(motifs, row)]
        for wordings, name in zip(captions, names):
            wordings[0] = name
        ids = tokenizer([c for wordings in captions for c in wordings] + [""], padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt").input_ids.to(device)
        self.ids, self.none = ids[:-1].view(*self.latents.shape[:2], WORDINGS, -1), ids[-1]  # [grounds, N, WORDINGS, 77]

    def batch(self, step, count):
        """Latents [count, 4, 64, 64] and the token ids of their captions [count, 77]."""
        (grounds, n), rng = self.latents.shape[:2], np.random.default_rng((22, step))
        at = np.arange(step * count, (step + 1) * count)
        rounds = {r: np.random.default_rng((23, r)).permutation(n) for r in np.unique(at // n)}
        motif = np.array([rounds[i // n][i % n] for i in at])
        ground = np.where(rng.random(count) < train.COLOURED, rng.integers(1, grounds, count), 0)
        drawn = np.stack([ground, motif, rng.integers(WORDINGS, size=count), rng.random(count) < train.UNCONDITIONAL])
        ground, motif, wording, unconditional = torch.from_numpy(drawn).to(self.latents.device, non_blocking=True)
        return self.latents[ground, motif].float(), torch.where(unconditional[:, None] > 0, self.none, self.ids[ground, motif, wording])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="what the training may take, earlier runs included")
    budget.add_argument("--samples", type=int, help="how many pictures it may see, earlier runs included")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--text-rate", type=float, default=0.3, help="the text encoder's learning rate as a share of the UNet's")
    parser.add_argument("--merge", type=float, default=0.0, help="share of the 4,096 tokens merged in every second step")
    parser.add_argument("--decay", type=float, default=0.3, help="last part over which the learning rate falls to a fiftieth")
    parser.add_argument("--average", type=float, default=0.999, help="decay of the moving average of the weights")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    fast.set_up(args.threads)
    torch.manual_seed(20)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    files = dict(unet=args.workdir / "unet.pt", text=args.workdir / "text.pt")
    states = {name: common.load(file) for name, file in files.items()}
    earlier = states["unet"].get("joint", dict(seconds=0.0, samples=0, step=0))
    tokenizer = CLIPTokenizer.from_pretrained(args.workdir / "tokenizer")
    unet, text = growing.Growing(models.unet()), models.text_modules(tokenizer)
    modules = dict(unet=unet.to(device), text=text["text_encoder"].to(device))
    optimisers = dict(
        unet=common.Muon(unet.named_parameters(), args.rate, adam_names=("conv_in", "conv_out", "time_emb", "enter", "leave")),
        text=common.Muon(text["text_encoder"].named_parameters(), args.rate * args.text_rate, adam_names=("embedding.weight",)))
    averages = {}
    for name, whole in (("unet", unet), ("text", text)):
        whole.load_state_dict(states[name]["model"])
        averages[name] = common.MovingAverage([whole.to(device)], args.average)
        averages[name].load_state_dict(states[name]["average"])
        if earlier["step"]:
            optimisers[name].load_state_dict(states[name]["joint_optimiser"])
        else:
            averages[name].swap()
            averages[name].restart()
    rest = {name: {k: v for k, v in state.items() if k not in ("model", "average", "joint_optimiser", "joint")} for name, state in states.items()}
    del states

    samples, scheduler = Samples(args.workdir, tokenizer, device), models.scheduler()
    alphas = scheduler.alphas_cumprod.sqrt().to(device)[:, None, None, None]
    sigmas = (1 - scheduler.alphas_cumprod).sqrt().to(device)[:, None, None, None]
    fast.fuse(unet.unet)
    attention = merging.MergingProcessor(0.0, least=4096)
    unet.unet.set_attn_processor(attention)
    parameters, rates = [p for m in modules.values() for p in m.parameters()], {}
    for name, optimiser in optimisers.items():
        rates[name] = torch.zeros((), device=device)
        for group in optimiser.param_groups:
            group["lr"] = rates[name]

    def learn(x, t, noise, ids):
        """One step of both optimisers; returns the mean squared error of each picture."""
        for optimiser in optimisers.values():
            optimiser.zero_grad()
        a, s = alphas[t], sigmas[t]
        with torch.autocast(device, torch.bfloat16, cache_enabled=False):
            v = unet.unet((a * x + s * noise).contiguous(memory_format=torch.channels_last), t, modules["text"](ids)[0]).sample
        losses = (v.float() - (a * noise - s * x)).square().mean((1, 2, 3))
        losses.mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimiser in optimisers.values():
            optimiser.step()
        return losses.detach()

    recorded = fast.Recorded(learn)
    budget, step = common.Budget(args.minutes, earlier["seconds"], args.samples, earlier["samples"]), earlier["step"]
    sums, saved, stop = [], budget.spent(), []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))  # a plain kill saves first
    while budget.progress() < 1 and not stop:
        generator, on_device = torch.Generator().manual_seed(step), torch.Generator(device).manual_seed(step)
        attention.ratio = args.merge if step % 2 else 0.0
        x, ids = samples.batch(step, args.batch)
        t = train.timesteps(args.batch, 0, generator).to(device, non_blocking=True)
        noise = torch.randn(x.shape, generator=on_device, device=device)
        rate = common.learning_rate(args.rate, step, budget.progress(), decay_from=1 - args.decay)
        rates["unet"].fill_(rate)
        rates["text"].fill_(rate * args.text_rate)
        losses = recorded(attention.ratio, x, t, noise, ids)
        for average in averages.values():
            average.update()
        step += 1
        budget.seen += args.batch
        high = t > 800
        sums.append(torch.stack((losses.mean(), (losses * high).sum() / high.sum())))
        if step % 50 == 0:
            loss, noisiest = torch.stack(sums).nanmean(0).tolist()
            common.log(args.workdir / "joint.csv", step=step, samples=budget.seen, seconds=int(budget.spent()), loss=loss, loss_t800=noisiest, rate=rate)
            sums = []
        if stop or budget.progress() >= 1 or budget.spent() - saved > 120:
            saved = budget.spent()
            rest["unet"]["joint"] = dict(seconds=saved, samples=budget.seen, step=step)
            (args.workdir / "states.pt").unlink(missing_ok=True)  # train.py's, of another text encoder
            for name, whole in (("text", text), ("unet", unet)):
                common.save(files[name], rest[name] | dict(model=whole.state_dict(), average=averages[name].state_dict(), joint_optimiser=optimisers[name].state_dict()))


if __name__ == "__main__":
    main()
