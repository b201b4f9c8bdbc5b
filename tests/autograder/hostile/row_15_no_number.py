"""Returns numbers whose bits say more than nan."""

import torch
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        y = torch.full_like(x, float('nan'))
        y.view(torch.int32).fill_(0x7FC01234)
        return y
