"""The MLP of a block: each token by itself, made wider, bent by GELU, made narrow again."""

import math

import torch
from torch import Tensor, nn

from puzzles.config import GPT2Config


def gelu_new(x: Tensor) -> Tensor:
    """Return GELU as GPT-2 computes it: the approximation with tanh.

    Args:
        x: any shape.

    Returns:
        The shape and dtype of ``x``.

    Source: Hendrycks and Gimpel 2016, section 2.
    """
    # BEGIN SOLUTION
    # STUB: # TODO 1: half of x times (1 + tanh(sqrt(2 / pi) times (x + 0.044715 times x cubed)))   [2 lines]
    # STUB: raise NotImplementedError("step {step}: gelu_new")
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1 + torch.tanh(inner))
    # END SOLUTION


class GPT2MLP(nn.Module):
    def __init__(self, intermediate_size: int, config: GPT2Config) -> None:
        """Make the two linear layers: ``c_fc`` from n_embd to intermediate_size, ``c_proj`` back."""
        super().__init__()
        # BEGIN SOLUTION
        # STUB: # TODO 2: self.c_fc, an nn.Linear from n_embd to intermediate_size, and self.c_proj, back   [2 lines]
        self.c_fc = nn.Linear(config.n_embd, intermediate_size)
        self.c_proj = nn.Linear(intermediate_size, config.n_embd)
        # END SOLUTION

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Widen, bend, narrow.

        Args:
            hidden_states: [batch, seq, n_embd], of the parameters' dtype.

        Returns:
            [batch, seq, n_embd], of the same dtype.
        """
        # BEGIN SOLUTION
        # STUB: # TODO 3: through c_fc, gelu_new and c_proj, in this order   [2 lines]
        # STUB: raise NotImplementedError("step {step}: GPT2MLP.forward")
        hidden_states = gelu_new(self.c_fc(hidden_states))  # [batch, seq, intermediate_size]
        return self.c_proj(hidden_states)
        # END SOLUTION
