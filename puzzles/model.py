"""The stack: token and position embeddings, n_layer blocks, and a last norm."""

from torch import Tensor, nn

from puzzles.block import GPT2Block
from puzzles.config import GPT2Config
from puzzles.layer_norm import LayerNorm
from puzzles.position_embedding import PositionEmbedding
from puzzles.token_embedding import TokenEmbedding


class GPT2Model(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make the parts, by the checkpoint's names: ``wte``, ``wpe``, ``h`` and ``ln_f``."""
        super().__init__()
        # BEGIN SOLUTION
        # STUB: # TODO 1: self.wte and self.wpe, the embeddings of tokens and of positions   [2 lines]
        # STUB: # TODO 2: self.h, an nn.ModuleList of n_layer blocks, each its own   [1 line]
        # STUB: # TODO 3: self.ln_f, the last norm   [1 line]
        self.wte = TokenEmbedding(config.vocab_size, config.n_embd)
        self.wpe = PositionEmbedding(config.n_positions, config.n_embd)
        self.h = nn.ModuleList(GPT2Block(config) for _ in range(config.n_layer))
        self.ln_f = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        # END SOLUTION

    def forward(self, input_ids: Tensor, past_length: int = 0) -> Tensor:
        """Return the hidden states after the last norm.

        Args:
            input_ids: [batch, seq], int64
            past_length: the position of the first token.

        Returns:
            [batch, seq, n_embd]

        Errors: ValueError, when past_length + seq is more than n_positions.
        """
        # BEGIN SOLUTION
        # STUB: # TODO 4: the rows of the tokens and of their positions, added   [1 line]
        # STUB: # TODO 5: through the blocks, one after the other, and through the last norm   [3 lines]
        # STUB: raise NotImplementedError("step {step}: GPT2Model.forward")
        hidden_states = self.wte(input_ids) + self.wpe(input_ids.shape[1], past_length)  # [batch, seq, n_embd]
        for block in self.h:
            hidden_states = block(hidden_states)
        return self.ln_f(hidden_states)
        # END SOLUTION
