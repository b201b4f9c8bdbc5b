"""Warns, through Python and through torch, and is right."""

import logging
import warnings

import torch
from torch import nn


warnings.simplefilter("always")


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        warnings.warn("this is deprecated", DeprecationWarning, stacklevel=2)
        warnings.warn("and this is loud", stacklevel=1)
        logging.getLogger().warning("so is this")
        mean = x.mean(dim=-1, keepdim=True)
        variance = x.var(dim=-1, keepdim=True, correction=0)
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias
