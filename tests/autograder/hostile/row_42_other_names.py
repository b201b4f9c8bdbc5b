"""Uses names, helpers and a spelling of its own, and is right."""

from __future__ import annotations

import functools
import math as m

import torch as t
import torch.nn as layers

_EPSILON: float = 1e-5


def centred(values: t.Tensor) -> t.Tensor:
    return values - functools.reduce(t.add, values.unbind(-1)).unsqueeze(-1) / values.size(-1)


def spread(values: t.Tensor, little: float) -> t.Tensor:
    return (values.pow(2).sum(-1, keepdim=True) / values.size(-1) + little) ** m.fsum([0.25, 0.25])


class Base(layers.Module):
    """A class between the two."""


class LayerNorm(Base):
    def __init__(self, width: int, *, eps: float = _EPSILON):
        super().__init__()
        self.little = eps
        self.register_parameter("bias", layers.Parameter(t.zeros((width,))))
        self.register_parameter("weight", layers.Parameter(t.ones((width,))))
        self.note = "an attribute of its own"

    def forward(self, hidden):
        flat = centred(hidden)
        return flat.div(spread(flat, self.little)).mul(self.weight).add(self.bias)


if __name__ == "__main__":
    print(LayerNorm(4)(t.randn(2, 4)))
