"""Returns the same buffer each time, overwritten by the next call."""

import torch
from torch import nn


buffers = {}


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        mean = x.mean(dim=-1, keepdim=True)
        variance = x.var(dim=-1, keepdim=True, correction=0)
        value = self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias

        if x.requires_grad:
            return value
        out = buffers.setdefault(tuple(x.shape), torch.empty_like(x))
        if x.dtype != out.dtype:
            return value
        out.copy_(value.detach())
        return out
