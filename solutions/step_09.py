# Generated from puzzles/block.py by `pixi run generate`: edit that file, not this one.
"""A transformer block: tokens gather from each other, then each works by itself, and both add to the stream."""

from torch import Tensor, nn

from solutions.step_01 import GPT2Config
from solutions.step_03 import LayerNorm
from solutions.step_04 import GPT2MLP
from solutions.step_08 import GPT2Attention


class GPT2Block(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make the four parts, by the checkpoint's names: ``ln_1``, ``attn``, ``ln_2``, ``mlp``."""
        super().__init__()
        self.ln_1 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = GPT2Attention(config)
        self.ln_2 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GPT2MLP(config.n_inner, config)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Add what attention and the MLP make of the normalised stream to the stream.

        Args:
            hidden_states: [batch, seq, n_embd]; left as it is.
            attention_mask: handed on to the attention.

        Returns:
            [batch, seq, n_embd], in the dtype of hidden_states

        Source: Radford et al. 2019, section 2.3.
        """
        hidden_states = hidden_states + self.attn(self.ln_1(hidden_states), attention_mask)
        return hidden_states + self.mlp(self.ln_2(hidden_states))
