"""Returns an object that runs code where it is unpickled."""

import os

import torch
from torch import nn


class Payload:
    def __reduce__(self):
        return os.system, ("echo unpickled >> MARKER",)

    def __reduce_ex__(self, protocol):
        return self.__reduce__()


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return Payload()
