"""Changes its argument in place, and returns the right numbers."""

import torch
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        if x.requires_grad:
            mean = x.mean(dim=-1, keepdim=True)
            variance = x.var(dim=-1, keepdim=True, correction=0)
            return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias
        x.sub_(x.mean(dim=-1, keepdim=True))
        x.div_(torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + self.eps))
        return self.weight * x + self.bias
