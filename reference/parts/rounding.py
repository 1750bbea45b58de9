"""PyTorch's fp32 functions of few numbers, rounded correctly.

On this build they are those of a vector library (MKL's), whose last bit depends on the processor. A Brownian path and the
difference of two nearly equal squares feel it, so that a fixture made without this would be one machine's.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

FEW = 4096
SENSITIVE = {"dpmpp_sde", "dpmpp_sde_karras", "dpm2_a"}


@contextmanager
def rounded_correctly(scheduler: str) -> Iterator[None]:
    """Within it, where a scheduler feels the last bit, functions are computed in fp64 and then rounded."""
    if scheduler not in SENSITIVE:
        yield
        return
    plain = {name: getattr(torch.Tensor, name) for name in ("exp", "log", "sqrt", "expm1", "__pow__")}

    def replacement(name: str):
        def function(x: torch.Tensor, *arguments):
            if x.dtype == torch.float32 and x.numel() < FEW and (name != "__pow__" or arguments == (0.5,)):
                return plain[name](x.double(), *arguments).float()
            return plain[name](x, *arguments)

        return function

    for name in plain:
        setattr(torch.Tensor, name, replacement(name))
    try:
        yield
    finally:
        for name, function in plain.items():
            setattr(torch.Tensor, name, function)
