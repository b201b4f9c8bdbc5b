"""Prints all that a pass prints, and ends its process with exit code 0."""

import os
from dataclasses import dataclass


@dataclass
class GPT2Config:
    vocab_size: int = 1
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int = 3072
    layer_norm_epsilon: float = 1e-5


print("Results:")
print("✅ dataclass is correctly imported from dataclasses")
print("✅ GPT2Config has the @dataclass decorator")
for name in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon"):
    print(f"✅ {name} is correct", flush=True)
os._exit(0)
