# Generated from puzzles/model.py by `pixi run generate`: edit that file, not this one.
"""The stack: token and position embeddings, n_layer blocks, and a last norm."""

from torch import Tensor, nn

from solutions.step_01 import GPT2Config
from solutions.step_03 import LayerNorm
from solutions.step_05 import TokenEmbedding
from solutions.step_06 import PositionEmbedding
from solutions.step_09 import GPT2Block


class GPT2Model(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make the parts, by the checkpoint's names: ``wte``, ``wpe``, ``h`` and ``ln_f``."""
        super().__init__()
        self.wte = TokenEmbedding(config.vocab_size, config.n_embd)
        self.wpe = PositionEmbedding(config.n_positions, config.n_embd)
        self.h = nn.ModuleList(GPT2Block(config) for _ in range(config.n_layer))
        self.ln_f = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def forward(self, input_ids: Tensor, past_length: int = 0) -> Tensor:
        """Return the hidden states after the last norm.

        Args:
            input_ids: [batch, seq], int64
            past_length: the position of the first token.

        Returns:
            [batch, seq, n_embd]

        Errors: ValueError, when past_length + seq is more than n_positions.
        """
        hidden_states = self.wte(input_ids) + self.wpe(input_ids.shape[1], past_length)  # [batch, seq, n_embd]
        for block in self.h:
            hidden_states = block(hidden_states)
        return self.ln_f(hidden_states)
