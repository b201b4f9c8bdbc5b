# Generated from puzzles/layer_norm.py by `pixi run generate`: edit that file, not this one.
"""Layer normalisation: each token's features are brought to mean 0 and variance 1, then scaled and shifted."""

import torch
from torch import Tensor, nn


class LayerNorm(nn.Module):
    def __init__(self, dim: int, *, eps: float = 1e-5) -> None:
        """Make the two learned vectors: ``weight`` [dim], all ones, and ``bias`` [dim], all zeros."""
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the last axis.

        Args:
            x: [..., dim], of the parameters' dtype.

        Returns:
            [..., dim], of the same dtype.

        Source: Ba, Kiros and Hinton 2016, section 3.
        """
        mean = x.mean(dim=-1, keepdim=True)
        centred = x - mean
        variance = centred.square().mean(dim=-1, keepdim=True)
        normalised = centred / torch.sqrt(variance + self.eps)
        return self.weight * normalised + self.bias
