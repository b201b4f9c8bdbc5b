"""Prints 30 MB, and is wrong."""

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
            for _ in range(30):
                os.write(1, b"o" * 2**20)
            print("the last words", flush=True)
        return x
