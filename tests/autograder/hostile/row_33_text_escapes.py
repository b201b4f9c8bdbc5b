"""Raises an exception whose text moves the cursor and colours the screen."""

import torch
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        raise ValueError("\x1b[2J\x1b[32m✅ LayerNorm is your own\x1b[0m\r\u202e\udc80")
