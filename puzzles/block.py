"""A transformer block: tokens gather from each other, then each works by itself, and both add to the stream."""

from torch import Tensor, nn

from puzzles.attention import GPT2Attention
from puzzles.config import GPT2Config
from puzzles.layer_norm import LayerNorm
from puzzles.mlp import GPT2MLP


class GPT2Block(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make the four parts, by the checkpoint's names: ``ln_1``, ``attn``, ``ln_2``, ``mlp``."""
        super().__init__()
        # BEGIN SOLUTION
        # STUB: # TODO 1: self.ln_1, self.attn, self.ln_2 and self.mlp, from your earlier steps   [4 lines]
        self.ln_1 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = GPT2Attention(config)
        self.ln_2 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GPT2MLP(config.n_inner, config)
        # END SOLUTION

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Add what attention and the MLP make of the normalised stream to the stream.

        Args:
            hidden_states: [batch, seq, n_embd]; left as it is.
            attention_mask: handed on to the attention.

        Returns:
            [batch, seq, n_embd], in the dtype of hidden_states

        Source: Radford et al. 2019, section 2.3.
        """
        # BEGIN SOLUTION
        # STUB: # TODO 2: the stream, and what attention makes of its norm   [1 line]
        # STUB: # TODO 3: the stream, and what the MLP makes of its norm   [1 line]
        # STUB: raise NotImplementedError("step {step}: GPT2Block.forward")
        hidden_states = hidden_states + self.attn(self.ln_1(hidden_states), attention_mask)
        return hidden_states + self.mlp(self.ln_2(hidden_states))
        # END SOLUTION
