# Generated from puzzles/position_embedding.py by `pixi run generate`: edit that file, not this one.
"""Position embeddings: a learned row of numbers for each place in the sequence."""

import torch
from torch import Tensor, nn


class PositionEmbedding(nn.Module):
    def __init__(self, n_positions: int, n_embd: int) -> None:
        """Make the table: ``weight`` [n_positions, n_embd], normal numbers with standard deviation 0.02."""
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(n_positions, n_embd))

    def forward(self, seq_len: int, past_length: int = 0) -> Tensor:
        """Return the rows of the positions past_length to past_length + seq_len - 1.

        Args:
            seq_len: number of new tokens, >= 1.
            past_length: number of tokens before them, >= 0.

        Returns:
            [seq_len, n_embd]

        Errors: ValueError, when a position is beyond the table.
        """
        end = past_length + seq_len
        n_positions = self.weight.shape[0]
        if end > n_positions:
            raise ValueError(f"{end} positions are asked for, and n_positions is {n_positions}")
        return self.weight[past_length:end]
