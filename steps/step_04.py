"""The MLP of a block: each token by itself, made wider, bent by GELU, made narrow again."""

import math

import torch
from torch import Tensor, nn

from steps.step_01 import GPT2Config


def gelu_new(x: Tensor) -> Tensor:
    """Return GELU as GPT-2 computes it: the approximation with tanh.

    Args:
        x: any shape.

    Returns:
        The shape and dtype of ``x``.

    Source: Hendrycks and Gimpel 2016, section 2.
    """
    # TODO 1: half of x times (1 + tanh(sqrt(2 / pi) times (x + 0.044715 times x cubed)))   [2 lines]
    raise NotImplementedError("step 04: gelu_new")


class GPT2MLP(nn.Module):
    def __init__(self, intermediate_size: int, config: GPT2Config) -> None:
        """Make the two linear layers: ``c_fc`` from n_embd to intermediate_size, ``c_proj`` back."""
        super().__init__()
        # TODO 2: self.c_fc, an nn.Linear from n_embd to intermediate_size, and self.c_proj, back   [2 lines]

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Widen, bend, narrow.

        Args:
            hidden_states: [batch, seq, n_embd], of the parameters' dtype.

        Returns:
            [batch, seq, n_embd], of the same dtype.
        """
        # TODO 3: through c_fc, gelu_new and c_proj, in this order   [2 lines]
        raise NotImplementedError("step 04: GPT2MLP.forward")
