"""Textual inversions: files of each form, and images with them by diffusers' load_textual_inversion."""

import shutil

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from parts.common import FIXTURES, generator, write_json
from parts.lora import difference, fresh, picture

FOLDER = FIXTURES / "embeddings"
CASES = [  # name, file, token given to diffusers, prompt, negative prompt
    ("one", "toy", "<toy>", "a rusty <toy> robot's portrait", ""),
    ("three", "style", "style", "a portrait in style, oil on canvas", ""),
    ("prefix", "toy", "<toy>", "a <Toy>, <toy>s and another<toy>", "ugly"),
    ("negative", "style", "style", "a portrait, oil on canvas", "bad style"),
]


def save(name: str, tensors: dict[str, torch.Tensor]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(FOLDER / f"{name}.safetensors"))


def image(name: str, token: str, prompt: str, negative: str) -> np.ndarray:
    pipeline = fresh()
    pipeline.load_textual_inversion(str(FOLDER), weight_name=f"{name}.safetensors", token=token)
    return picture(pipeline, prompt, negative_prompt=negative)


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    numbers = generator(90)
    save("toy", {"<toy>": torch.randn(32, generator=numbers)})  # as diffusers' training script writes it
    save("style", {"emb_params": torch.randn(3, 32, generator=numbers)})  # as A1111's web UI does
    descriptions = []
    for name, file, token, prompt, negative in CASES:
        made, without = image(file, token, prompt, negative), picture(fresh(), prompt, negative_prompt=negative)
        assert difference(made, without) > 20, name
        Image.fromarray(made).save(FOLDER / f"{name}.png", optimize=True)
        descriptions.append({"name": name, "file": file, "prompt": prompt, "negative_prompt": negative})
    write_json(FOLDER / "cases.json", {"seed": 5, "steps": 4, "guidance_scale": 5.0, "size": 96, "cases": descriptions})
