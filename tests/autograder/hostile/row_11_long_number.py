"""Has a number of 20,000 digits, which Python refuses to print."""

from dataclasses import dataclass


@dataclass
class GPT2Config:
    vocab_size: int = 10**20_000
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int = 3072
    layer_norm_epsilon: float = 1e-5
