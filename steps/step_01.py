"""The blueprint of GPT-2: the seven numbers that every later step reads."""

# TODO 1: import dataclass from the dataclasses module


# TODO 2: add the @dataclass decorator to the class
class GPT2Config:
    # TODO 3: run `pixi run huggingface` to see the correct values
    # TODO 4: replace each None with its value; the type hints stay
    vocab_size: int = None
    n_positions: int = None
    n_embd: int = None
    n_layer: int = None
    n_head: int = None
    n_inner: int = None
    layer_norm_epsilon: float = None
