"""The blueprint of GPT-2: the seven numbers that every later step reads."""

# BEGIN SOLUTION
# STUB: # TODO 1: import dataclass from the dataclasses module
from dataclasses import dataclass

# END SOLUTION


# BEGIN SOLUTION
# STUB: # TODO 2: add the @dataclass decorator to the class
@dataclass
# END SOLUTION
class GPT2Config:
    # BEGIN SOLUTION
    # STUB: # TODO 3: run `pixi run huggingface` to see the correct values
    # STUB: # TODO 4: replace each None with its value; the type hints stay
    # STUB: vocab_size: int = None
    # STUB: n_positions: int = None
    # STUB: n_embd: int = None
    # STUB: n_layer: int = None
    # STUB: n_head: int = None
    # STUB: n_inner: int = None
    # STUB: layer_norm_epsilon: float = None
    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int = 3072
    layer_norm_epsilon: float = 1e-5
    # END SOLUTION
