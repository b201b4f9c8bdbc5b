"""Has a process without a parent that uses the memory, and then waits."""

import os
import time

import torch
from torch import nn


def bomb():
    if os.fork() == 0:
        if os.fork() == 0:
            full = bytearray(b"x") * (400 * 2**20)
            time.sleep(60)
            del full
        os._exit(0)
    os.wait()
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
