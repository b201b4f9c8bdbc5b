"""A transformer block: tokens gather from each other, then each works by itself, and both add to the stream."""

from torch import Tensor, nn

from steps.step_01 import GPT2Config
from steps.step_03 import LayerNorm
from steps.step_04 import GPT2MLP
from steps.step_08 import GPT2Attention


class GPT2Block(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make the four parts, by the checkpoint's names: ``ln_1``, ``attn``, ``ln_2``, ``mlp``."""
        super().__init__()
        # TODO 1: self.ln_1, self.attn, self.ln_2 and self.mlp, from your earlier steps   [4 lines]

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Add what attention and the MLP make of the normalised stream to the stream.

        Args:
            hidden_states: [batch, seq, n_embd]; left as it is.
            attention_mask: handed on to the attention.

        Returns:
            [batch, seq, n_embd], in the dtype of hidden_states

        Source: Radford et al. 2019, section 2.3.
        """
        # TODO 2: the stream, and what attention makes of its norm   [1 line]
        # TODO 3: the stream, and what the MLP makes of its norm   [1 line]
        raise NotImplementedError("step 09: GPT2Block.forward")
