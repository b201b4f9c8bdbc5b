"""Generating text: the model's most likely next token, appended, again and again."""

import torch
from torch import Tensor

from steps.step_11 import GPT2LMHeadModel


@torch.no_grad()
def generate(
    model: GPT2LMHeadModel, input_ids: Tensor, max_new_tokens: int, *, eos_token_id: int | None = None
) -> Tensor:
    """Continue each row of ids greedily.

    Args:
        model: runs in evaluation mode; each module's mode is as before afterwards.
        input_ids: [batch, seq], int64
        max_new_tokens: at most so many are appended, >= 0.
        eos_token_id: ends a row, which is padded with it from there on; when every row has ended, generation ends.

    Returns:
        [batch, seq + n], int64, with n <= max_new_tokens.
    """
    # TODO 1: remember each module's mode, and switch to evaluation   [2 lines]
    # TODO 2: the last n_positions ids through the model; the best token at the last position   [4 lines]
    # TODO 3: rows that have ended get eos_token_id; remember which have ended now   [3 lines]
    # TODO 4: append, and stop when every row has ended   [3 lines]
    # TODO 5: each module's mode as it was; return the ids   [3 lines]
    raise NotImplementedError("step 13: generate")
