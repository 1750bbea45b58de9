"""The tiny UNets patched by tomesd: two calls in a row, because tomesd's generator runs on from call to call."""

from typing import Any, NamedTuple

import tomesd
import torch
from diffusers import UNet2DConditionModel

from parts.common import FIXTURES, generator, write_json, write_tensors
from parts.robustness import first_steady_seed
from parts.tiny_pipelines import load

FIRST_SEED = 500
TIMESTEPS = (801, 401)
TOLERANCE = 1e-4  # smooth changes stay below, another choice of tokens moves far more
CONTEXT_TOKENS = 20


class Case(NamedTuple):
    name: str
    pipeline: str = "sd1"
    options: dict[str, Any] = {}
    height: int = 16
    width: int = 16
    batch: int = 2

    @property
    def inputs(self) -> str:
        return f"inputs.{self.batch}x{self.height}x{self.width}"


CASES = [
    Case("ratio_25", options={"ratio": 0.25}),
    Case("ratio_50", options={"ratio": 0.5}),
    Case("ratio_75", options={"ratio": 0.75}),
    Case("ratio_90", options={"ratio": 0.9}),
    Case("no_rand", options={"ratio": 0.5, "use_rand": False}),
    Case("down_2", options={"ratio": 0.5, "max_downsample": 2}),
    Case("down_4", "sd2", {"ratio": 0.5, "max_downsample": 4}),
    Case("down_8", options={"ratio": 0.5, "max_downsample": 8}),
    Case("down_8_75", "sd2", {"ratio": 0.75, "max_downsample": 8}),
    Case("sx_1_sy_2", options={"ratio": 0.25, "sx": 1, "sy": 2}),
    Case("sx_2_sy_1", "sd2", {"ratio": 0.5, "sx": 2, "sy": 1}),
    Case("sx_3_sy_2", options={"ratio": 0.5, "sx": 3, "sy": 2}),
    Case("sx_4_sy_4", "sd2", {"ratio": 0.75, "sx": 4, "sy": 4, "max_downsample": 2}),
    Case("crossattn", options={"ratio": 0.5, "merge_crossattn": True}),
    Case("mlp", "sd2", {"ratio": 0.5, "merge_mlp": True}),
    Case("all", options={"ratio": 0.5, "max_downsample": 2, "merge_crossattn": True, "merge_mlp": True}),
    Case("only_mlp", options={"ratio": 0.5, "merge_attn": False, "merge_mlp": True}),
    Case("batch_1", options={"ratio": 0.5}, batch=1),
    Case("batch_3", "sd2", {"ratio": 0.5, "max_downsample": 2}, batch=3),
    Case("batch_4", "sd2", {"ratio": 0.25}, batch=4),
    Case("odd", options={"ratio": 0.5}, height=17, width=13),
    # No more than 4 here: for 3x2 tokens out of 17x13 tomesd works out a downsampling of 6, hence 3x3 tokens, and fails.
    Case("odd_all", "sd2", {"ratio": 0.5, "max_downsample": 4, "merge_mlp": True}, height=17, width=13),
    Case("odd_75", "sd2", {"ratio": 0.75, "max_downsample": 2}, height=13, width=18),
    Case("wide", options={"ratio": 0.5, "max_downsample": 4}, height=8, width=24),
]


def inputs(case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    """The same for all cases of one size."""
    numbers = generator(4000 + 100 * case.height + 10 * case.width + case.batch)
    sample = torch.randn(case.batch, 4, case.height, case.width, generator=numbers)
    return sample, torch.randn(case.batch, CONTEXT_TOKENS, 32, generator=numbers)


def two_calls(unet: UNet2DConditionModel, case: Case, seed: int) -> torch.Tensor:
    """[2, B, 4, H, W]: tomesd copies the global generator, seeded here, at its first match."""
    sample, text = inputs(case)
    torch.manual_seed(seed)
    tomesd.apply_patch(unet, **case.options)
    outputs = [unet(sample, timestep, encoder_hidden_states=text).sample for timestep in TIMESTEPS]
    tomesd.remove_patch(unet)
    return torch.stack(outputs)


def make() -> None:
    unets = {name: load(f"tiny-{name}").unet for name in ("sd1", "sd2")}
    tensors: dict[str, torch.Tensor] = {}
    descriptions = []
    for case in CASES:
        unet = unets[case.pipeline]
        seed, moved = first_steady_seed(unet, lambda seed: two_calls(unet, case, seed), FIRST_SEED, TOLERANCE)
        sample, text = inputs(case)
        outputs = two_calls(unet, case, seed)
        plain = torch.stack([unet(sample, timestep, encoder_hidden_states=text).sample for timestep in TIMESTEPS])
        tensors |= {
            f"{case.inputs}.sample": sample,
            f"{case.inputs}.encoder_hidden_states": text,
            f"{case.name}.outputs": outputs,
        }
        descriptions.append(
            {
                "name": case.name,
                "pipeline": f"tiny-{case.pipeline}",
                "options": case.options,
                "inputs": case.inputs,
                "global_seed": seed,
                "timesteps": TIMESTEPS,
                "moved_by_shaking": moved,
                "difference_from_unmerged": float((outputs - plain).abs().max()),
            }
        )
    write_tensors(FIXTURES / "merging" / "unet-cases.safetensors", tensors)
    write_json(FIXTURES / "merging" / "unet-cases.json", {"cases": descriptions})
