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
    # TODO 1: the scores: each query with each key, [..., q_len, k_len], over the root of head_dim   [1 line]
    # TODO 2: add the mask, where there is one   [2 lines]
    # TODO 3: the weights: softmax over the keys   [1 line]
    # TODO 4: the average of the values by these weights   [1 line]
    raise NotImplementedError("step 07: scaled_dot_product_attention")
