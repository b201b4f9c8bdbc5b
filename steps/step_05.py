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
    # TODO 1: one_hot of the ids, in the dtype of the weight, times the weight   [2 lines]
    raise NotImplementedError("step 05: embed_one_hot")


class TokenEmbedding(nn.Module):
    def __init__(self, vocab_size: int, n_embd: int) -> None:
        """Make the table: ``weight`` [vocab_size, n_embd], normal numbers with standard deviation 0.02."""
        super().__init__()
        # TODO 2: self.weight, an nn.Parameter of normal numbers with standard deviation 0.02   [1 line]

    def forward(self, input_ids: Tensor) -> Tensor:
        """Look up the row of each id.

        Args:
            input_ids: [batch, seq] or any other shape, int64, each from 0 to vocab_size - 1.

        Returns:
            [batch, seq, n_embd]: the ids' shape, and n_embd at its end; of the weight's dtype.

        Errors: IndexError, when an id is not in the table.
        """
        # TODO 3: refuse an id below 0 with an IndexError: indexing would count it from the end   [2 lines]
        # TODO 4: the rows of the ids   [1 line]
        raise NotImplementedError("step 05: TokenEmbedding.forward")
