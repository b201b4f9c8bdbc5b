# Generated from puzzles/generate.py by `pixi run generate`: edit that file, not this one.
"""Generating text: the model's most likely next token, appended, again and again."""

import torch
from torch import Tensor

from solutions.step_11 import GPT2LMHeadModel


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
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    n_positions = model.transformer.wpe.weight.shape[0]
    ended = torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)
    for _ in range(max_new_tokens):
        hidden_states = model.transformer(input_ids[:, -n_positions:])
        logits = model.lm_head(hidden_states[:, -1])  # [batch, vocab_size]: only the last position is asked
        next_ids = logits.argmax(dim=-1)  # [batch]
        if eos_token_id is not None:
            next_ids = next_ids.masked_fill(ended, eos_token_id)
            ended = ended | (next_ids == eos_token_id)
        input_ids = torch.cat([input_ids, next_ids.unsqueeze(1)], dim=1)
        if ended.all():
            break
    for module, mode in modes:
        module.training = mode
    return input_ids
