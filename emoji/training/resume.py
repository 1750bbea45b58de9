"""Makes a work directory of a diffusers folder that export.py wrote, so that training goes on where no checkpoint was kept.

    python data.py --workdir DIR
    python resume.py --workdir DIR --model FOLDER --step 3614       writes DIR/unet.pt, DIR/text.pt, DIR/vae and DIR/tokenizer

What a folder does not have begins anew: the optimisers' states and the two thin layers that each inner level of growing.py works
alone with. The head of text.py's training is fitted to the encoder.
"""
import argparse
import shutil
from pathlib import Path

import torch
from torch import nn
from safetensors.torch import load_file
from diffusers import AutoencoderKL
from transformers import CLIPTokenizer

import common
import data
import growing
import models
import text

SHIPPED = Path(__file__).resolve().parent.parent / "src/main/resources/io/tome4j/emoji/model/tome4j-emoji"


def checkpoint(modules, step, **more):
    """A checkpoint whose weights and average are the modules' own."""
    return dict(model=modules.state_dict(), average=common.MovingAverage([modules], 0).state_dict(), step=step, **more)


def read_into(module, file):
    """Fills a module with the tensors of an exported file, whatever type they are stored in."""
    tensors = {name.removeprefix("text_model."): tensor.float() for name, tensor in load_file(file).items()}
    names = {name.removeprefix("text_model."): name for name in module.state_dict()}
    module.load_state_dict({names[name]: tensor for name, tensor in tensors.items()})


@torch.no_grad()
def fit_head(head, encoder, tokenizer, pictures):
    """Sets the head so that it reads the thumbnails from the states of the motifs' own captions as well as a linear map can."""
    captions = [data.with_article(m["name"]) for m in pictures.motifs]
    ids = tokenizer(captions, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt").input_ids
    states = torch.cat([encoder(some)[0][:, -text.GRID ** 2:] for some in ids.split(64)])
    thumbnails = text.cells(pictures.lab(pictures.on(torch.arange(len(captions)), ["white"] * len(captions))))
    x, y = nn.functional.pad(states, (0, 1), value=1.0).flatten(0, 1).double(), thumbnails.flatten(0, 1).double()
    square = x.T @ x
    found = torch.linalg.solve(square + 1e-4 * square.diag().mean() * torch.eye(len(square)), x.T @ y).float()
    head.weight.copy_(found[:-1].T)
    head.bias.copy_(found[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=SHIPPED, help="the folder (default: the shipped model)")
    parser.add_argument("--step", type=int, default=3614, help="how many steps the UNet has behind it: samples are drawn by it (default: the shipped model's)")
    args = parser.parse_args()
    if (args.workdir / "unet.pt").exists():
        raise SystemExit(f"{args.workdir} has a checkpoint already: train.py goes on from there")
    args.workdir.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(8)
    shutil.copytree(args.model / "tokenizer", args.workdir / "tokenizer", dirs_exist_ok=True)
    AutoencoderKL.from_pretrained(args.model / "vae").float().save_pretrained(args.workdir / "vae")
    tokenizer = CLIPTokenizer.from_pretrained(args.workdir / "tokenizer")
    both = models.text_modules(tokenizer)
    read_into(both["text_encoder"], args.model / "text_encoder/model.safetensors")
    fit_head(both["head"], both["text_encoder"], tokenizer, text.Pictures(args.workdir))
    common.save(args.workdir / "text.pt", checkpoint(both, step=0))
    modules = growing.Growing(models.unet())
    read_into(modules.unet, args.model / "unet/diffusion_pytorch_model.safetensors")
    grown = {f"level {level}": dict(seconds=0.0, samples=0, step=args.step) for level in (0, 1, 2)}
    common.save(args.workdir / "unet.pt", checkpoint(modules, step=args.step, stages=grown))


if __name__ == "__main__":
    main()
