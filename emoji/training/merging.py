"""Token merging (arXiv:2303.17604) around self-attention, so that training at 64x64 latents costs less than half.

The network also gets used to it: pictures made with merging on suffer less.
"""
import torch
from torch.nn import functional as F
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0

# plain matrix products train faster than the fused attention on a CPU
PROCESSOR = AttnProcessor2_0 if torch.cuda.is_available() else AttnProcessor


class MergingProcessor(PROCESSOR):
    """Merges a share ``ratio`` of the tokens before self-attention wherever there are at least ``least`` of them, and unmerges after."""

    def __init__(self, ratio, least):
        super().__init__()
        self.ratio, self.least = ratio, least

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, *args, **kwargs):
        tokens = hidden_states.shape[1]
        if encoder_hidden_states is not None or tokens < self.least or self.ratio == 0:
            return super().__call__(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        origin, counts = groups(hidden_states, self.ratio)
        b, n, c = hidden_states.shape
        merged = hidden_states.new_zeros(b * counts.shape[1], c).index_add(0, origin, hidden_states.reshape(b * n, c))
        merged = merged.view(b, -1, c) / counts[..., None].to(merged.dtype)
        out = super().__call__(attn, merged, None, *args, **kwargs)
        return out.reshape(-1, c).index_select(0, origin).view(b, n, c)


@torch.no_grad()
def groups(x, ratio):
    """For tokens [B, N, C] of a square map: the row in the flattened [B * M, C] that each goes into, and the group sizes [B, M]."""
    b, n, _ = x.shape
    side = int(n ** 0.5)
    x = F.normalize(x.float(), dim=-1).to(x.dtype)
    # one random token of each 2x2 cell is a destination, the same in the whole batch
    pick = torch.randint(4, (side // 2, side // 2), device=x.device)
    y, z = torch.meshgrid(*[2 * torch.arange(side // 2, device=x.device)] * 2, indexing="ij")
    dst = ((y + pick // 2) * side + z + pick % 2).flatten()  # [N / 4]
    is_src = torch.ones(n, dtype=torch.bool, device=x.device).index_fill(0, dst, False)
    src = is_src.to(torch.uint8).argsort(descending=True, stable=True)[:n - len(dst)]  # [3 N / 4]
    best, nearest = (x[:, src] @ x[:, dst].transpose(1, 2)).max(-1)  # [B, 3 N / 4]
    r = min(len(src), int(n * ratio))
    merged = best.topk(r, -1).indices  # [B, r]
    # rows of the merged map: first the destinations, then the sources that stay
    kept = torch.ones(best.shape, dtype=torch.bool, device=x.device).scatter_(1, merged, False)
    row = torch.where(kept, len(dst) + kept.cumsum(1) - 1, nearest)
    rows = n - r
    origin = torch.empty(b, n, dtype=torch.long, device=x.device)
    origin[:, dst] = torch.arange(len(dst), device=x.device)
    origin[:, src] = row
    counts = torch.zeros(b, rows, device=x.device).scatter_add_(1, origin, torch.ones(b, n, device=x.device))
    return (origin + rows * torch.arange(b, device=x.device)[:, None]).flatten(), counts
