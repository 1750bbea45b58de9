"""Networks that enlarge images: tiny ESRGANs (arXiv 1809.00219) under each of the names that their files have had, and what they give.

Written from the papers: section 3.1 and figure 4 of ESRGAN, section 3.4 of Real-ESRGAN (arXiv 2107.10833) for folding pixels.
"""

import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional

from parts.common import FIXTURES, generator, write_json, write_tensors

FOLDER = FIXTURES / "upscalers"
FEATURES, GROWTH, BLOCKS = 8, 4, 2
Tensors = dict[str, torch.Tensor]

FILES = {  # pixels folded along a side, doublings, and whose names
    "real-4x": (1, 2, "real"),
    "real-2x": (2, 2, "real"),
    "real-1x": (4, 2, "real"),
    "first-4x": (1, 2, "first"),
    "first-2x": (1, 1, "first"),
    "later-4x": (1, 2, "later"),
}


def convolution(tensors: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    return functional.conv2d(x, tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float(), padding=1)


def rectified(x: torch.Tensor) -> torch.Tensor:
    return functional.leaky_relu(x, 0.2)


def dense(tensors: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    seen = [x]
    for layer in range(1, 5):
        seen.append(rectified(convolution(tensors, f"{name}.conv{layer}", torch.cat(seen, 1))))
    return x + 0.2 * convolution(tensors, f"{name}.conv5", torch.cat(seen, 1))


def enlarge(tensors: Tensors, image: torch.Tensor) -> torch.Tensor:
    """Of an image [B, 3, h, w] in [0, 1], under Real-ESRGAN's names."""
    height, width = image.shape[2:]
    folded = {3: 1, 12: 2, 48: 4}[tensors["conv_first.weight"].shape[1]]
    doublings = sum(name.startswith("conv_up") and name.endswith("weight") for name in tensors)
    if folded > 1:
        image = functional.pixel_unshuffle(functional.pad(image, (0, -width % folded, 0, -height % folded), mode="reflect"), folded)
    features = convolution(tensors, "conv_first", image)
    x = features
    for block in range(sum(name.endswith("rdb1.conv1.weight") for name in tensors)):
        carried = x
        for number in (1, 2, 3):
            x = dense(tensors, f"body.{block}.rdb{number}", x)
        x = carried + 0.2 * x
    x = features + convolution(tensors, "conv_body", x)
    for number in range(1, doublings + 1):
        x = rectified(convolution(tensors, f"conv_up{number}", functional.interpolate(x, scale_factor=2, mode="nearest")))
    x = convolution(tensors, "conv_last", rectified(convolution(tensors, "conv_hr", x)))
    scale = 2**doublings // folded
    return x[:, :, : height * scale, : width * scale]


def random_net(folded: int, doublings: int, seed: int) -> Tensors:
    numbers, tensors = generator(seed), {}

    def add(name: str, inside: int, outside: int, gain: float = 1.0) -> None:
        weight = torch.randn(outside, inside, 3, 3, generator=numbers) * gain / (9 * inside) ** 0.5
        tensors[f"{name}.weight"] = weight.half()
        tensors[f"{name}.bias"] = (0.1 * torch.randn(outside, generator=numbers)).half()

    add("conv_first", 3 * folded**2, FEATURES, 2)
    for block in range(BLOCKS):
        for number in (1, 2, 3):
            for layer in range(5):
                add(f"body.{block}.rdb{number}.conv{layer + 1}", FEATURES + layer * GROWTH, FEATURES if layer == 4 else GROWTH, 2)
    add("conv_body", FEATURES, FEATURES)
    for number in range(doublings):
        add(f"conv_up{number + 1}", FEATURES, FEATURES, 1.2)
    add("conv_hr", FEATURES, FEATURES, 1.2)
    add("conv_last", FEATURES, 3, 0.4)
    tensors["conv_last.bias"] = torch.full((3,), 0.5).half()  # about the middle of what an image has
    return tensors


def first_name(name: str, doublings: int) -> str:
    """As the layers of the first files are numbered: a doubling, its convolution and its activation are three."""
    block = re.match(r"body\.(\d+)\.rdb(\d)\.conv(\d)\.(\w+)", name)
    if block:
        return f"model.1.sub.{block[1]}.RDB{block[2]}.conv{block[3]}.0.{block[4]}"
    layer, kind = name.split(".")
    if layer == "conv_body":
        return f"model.1.sub.{BLOCKS}.{kind}"
    number = {"conv_first": 0, "conv_hr": 3 * doublings + 2, "conv_last": 3 * doublings + 4}.get(layer)
    return f"model.{3 * int(layer[-1]) if number is None else number}.{kind}"


def later_name(name: str) -> str:
    name = re.sub(r"body\.(\d+)\.rdb(\d)", r"RRDB_trunk.\1.RDB\2", name)
    for ours, theirs in {"conv_body": "trunk_conv", "conv_up": "upconv", "conv_hr": "HRconv"}.items():
        name = name.replace(ours, theirs) if name.startswith(ours) else name
    return name


def stored_names(tensors: Tensors, whose: str, doublings: int) -> Tensors:
    if whose == "first":
        return {first_name(name, doublings): tensor for name, tensor in tensors.items()}
    return {later_name(name): tensor for name, tensor in tensors.items()} if whose == "later" else tensors


def net(name: str) -> Tensors:
    """A file's tensors under Real-ESRGAN's names."""
    folded, doublings, _ = FILES[name]
    made = random_net(folded, doublings, seed=900 + list(FILES).index(name))
    stored = load_file(FOLDER / f"{name}.safetensors")
    assert sorted(tensor.sum().item() for tensor in stored.values()) == sorted(tensor.sum().item() for tensor in made.values())
    return made


def enlarged(tensors: Tensors, image: Image.Image, size: tuple[int, int] | None = None) -> Image.Image:
    """An image enlarged once; or, for a size, as often as it takes, and then resampled."""
    for _ in range(3):
        values = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 255
        result = enlarge(tensors, values)[0].clamp(0, 1)
        image = Image.fromarray((result * 255).round().permute(1, 2, 0).byte().numpy())
        if size is None or (image.width >= size[0] and image.height >= size[1]):
            break
    return image if size is None or image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def picture(seed: int, width: int, height: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    values = np.stack([255 * x / width, 255 * y / height, 127 + 120 * np.sin(x / 3 + y / 5)], axis=-1)
    values = values + np.random.default_rng(seed).normal(0, 12, (height, width, 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def make() -> None:
    cases, results = [], {}
    for number, (name, (folded, doublings, whose)) in enumerate(FILES.items()):
        tensors = random_net(folded, doublings, seed=900 + number)
        write_tensors(FOLDER / f"{name}.safetensors", stored_names(tensors, whose, doublings))
        width, height = (13, 10) if number % 2 else (11, 17)
        image = torch.rand(1, 3, height, width, generator=generator(950 + number))
        given = enlarge(tensors, image)
        assert 0.1 < given.std() < 0.8 and 0.5 < ((given > 0) & (given < 1)).float().mean(), (name, given.std(), given.mean())
        results |= {f"{name}.image": image, f"{name}.enlarged": given}
        cases.append({"name": name, "scale": 2**doublings // folded})
    write_tensors(FOLDER / "expected.safetensors", results)
    picture(4, 27, 20).save(FOLDER / "image.png", optimize=True)
    enlarged(net("real-4x"), picture(4, 27, 20)).save(FOLDER / "real-4x.png", optimize=True)
    enlarged(net("first-2x"), picture(4, 27, 20), (130, 92)).save(FOLDER / "first-2x-to-130x92.png", optimize=True)
    write_json(FOLDER / "cases.json", {"cases": cases})
