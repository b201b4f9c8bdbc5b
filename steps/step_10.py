"""The stack: token and position embeddings, n_layer blocks, and a last norm."""

from torch import Tensor, nn

from steps.step_01 import GPT2Config
from steps.step_03 import LayerNorm
from steps.step_05 import TokenEmbedding
from steps.step_06 import PositionEmbedding
from steps.step_09 import GPT2Block


class GPT2Model(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make the parts, by the checkpoint's names: ``wte``, ``wpe``, ``h`` and ``ln_f``."""
        super().__init__()
        # TODO 1: self.wte and self.wpe, the embeddings of tokens and of positions   [2 lines]
        # TODO 2: self.h, an nn.ModuleList of n_layer blocks, each its own   [1 line]
        # TODO 3: self.ln_f, the last norm   [1 line]

    def forward(self, input_ids: Tensor, past_length: int = 0) -> Tensor:
        """Return the hidden states after the last norm.

        Args:
            input_ids: [batch, seq], int64
            past_length: the position of the first token.

        Returns:
            [batch, seq, n_embd]

        Errors: ValueError, when past_length + seq is more than n_positions.
        """
        # TODO 4: the rows of the tokens and of their positions, added   [1 line]
        # TODO 5: through the blocks, one after the other, and through the last norm   [3 lines]
        raise NotImplementedError("step 10: GPT2Model.forward")
