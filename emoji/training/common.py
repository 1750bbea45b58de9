"""What both trainings share: the optimiser, the moving average of weights, checkpoints and the log."""
import csv
import math
import os
import time

import torch


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalised for weight matrices (https://kellerjordan.github.io/posts/muon), and AdamW for the rest.

    Convolutions count as matrices [out, in * kh * kw]. Updates are scaled to AdamW's size (arXiv:2502.16982, section 2.2),
    so that one learning rate serves both kinds. The rate may be a tensor, and nothing is read back: a GPU can replay a step.
    """

    def __init__(self, named_parameters, lr, weight_decay=0.0, momentum=0.95, betas=(0.9, 0.98), adam_names=()):
        matrices, others = [], []
        for name, p in named_parameters:
            is_matrix = p.ndim >= 2 and min(p.shape[0], p[0].numel()) > 8 and not any(a in name for a in adam_names)
            (matrices if is_matrix else others).append(p)
        groups = [dict(params=matrices, muon=True), dict(params=others, muon=False)]
        super().__init__(groups, dict(lr=lr, weight_decay=weight_decay, momentum=momentum, betas=betas))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            present = [p for p in group["params"] if p.grad is not None]
            if not present:
                continue
            if group["weight_decay"]:
                torch._foreach_mul_(present, 1 - group["lr"] * group["weight_decay"])
            updates = self.muon_updates(present, group) if group["muon"] else self.adam_updates(present, group)
            torch._foreach_mul_(updates, group["lr"])
            torch._foreach_sub_(present, updates)

    def muon_updates(self, parameters, group):
        """Matrices of one shape are orthogonalised together: on a CPU the many small products would cost more than the large."""
        for p in parameters:
            if not self.state[p]:
                self.state[p]["momentum"] = torch.zeros_like(p)
        gradients, momenta = [p.grad for p in parameters], [self.state[p]["momentum"] for p in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        directions = torch._foreach_lerp(gradients, momenta, group["momentum"])
        updates, shapes = [None] * len(parameters), {}
        for i, d in enumerate(directions):
            shapes.setdefault((d.shape[0], d[0].numel()), []).append(i)
        for shape, members in shapes.items():
            together = orthogonalised(torch.stack([directions[i].reshape(shape) for i in members])) * 0.2 * math.sqrt(max(shape))
            for i, update in zip(members, together):
                updates[i] = update.view(parameters[i].shape)
        return updates

    def adam_updates(self, parameters, group):
        for p in parameters:
            if not self.state[p]:
                self.state[p].update(count=torch.zeros((), device=p.device), mean=torch.zeros_like(p), square=torch.zeros_like(p))
        states, gradients, (b1, b2) = [self.state[p] for p in parameters], [p.grad for p in parameters], group["betas"]
        counts, means, squares = ([s[name] for s in states] for name in ("count", "mean", "square"))
        torch._foreach_add_(counts, 1)
        torch._foreach_lerp_(means, gradients, 1 - b1)
        torch._foreach_lerp_(squares, torch._foreach_mul(gradients, gradients), 1 - b2)
        roots = torch._foreach_sqrt(torch._foreach_div(squares, [1 - b2 ** c for c in counts]))
        torch._foreach_add_(roots, 1e-8)
        return torch._foreach_div(torch._foreach_div(means, [1 - b1 ** c for c in counts]), roots)


def orthogonalised(g, steps=5):
    """The nearest semi-orthogonal matrices to ``g`` [k, n, m], roughly, by a Newton-Schulz iteration in bf16."""
    x = g.bfloat16()
    tall = x.shape[1] > x.shape[2]
    x = x.mT.contiguous() if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        a = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return (x.mT if tall else x).float()


class MovingAverage:
    """Exponential moving average of the parameters of some modules, with a warm-up so that early weights are forgotten."""

    def __init__(self, modules, decay):
        self.parameters = [p for m in modules for p in m.parameters()]
        self.average = [p.detach().clone() for p in self.parameters]
        self.decay, self.updates = decay, 0

    @torch.no_grad()
    def update(self):
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)

    @torch.no_grad()
    def restart(self):
        """Begins anew at the weights as they are."""
        self.updates = 0
        for a, p in zip(self.average, self.parameters):
            a.copy_(p)

    @torch.no_grad()
    def swap(self):
        """Exchanges the weights and their average; call again to go back."""
        for p, a in zip(self.parameters, self.average):
            kept = p.detach().clone()
            p.copy_(a)
            a.copy_(kept)

    def state_dict(self):
        return {"average": self.average, "updates": self.updates}

    def load_state_dict(self, state):
        self.updates = state["updates"]
        for a, s in zip(self.average, state["average"]):
            a.copy_(s)


class Budget:
    """What a stage may take: minutes of wall-clock time or, if given, samples. What earlier runs took counts too, so that a resumed stage ends when it should."""

    def __init__(self, minutes=None, spent=0.0, samples=None, seen=0):
        self.minutes, self.samples, self.seen, self.start = minutes, samples, seen, time.time() - spent

    def spent(self):
        """Seconds."""
        return time.time() - self.start

    def progress(self):
        """0 at the start, 1 when the budget is used up."""
        return min(1.0, self.seen / self.samples if self.samples else self.spent() / (self.minutes * 60))


def learning_rate(peak, step, progress, warm_up=100, final=0.02, decay_from=0.5):
    """Warm-up by steps, a plateau, then a linear fall over the last part of the budget."""
    fall = 1.0 if progress < decay_from or decay_from >= 1 else 1 - (1 - final) * (progress - decay_from) / (1 - decay_from)
    return peak * min(1.0, (step + 1) / warm_up) * fall


def save(path, state):
    """Writes a checkpoint beside its place and renames it, so that a kill never leaves half a file."""
    beside = path.with_suffix(".part")
    torch.save(state, beside)
    os.replace(beside, path)


def load(path):
    """The checkpoint, or an empty dict if there is none yet."""
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else {}


def log(path, **row):
    """Adds a line to a CSV file and prints it."""
    row = {k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()}
    new = not path.exists()
    with path.open("a", newline="") as f:
        writer = csv.DictWriter(f, row)
        if new:
            writer.writeheader()
        writer.writerow(row)
    print(" ".join(f"{k}={v}" for k, v in row.items()), flush=True)
