"""Trains the KL autoencoder (factor 8, 4 latent channels) on crops of the pictures.

    python autoencoder.py --workdir DIR --minutes 22              writes DIR/autoencoder.pt and, at the end, DIR/vae
    python autoencoder.py --workdir DIR --minutes 20 --decoder    later: improves the decoder alone, latents stay valid
    python autoencoder.py --workdir DIR --minutes 3 --further     later: improves the whole; latents of before are deleted

Loss: L1 + L1 of the gradients (edges are what flat graphics are made of) + a small KL term. Now and then the latents are
halved by averaging and must decode to the halved picture: this keeps them smooth, which helps the diffusion model
and makes latents of 256x256 and 512x512 pictures alike (EQ-VAE, arXiv:2502.09509).
"""
import argparse
import signal
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from diffusers import AutoencoderKL

import common
import data
import fast

CROP, KL_WEIGHT, EDGE_WEIGHT = 128, 2e-4, 0.5


def model():
    widths = (32, 64, 96, 128)
    return AutoencoderKL(
        block_out_channels=widths, layers_per_block=1, norm_num_groups=16, latent_channels=4, sample_size=512,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)


class Crops:
    """Crops of random pictures at 512, 256 or 128 pixels on random backgrounds, cut on the device that trains on them."""

    def __init__(self, renders, device):
        self.renders = torch.from_numpy(renders).to(device)

    def cut(self, index, y, x, size, stride=1):
        """Squares of the pictures [B, size / stride, the same, 4]."""
        along = torch.arange(0, size, stride, device=index.device)
        return self.renders[index[:, None, None], (y[:, None] + along)[:, :, None], (x[:, None] + along)[:, None]]

    def draw(self, rng, count):
        """Float [count, 3, CROP, CROP] in -1..1, each the first of four tries that is not plain."""
        shrink = int(rng.choice((1, 2, 4), p=(0.4, 0.35, 0.25)))
        size, tries = CROP * shrink, 4 * count
        places = self.to_device(np.stack([rng.integers(len(self.renders), size=tries), *rng.integers(0, data.SIZE - size + 1, (2, tries))]))
        busy = self.cut(*places, size, stride=4 * shrink).float().std((1, 2, 3)) > 8
        first = busy.view(count, 4).float().argmax(1)
        places = places.view(3, count, 4).gather(2, first.expand(3, -1)[..., None])[..., 0]
        colours = self.to_device(np.where(rng.random(count) < 0.6, 0, rng.integers(len(data.COLOURS), size=count)))
        pictures, mirrored = data.laid_on(self.cut(*places, size), colours), self.to_device(rng.random(count) < 0.5)
        return F.avg_pool2d(torch.where(mirrored[:, None, None, None], pictures.flip(-1), pictures), shrink)

    def to_device(self, array):
        return torch.from_numpy(array).to(self.renders.device, non_blocking=True)


def edges(a):
    return a[..., 1:, :] - a[..., :-1, :], a[..., :, 1:] - a[..., :, :-1]


def reconstruction_loss(y, x):
    (yv, yh), (xv, xh) = edges(y), edges(x)
    return F.l1_loss(y, x) + EDGE_WEIGHT * (F.l1_loss(yv, xv) + F.l1_loss(yh, xh))


def loss_of(vae, x, noise, halve):
    """The three losses of a batch [B, 3, H, W]: total, L1 of the picture, KL (nats a latent)."""
    with torch.autocast(x.device.type, torch.bfloat16):
        mean, log_variance = vae.quant_conv(vae.encoder(x)).float().clamp(-30, 30).chunk(2, 1)
        z = mean + noise * (0.5 * log_variance.clamp(max=10)).exp()
        if halve:
            z, x = F.avg_pool2d(z, 2), F.avg_pool2d(x, 2)
        y = vae.decoder(vae.post_quant_conv(z)).float()
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    return reconstruction_loss(y, x) + KL_WEIGHT * kl, F.l1_loss(y, x).detach(), kl.detach()


def train(vae, renders, path, args, device):
    state = common.load(path)
    if args.decoder:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    vae = fast.fuse(vae.to(device))
    optimiser = common.Muon([(n, p) for n, p in vae.named_parameters() if p.requires_grad], args.rate, adam_names=("conv_in", "conv_out"))
    average = common.MovingAverage([vae], 0.998)
    step, budget = state.get("step", 0), common.Budget(args.minutes, state.get("spent", 0.0), args.samples, state.get("samples", 0))
    if state:
        vae.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.load_state_dict(state["average"])
    crops = Crops(renders, device)
    sums, saved, stop = [], budget.spent(), []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))  # a plain kill saves first
    while budget.progress() < 1 and not stop:
        rng = np.random.default_rng((1, step))
        torch.manual_seed(step)
        x = crops.draw(rng, args.batch).contiguous(memory_format=torch.channels_last)
        noise = torch.randn(args.batch, 4, CROP // 8, CROP // 8, device=device)
        for group in optimiser.param_groups:
            group["lr"] = common.learning_rate(args.rate, step, budget.progress(), decay_from=0.3)
        total, l1, kl = loss_of(vae, x, noise, halve=rng.random() < 0.25)
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimiser.step()
        average.update()
        step += 1
        budget.seen += args.batch
        sums.append(torch.stack((total.detach(), l1, kl)))
        if step % 50 == 0:
            total, l1, kl = torch.stack(sums).mean(0).tolist()
            common.log(args.workdir / "autoencoder.csv", step=step, seconds=int(budget.spent()), loss=total, l1=l1, kl=kl)
            sums = []
        if stop or budget.progress() >= 1 or budget.spent() - saved > 180:
            saved = budget.spent()
            common.save(path, dict(model=vae.state_dict(), optimiser=optimiser.state_dict(), average=average.state_dict(), step=step, spent=saved, samples=budget.seen))
    if stop:
        raise SystemExit("stopped before the end; the same command goes on")
    average.swap()
    return vae


@torch.no_grad()
def normalise(vae, renders, device):
    """Makes every latent channel zero-mean with deviation 1 over the pictures on white at 256x256, so that the scaling factor is 1.

    The shift and scale go into the 1x1 convolutions on both sides of the latents: the autoencoder itself stays the same.
    """
    some = np.stack([data.on_background(r, "white") for r in renders[::12]])
    x = torch.from_numpy(some).to(device).permute(0, 3, 1, 2) / 127.5 - 1
    latents = torch.cat([vae.encode(F.avg_pool2d(x[i:i + 1], 2)).latent_dist.mean for i in range(len(x))])
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    print("latents by channel: mean", mean.tolist(), "std", std.tolist())
    into, out = vae.quant_conv, vae.post_quant_conv
    out.bias += out.weight[:, :, 0, 0] @ mean
    out.weight *= std[None, :, None, None]
    into.bias[:4] -= mean
    into.bias[:4] /= std
    into.weight[:4] /= std[:, None, None, None]
    into.bias[4:] -= 2 * std.log()
    vae.register_to_config(scaling_factor=1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="what the training may take, earlier runs included")
    budget.add_argument("--samples", type=int, help="how many crops it may see, earlier runs included")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-3)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--decoder", action="store_true", help="go on with DIR/vae's decoder alone")
    what.add_argument("--further", action="store_true", help="go on with the whole of DIR/vae")
    args = parser.parse_args()
    fast.set_up(args.threads)
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    _, renders = data.load(args.workdir)
    folder = args.workdir / "vae"
    path = args.workdir / ("decoder.pt" if args.decoder else "further.pt" if args.further else "autoencoder.pt")
    if (args.decoder or args.further) and common.load(path).get("done"):
        return
    vae = AutoencoderKL.from_pretrained(folder) if args.decoder or args.further else model()
    vae = train(vae, renders, path, args, device)
    if not args.decoder:
        normalise(vae, renders, device)
    vae.to(memory_format=torch.contiguous_format).save_pretrained(folder)
    if args.further:
        for latents in args.workdir.glob("latents-*.pt"):
            latents.unlink()  # the encoder is another
    common.save(path, common.load(path) | dict(done=True))


if __name__ == "__main__":
    main()
