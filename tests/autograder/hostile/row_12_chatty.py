"""Prints 30 MB on both streams, and is right."""

import os

import torch
from torch import nn


done = []
print("the first words")


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        if not done:
            done.append(True)
            for _ in range(15):
                os.write(1, b"o" * 2**20)
                os.write(2, b"e" * 2**20)
        mean = x.mean(dim=-1, keepdim=True)
        variance = x.var(dim=-1, keepdim=True, correction=0)
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias
