"""The causal mask: a token may look at itself and at what came before it, never at what comes after."""

import torch
from torch import Tensor


def causal_mask(
    sequence_length: int,
    num_tokens: int = 0,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Tensor:
    """Return the additive mask that hides later positions.

    Args:
        sequence_length: number of new tokens, >= 1.
        num_tokens: number of cached tokens before them, >= 0.

    Returns:
        [sequence_length, num_tokens + sequence_length], ``dtype``; 0 where attention is allowed, -inf elsewhere.

    Example (sequence_length=2, num_tokens=1): [[0, 0, -inf], [0, 0, 0]].
    Source: Vaswani et al. 2017, section 3.2.3.
    """
    # BEGIN SOLUTION
    # STUB: # TODO 1: the absolute positions: of the new tokens (query) as a column, of all (key) as a row   [2 lines]
    # STUB: # TODO 2: a mask of zeros, of the dtype and on the device that are asked for   [1 line]
    # STUB: # TODO 3: -inf wherever the key's position is later than the query's   [1 line]
    # STUB: raise NotImplementedError("step {step}: causal_mask")
    query = torch.arange(num_tokens, num_tokens + sequence_length, device=device).unsqueeze(1)  # [sequence_length, 1]
    key = torch.arange(num_tokens + sequence_length, device=device)  # [num_tokens + sequence_length]
    mask = torch.zeros(sequence_length, num_tokens + sequence_length, dtype=dtype, device=device)
    return mask.masked_fill(key > query, float("-inf"))
    # END SOLUTION
