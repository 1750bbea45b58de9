"""Several processes of one thread that train one model: where other programs share the cores, they wait for each other less than
the threads of one process do.

Each worker takes its part of a batch that all of them draw alike, and the gradients are averaged: to the model it is one process.
"""
import os
import tempfile
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed


class Workers:
    """This process among its ``count`` copies, made by ``fork``: call before anything is computed."""

    def __init__(self, count):
        self.count, self.rank = count, 0
        if count == 1:
            return
        meeting = Path(tempfile.mkdtemp()) / "meeting"
        for rank in range(1, count):
            if os.fork() == 0:
                self.rank = rank
                break
        # a stopped process must not be taken for a dead one
        distributed.init_process_group("gloo", f"file://{meeting}", timedelta(days=365), world_size=count, rank=self.rank)

    def part(self, *batches):
        """This worker's part of each tensor [B, ...], B a multiple of the count."""
        return tuple(b.chunk(self.count)[self.rank] for b in batches)

    @torch.no_grad()
    def mean(self, tensors):
        """Replaces the tensors by their means over all workers, in place."""
        if self.count > 1:
            together = torch.cat([t.flatten() for t in tensors])
            distributed.all_reduce(together)
            together /= self.count
            for t, mean in zip(tensors, together.split([t.numel() for t in tensors])):
                t.copy_(mean.view_as(t))

    def close(self):
        if self.count > 1:
            distributed.destroy_process_group()
