# Generated from puzzles/mlp.py by `pixi run generate`: edit that file, not this one.
"""The MLP of a block: each token by itself, made wider, bent by GELU, made narrow again."""

import math

import torch
from torch import Tensor, nn

from solutions.step_01 import GPT2Config


def gelu_new(x: Tensor) -> Tensor:
    """Return GELU as GPT-2 computes it: the approximation with tanh.

    Args:
        x: any shape.

    Returns:
        The shape and dtype of ``x``.

    Source: Hendrycks and Gimpel 2016, section 2.
    """
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1 + torch.tanh(inner))


class GPT2MLP(nn.Module):
    def __init__(self, intermediate_size: int, config: GPT2Config) -> None:
        """Make the two linear layers: ``c_fc`` from n_embd to intermediate_size, ``c_proj`` back."""
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, intermediate_size)
        self.c_proj = nn.Linear(intermediate_size, config.n_embd)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Widen, bend, narrow.

        Args:
            hidden_states: [batch, seq, n_embd], of the parameters' dtype.

        Returns:
            [batch, seq, n_embd], of the same dtype.
        """
        hidden_states = gelu_new(self.c_fc(hidden_states))  # [batch, seq, intermediate_size]
        return self.c_proj(hidden_states)
