"""Overflows C's stack, through a slot of C that calls Python that calls it again."""

import sys

import torch
from torch import nn


sys.setrecursionlimit(10**8)


class Endless:
    def __add__(self, other):
        return self + other


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return Endless() + 1
