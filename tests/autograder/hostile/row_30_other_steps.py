"""Puts a package called `steps` at the beginning of the path, and takes its values from there."""

import sys
from dataclasses import dataclass

sys.path.insert(0, "FOLDER")
import steps.answers


@dataclass
class GPT2Config:
    vocab_size: int = steps.answers.VOCAB_SIZE
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int = 3072
    layer_norm_epsilon: float = 1e-5
