"""Layer normalisation: each token's features are brought to mean 0 and variance 1, then scaled and shifted."""

import torch
from torch import Tensor, nn


class LayerNorm(nn.Module):
    def __init__(self, dim: int, *, eps: float = 1e-5) -> None:
        """Make the two learned vectors: ``weight`` [dim], all ones, and ``bias`` [dim], all zeros."""
        super().__init__()
        self.eps = eps
        # TODO 1: self.weight and self.bias, two nn.Parameter of shape [dim]   [2 lines]

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the last axis.

        Args:
            x: [..., dim], of the parameters' dtype.

        Returns:
            [..., dim], of the same dtype.

        Source: Ba, Kiros and Hinton 2016, section 3.
        """
        # TODO 2: the mean and the (biased) variance over the last axis, kept with length 1   [2 or 3 lines]
        # TODO 3: subtract the mean, divide by the root of (variance + eps)   [1 line]
        # TODO 4: scale by the weight, shift by the bias   [1 line]
        raise NotImplementedError("step 03: LayerNorm.forward")
