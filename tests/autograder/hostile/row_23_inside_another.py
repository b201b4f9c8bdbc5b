"""Uses a module of torch's that has a layer norm inside."""

import torch
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        inner = torch.nn.TransformerEncoderLayer(x.shape[-1], 1, 1, dropout=0.0)
        return inner(x.reshape(1, -1, x.shape[-1])).reshape(x.shape)
