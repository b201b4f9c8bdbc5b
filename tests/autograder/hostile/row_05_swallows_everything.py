"""Never comes back, ignores every signal that can be ignored, and swallows every exception."""

import signal

import torch
from torch import nn


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGXCPU, signal.SIGUSR1):
    signal.signal(number, signal.SIG_IGN)


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        while True:
            try:
                while True:
                    signal.alarm(0)
            except BaseException:
                continue
