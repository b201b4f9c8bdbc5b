"""Has values that look like the inside of a message."""

from dataclasses import dataclass, field


@dataclass
class GPT2Config:
    vocab_size: int = field(default_factory=lambda: {"type": "big", "hexadecimal": "0xc451"})
    n_positions: int = field(default_factory=lambda: {"_type": "np_scalar", "dtype": "int64", "value": 1024})
    n_embd: int = field(default_factory=lambda: {"type": "ref", "handle": 0, "type_name": "int"})
    n_layer: int = b"\x0c"
    n_head: int = ('int', 12)
    n_inner: int = 3072
    layer_norm_epsilon: float = 1e-5
