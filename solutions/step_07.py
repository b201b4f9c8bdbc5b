# Generated from puzzles/scaled_dot_product_attention.py by `pixi run generate`: edit that file, not this one.
"""Scaled dot-product attention: each query takes a weighted average of the values, by how well it fits each key."""

import math

import torch
from torch import Tensor


def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """Return the values, averaged by the softmax of the scaled scores.

    Args:
        query: [..., q_len, head_dim]
        key: [..., k_len, head_dim]
        value: [..., k_len, value_dim]
        attn_mask: added to the scores before the softmax, broadcast to [..., q_len, k_len]; 0 allows, -inf hides.

    Returns:
        [..., q_len, value_dim], in the dtype of the inputs

    Source: Vaswani et al. 2017, equation 1.
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # [..., q_len, k_len]
    if attn_mask is not None:
        scores = scores + attn_mask
    weights = torch.softmax(scores, dim=-1)  # each row adds up to 1
    return weights @ value
