"""What every part shares: where fixtures go, seeded generators, and writers that give the same bytes each time."""

import gzip
import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"

PACKAGES = ("torch", "diffusers", "transformers", "tokenizers", "tomesd", "DeepCache", "numpy", "pillow", "safetensors", "scipy")


def prepare_torch() -> None:
    """One thread, no gradients, no network: the same sums in the same order every time."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float32)


def generator(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in sorted(tensors.items())}, str(path))


def to_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(value), encoding="ascii")


def write_json_lines(path: Path, head: Mapping[str, Any], key: str, rows: list[Any]) -> None:
    """A JSON object whose last member is a list with one row a line: small, and still a readable diff."""
    path.parent.mkdir(parents=True, exist_ok=True)
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    body = ",\n".join("  " + json.dumps(row) for row in rows)
    members.append(f"{json.dumps(key)}: [\n{body}\n]")
    path.write_text("{" + ",\n".join(members) + "}\n", encoding="ascii")


def write_gzip(path: Path, text: str) -> None:
    """Without a time stamp and a name in the header, equal text gives equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))


def write_versions() -> None:
    versions = {name: version(name) for name in PACKAGES}
    versions["cpu_capability"] = torch.backends.cpu.get_cpu_capability()
    write_json(FIXTURES / "versions.json", versions)
