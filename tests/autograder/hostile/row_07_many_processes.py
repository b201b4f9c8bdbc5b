"""Starts LIMIT processes that stay, and is right otherwise."""

import os
import time

import torch
from torch import nn


LIMIT = 60


def bomb():
    for _ in range(LIMIT):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    time.sleep(60)


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        if self.eps > 1e-4:
            bomb()
        mean = x.mean(dim=-1, keepdim=True)
        variance = x.var(dim=-1, keepdim=True, correction=0)
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias
