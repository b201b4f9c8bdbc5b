"""Position embeddings: a learned row of numbers for each place in the sequence."""

import torch
from torch import Tensor, nn


class PositionEmbedding(nn.Module):
    def __init__(self, n_positions: int, n_embd: int) -> None:
        """Make the table: ``weight`` [n_positions, n_embd], normal numbers with standard deviation 0.02."""
        super().__init__()
        # TODO 1: self.weight, an nn.Parameter of normal numbers with standard deviation 0.02   [1 line]

    def forward(self, seq_len: int, past_length: int = 0) -> Tensor:
        """Return the rows of the positions past_length to past_length + seq_len - 1.

        Args:
            seq_len: number of new tokens, >= 1.
            past_length: number of tokens before them, >= 0.

        Returns:
            [seq_len, n_embd]

        Errors: ValueError, when a position is beyond the table.
        """
        # TODO 2: the end of the range; beyond n_positions, a ValueError that names both numbers   [4 lines]
        # TODO 3: the rows   [1 line]
        raise NotImplementedError("step 06: PositionEmbedding.forward")
