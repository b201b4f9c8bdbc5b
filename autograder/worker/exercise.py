"""What a worker's process does before anybody wants it: a little of what a step's code is likely to do.

What runs for the first time in a process takes several times as long as the second time: torch finds its kernels,
Python learns which types an instruction meets, and a fork copies each page that it writes to. Where torch was not
imported there is nothing to do.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from autograder import values

if TYPE_CHECKING:
    from torch import Tensor, nn

_ROUNDS = 2  # Python looks at an instruction's types once it has run a few times


def run() -> None:
    """Make a small module, give it weights, run it forwards and backwards, and drop it: random numbers are drawn."""
    if "torch" not in sys.modules:
        return
    import torch

    ids = torch.tensor([[0, 1, 2, 3], [4, 5, 6, 6]])
    for _ in range(_ROUNDS):
        parts = _parts()
        sent = {name: values.tensor_of(value) for name, value in parts.state_dict().items()}
        parts.load_state_dict({name: values.tensor(value) for name, value in sent.items()})
        _logits(parts, ids).sum().backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            values.tensor_of(_logits(parts.eval(), ids).argmax(dim=-1))


def _parts() -> nn.ModuleDict:
    from torch import nn

    layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    return nn.ModuleDict({"table": nn.Embedding(7, 4), "norm": nn.LayerNorm(4), "layers": layers})


def _logits(parts: nn.ModuleDict, ids: Tensor) -> Tensor:
    """Return what a model of one block might: [2, 4, 7] of ids [2, 4]."""
    import torch
    from torch.nn import functional

    x = parts["table"](ids) + torch.arange(4)
    x = (x - x.mean(dim=-1, keepdim=True)) / torch.sqrt(x.var(dim=-1, keepdim=True, unbiased=False) + 1e-5)
    q, k, v = (layer(x).view(2, 4, 2, 2).transpose(1, 2) for layer in parts["layers"].children())
    hidden = torch.tril(torch.ones(4, 4)) == 0
    weights = torch.softmax((q @ k.transpose(-2, -1) / 2.0).masked_fill(hidden, float("-inf")), dim=-1)
    x = x + (weights @ v).transpose(1, 2).reshape(2, 4, 4)
    x = parts["norm"](x + 0.5 * x * (1 + torch.tanh(x + 0.044715 * x**3)) + functional.gelu(x))
    (table,) = parts["table"].parameters()
    return functional.linear(torch.cat([x, x], dim=1)[:, :4], table)
