"""Returns a function whose name UTF-8 cannot say."""

import torch
from torch import nn


def helper():
    pass


helper.__name__ = "\udc80" * 3


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return helper
