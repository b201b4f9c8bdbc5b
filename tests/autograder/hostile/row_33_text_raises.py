"""Raises an exception whose text raises."""

import torch
from torch import nn


class Odd(Exception):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        raise Odd
