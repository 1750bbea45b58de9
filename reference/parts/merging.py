"""tomesd's matching itself on made-up tokens: what it draws, which tokens it joins, what merge and unmerge give.

The order of tomesd's merged tokens hangs on an argsort that is not stable, so `merged_token` says which token each row
is, and `owner` says the same without any order: the token that each token was merged into, or itself.
"""

from itertools import product
from typing import Any, NamedTuple

import torch
from tomesd.merge import bipartite_soft_matching_random2d

from parts.common import FIXTURES, generator, write_json, write_tensors

TOKENS_SEED = 3000


class Case(NamedTuple):
    height: int
    width: int
    sy: int
    sx: int
    ratio: float
    batch: int
    no_rand: bool
    channels: int = 8
    ties: bool = False


def cases() -> list[Case]:
    basic = [
        Case(8, 8, 2, 2, ratio, batch, no_rand)
        for ratio, batch, no_rand in product((0.25, 0.5, 0.75), (1, 2), (False, True))
    ]
    strides = [Case(8, 12, sy, sx, 0.5, 2, False) for sx, sy in ((1, 2), (2, 1), (3, 2), (4, 4))]
    strides += [Case(8, 12, sy, sx, ratio, 1, False) for sx, sy in ((1, 2), (4, 4)) for ratio in (0.25, 0.75)]
    uneven = [
        Case(height, width, sy, sx, ratio, batch, False)
        for height, width in ((7, 5), (9, 8), (17, 13))
        for sx, sy, ratio, batch in ((2, 2, 0.5, 2), (3, 2, 0.25, 1), (4, 4, 0.75, 1))
    ]
    uneven += [Case(height, width, 2, 2, 0.75, 3, False) for height, width in ((7, 5), (9, 8))]
    uneven += [Case(7, 5, 2, 2, 0.5, 2, True), Case(17, 13, 3, 2, 0.5, 1, True)]
    clamped = [Case(8, 8, 2, 2, ratio, 2, False) for ratio in (0.9, 1.0, 1.5)] + [Case(9, 8, 2, 2, 0.9, 1, True)]
    few = [Case(8, 8, 2, 2, 0.01, 2, False), Case(8, 8, 2, 2, 0.03, 2, False)]  # 0 and 1 tokens
    tied = [Case(8, 8, 2, 2, 0.5, 2, no_rand, ties=True) for no_rand in (False, True)]
    return basic + strides + uneven + clamped + few + tied + [Case(6, 6, 2, 2, 0.5, 3, False, channels=16)]


def tokens(case: Case, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    numbers = generator(seed)
    count = case.height * case.width
    metric = torch.randn(case.batch, count, case.channels, generator=numbers)
    if case.ties:  # only four different tokens, exactly alike otherwise
        metric = metric[:, torch.randint(4, (count,), generator=numbers)]
    return metric, torch.randn(case.batch, count, 2, generator=numbers)


def draws(case: Case, seed: int) -> torch.Tensor:
    """[h / sy, w / sx]: which token of each cell becomes dst, counted row by row within the cell."""
    cells = (case.height // case.sy, case.width // case.sx, 1)
    if case.no_rand:
        return torch.zeros(cells, dtype=torch.int64)[..., 0]
    return torch.randint(case.sy * case.sx, size=cells, generator=generator(seed))[..., 0]


def dst_tokens(case: Case, drawn: torch.Tensor) -> torch.Tensor:
    rows = torch.arange(drawn.shape[0])[:, None] * case.sy + drawn // case.sx
    columns = torch.arange(drawn.shape[1])[None] * case.sx + drawn % case.sx
    return (rows * case.width + columns).flatten()


def leaders(rows: torch.Tensor, dst: torch.Tensor) -> torch.Tensor:
    """The token that stands for each row, from the row's share of every token: its dst if it has one, else its only one.

    rows [B, M, N] is what merging makes of the identity matrix, or of that merged and unmerged.
    """
    is_dst = torch.zeros(rows.shape[-1], dtype=torch.bool)
    is_dst[dst] = True
    shares = torch.where(is_dst, rows, 0)
    return torch.where(shares.amax(-1) > 0, shares.argmax(-1), rows.argmax(-1))


def run(case: Case, number: int) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    seed = TOKENS_SEED + number
    metric, x = tokens(case, seed)
    count = case.height * case.width
    r = int(count * case.ratio)
    drawn = draws(case, seed)
    merge, unmerge = bipartite_soft_matching_random2d(
        metric, case.width, case.height, case.sx, case.sy, r, no_rand=case.no_rand, generator=generator(seed))
    merged = merge(x)
    identity = torch.eye(count).expand(case.batch, count, count)
    dst = dst_tokens(case, drawn)
    owner = leaders(unmerge(merge(identity)), dst)
    tensors = {
        "metric": metric,
        "x": x,
        "draws": drawn.int(),
        "merged": merged,
        "merged_token": leaders(merge(identity), dst).int(),
        "unmerged": unmerge(merged),
        "owner": owner.int(),
    }
    joined = (owner != torch.arange(count)).sum(-1)
    assert (joined == min(r, count - len(dst))).all(), case
    description = case._asdict() | {
        "name": f"match-{number:02}",
        "tokens": count,
        "r": r,
        "merged_tokens": merged.shape[1],
        "seed": seed,
    }
    return tensors, description


def make() -> None:
    tensors: dict[str, torch.Tensor] = {}
    descriptions = []
    for number, case in enumerate(cases()):
        made, description = run(case, number)
        tensors |= {f"{description['name']}.{key}": tensor for key, tensor in made.items()}
        descriptions.append(description)
    write_tensors(FIXTURES / "merging" / "cases.safetensors", tensors)
    write_json(FIXTURES / "merging" / "cases.json", {"cases": descriptions})
