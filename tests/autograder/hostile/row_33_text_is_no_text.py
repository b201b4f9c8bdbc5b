"""Raises an exception whose text is a number."""

import torch
from torch import nn


class Odd(Exception):
    def __str__(self):
        return 7


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        raise Odd
