"""Writes the averaged weights of the latest checkpoint as a diffusers folder in fp16.

    python export.py --workdir DIR          writes DIR/export, which StableDiffusionPipeline.from_pretrained loads
"""
import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from diffusers import AutoencoderKL, StableDiffusionPipeline
from transformers import CLIPTokenizer

import common
import growing
import models


def pipeline(workdir, averaged=True):
    """The pipeline of the latest checkpoints, in fp32."""
    tokenizer = CLIPTokenizer.from_pretrained(workdir / "tokenizer")
    text_encoder = models.trained_text_encoder(tokenizer, common.load(workdir / "text.pt"))
    modules, state = growing.Growing(models.unet()), common.load(workdir / "unet.pt")
    modules.load_state_dict(state["model"])
    if averaged:
        average = common.MovingAverage([modules], 0)
        average.load_state_dict(state["average"])
        average.swap()
    return StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(workdir / "vae"), text_encoder=text_encoder, tokenizer=tokenizer, unet=modules.unet,
        scheduler=models.scheduler(), safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def name_as_published(file):
    """Puts ``text_model.`` before the text encoder's names, as every published checkpoint has it and older readers want it."""
    tensors = load_file(file)
    save_file({k if k.startswith("text_model.") else "text_model." + k: v for k, v in tensors.items()}, file, metadata={"format": "pt"})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    workdir = parser.parse_args().workdir
    beside, folder = workdir / "export.part", workdir / "export"
    shutil.rmtree(beside, ignore_errors=True)
    pipeline(workdir).to(torch.float16).save_pretrained(beside, safe_serialization=True)
    name_as_published(beside / "text_encoder" / "model.safetensors")
    for file in (beside / "tokenizer").iterdir():  # CLIP's own layout, whatever this version of transformers writes
        file.unlink()
    shutil.copytree(workdir / "tokenizer", beside / "tokenizer", dirs_exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    print(f"{folder}: {sum(f.stat().st_size for f in folder.rglob('*') if f.is_file()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
