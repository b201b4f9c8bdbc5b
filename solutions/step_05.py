# Generated from puzzles/token_embedding.py by `pixi run generate`: edit that file, not this one.
"""Token embeddings: a table with a row of numbers for each token, and the row of each id is looked up."""

import torch
from torch import Tensor, nn


def embed_one_hot(input_ids: Tensor, weight: Tensor) -> Tensor:
    """Look up rows by a matrix product, to see that a lookup is one.

    Args:
        input_ids: [...], int64
        weight: [vocab_size, n_embd]

    Returns:
        [..., n_embd], of the weight's dtype

    Example (weight=[[1, 2], [3, 4]], input_ids=[1, 0, 1]): [[3, 4], [1, 2], [3, 4]].
    """
    one_hot = nn.functional.one_hot(input_ids, num_classes=weight.shape[0])  # [..., vocab_size]
    return one_hot.to(weight.dtype) @ weight


class TokenEmbedding(nn.Module):
    def __init__(self, vocab_size: int, n_embd: int) -> None:
        """Make the table: ``weight`` [vocab_size, n_embd], normal numbers with standard deviation 0.02."""
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(vocab_size, n_embd))

    def forward(self, input_ids: Tensor) -> Tensor:
        """Look up the row of each id.

        Args:
            input_ids: [batch, seq] or any other shape, int64, each from 0 to vocab_size - 1.

        Returns:
            [batch, seq, n_embd]: the ids' shape, and n_embd at its end; of the weight's dtype.

        Errors: IndexError, when an id is not in the table.
        """
        if (input_ids < 0).any():
            raise IndexError(f"id {input_ids.min().item()} is not in the table of {self.weight.shape[0]} rows")
        return self.weight[input_ids]
