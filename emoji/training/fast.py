"""Makes diffusers' models train faster without changing what they compute or how their weights are named."""
import functools
import os
from pathlib import Path

import torch
from torch import nn
from diffusers.models.resnet import ResnetBlock2D


def set_up(threads):
    """Threads and flushing of denormals. Start Python with MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ raised, too."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


@functools.cache
def kernel():
    """The compiled group_norm.cpp, built on first use (under a minute), or None where there is no compiler."""
    from torch.utils.cpp_extension import load
    flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp-simd"]
    os.environ.setdefault("CUDA_HOME", "")
    try:
        return load("tome4j_group_norm", [str(Path(__file__).with_name("group_norm.cpp"))], extra_cflags=flags, extra_ldflags=["-lmvec"])
    except (RuntimeError, OSError) as e:
        print(f"training without the fused group norm, which is slower: {e}")
        return None


class GroupNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, groups, eps, silu):
        x = x.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
        y, stats = kernel().forward(x, weight, bias, groups, eps, silu)
        ctx.save_for_backward(x, weight, bias, stats)
        ctx.silu = silu
        return y

    @staticmethod
    def backward(ctx, dy):
        x, weight, bias, stats = ctx.saved_tensors
        dy = dy.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
        return *kernel().backward(dy, x, weight, bias, stats, ctx.silu), None, None, None


class FusedGroupNorm(nn.GroupNorm):
    """A group norm, with the SiLU that follows it when ``silu`` is set."""
    silu = False

    def forward(self, x):
        if x.ndim == 4 and x.size(2) * x.size(3) > 1 and torch.is_autocast_enabled("cpu"):
            return GroupNormFunction.apply(x, self.weight, self.bias, self.num_groups, self.eps, self.silu)
        y = super().forward(x)
        return nn.functional.silu(y) if self.silu else y


class SiluUnlessFused(nn.Module):
    """Stands for the SiLU of a residual block: maps pass (their norm did it already), time embeddings do not."""

    def forward(self, x):
        return x if x.ndim == 4 else nn.functional.silu(x)


def fuse(model):
    """Swaps the group norms of a UNet or an autoencoder for fused ones, in place. Saving and loading stay as they were."""
    if not torch.cuda.is_available() and kernel() is not None:
        for module in model.modules():
            if type(module) is nn.GroupNorm:
                module.__class__ = FusedGroupNorm
        for module in model.modules():
            if isinstance(module, ResnetBlock2D):
                module.norm1.silu = module.norm2.silu = True
                module.nonlinearity = SiluUnlessFused()
            elif isinstance(getattr(module, "conv_norm_out", None), FusedGroupNorm):
                module.conv_norm_out.silu = True
                module.conv_act = SiluUnlessFused()
    return model.to(memory_format=torch.channels_last)


class Recorded:
    """A computation of tensors that a GPU replays as one CUDA graph a setting: launching its thousands of small kernels takes a CPU longer than they take.

    It may not read a tensor's values. On a CPU, and the first three times for each setting, it is computed as it is.
    """

    def __init__(self, compute):
        self.compute, self.calls, self.graphs = compute, {}, {}
        self.stream = torch.cuda.Stream() if torch.cuda.is_available() else None

    def __call__(self, setting, *inputs):
        if self.stream is None:
            return self.compute(*inputs)
        self.calls[setting] = self.calls.get(setting, 0) + 1
        if self.calls[setting] <= 3:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                outputs = self.compute(*inputs)
            torch.cuda.current_stream().wait_stream(self.stream)
            return outputs
        if setting not in self.graphs:
            own, graph = [i.clone() for i in inputs], torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self.stream):
                outputs = self.compute(*own)
            self.graphs[setting] = graph, own, outputs
        graph, own, outputs = self.graphs[setting]
        for mine, given in zip(own, inputs):
            mine.copy_(given)
        graph.replay()
        return outputs
