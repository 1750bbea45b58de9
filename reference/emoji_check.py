"""Compares the embedded emoji model in Python with what tome4j draws, and makes the fixture that the tests compare with.

    python emoji_check.py                 512x512, 20 steps, in fp32: draws in Python, runs ../tome, prints the greatest difference
    python emoji_check.py --fixture       writes fixtures/emoji/goat.png, a small picture (run it after the weights change)
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "emoji/src/main/resources/io/tome4j/emoji/model/tome4j-emoji"
PROMPTS = [("a red apple", 42), ("a goat on a blue background", 7), ("a grinning face", 99)]


def draw(pipeline, prompt, seed, size, steps, guidance):
    return pipeline(prompt, height=size, width=size, num_inference_steps=steps, guidance_scale=guidance,
                    generator=torch.Generator().manual_seed(seed)).images[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fixture", action="store_true")
    parser.add_argument("--guidance", type=float, default=1.0)
    args = parser.parse_args()
    pipeline = StableDiffusionPipeline.from_pretrained(FOLDER, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if args.fixture:
        target = HERE / "fixtures/emoji/goat.png"
        target.parent.mkdir(exist_ok=True)
        draw(pipeline, "a goat on a blue background", 7, 256, 6, 2.0).save(target, optimize=True)
        return
    for prompt, seed in PROMPTS:
        expected = draw(pipeline, prompt, seed, 512, 20, args.guidance)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "ours.png"
            subprocess.run([HERE.parent / "tome", "generate", prompt, "--seed", str(seed), "--dtype", "fp32", "--device", "cpu", "--ratio", "0",
                            "--guidance", str(args.guidance), "--steps", "20", "--out", file], check=True, capture_output=True)
            ours = np.asarray(Image.open(file).convert("RGB"), np.int16)
        print(f"{prompt!r}, seed {seed}: greatest difference {np.abs(ours - np.asarray(expected, np.int16)).max()} of 255", flush=True)


if __name__ == "__main__":
    main()
