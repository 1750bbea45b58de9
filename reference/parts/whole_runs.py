"""Whole runs of a pipeline as golden fixtures: images as PNG, latents, and the cases that asked for them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from parts.common import write_json, write_tensors
from parts.robustness import first_steady_seed
from parts.sdxl import STEADY


def make_runs(
    folder: Path,
    cases: Iterable[Any],
    pipeline: Callable[[Any], Any],
    run: Callable[[Any, Any, int], tuple[np.ndarray, torch.Tensor]],
    describe: Callable[[Any], Mapping[str, Any]] = lambda made: {},
) -> None:
    """Writes what `run(pipeline(case), case, seed)` gives with the first seed of torch's own generator that is steady.

    Cases are dataclasses with a name; `describe` says more of the pipeline that was made for one.
    """
    latents: dict[str, torch.Tensor] = {}
    descriptions = []
    for case in cases:
        made = pipeline(case)
        seed, moved = first_steady_seed(made.unet, lambda seed: torch.from_numpy(run(made, case, seed)[0]).short(), 1, STEADY)
        pictures, latents[case.name] = run(made, case, seed)
        files = [f"{case.name}-{number}.png" for number in range(len(pictures))]
        for name, one in zip(files, pictures):
            assert one.std() > 20, f"{name} is flat"
            Image.fromarray(one).save(folder / name, optimize=True)
        print(case.name, seed, moved, flush=True)
        descriptions.append(
            asdict(case) | dict(describe(made)) | {"global_seed": seed, "moved_by_shaking": int(moved), "images": files})
    write_tensors(folder / "latents.safetensors", latents)
    write_json(folder / "cases.json", {"cases": descriptions})
