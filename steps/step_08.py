"""Multi-head attention: the features are cut into heads, each attends by itself, and the results are joined again."""

from torch import Tensor, nn

from steps.step_01 import GPT2Config
from steps.step_02 import causal_mask
from steps.step_07 import scaled_dot_product_attention


class GPT2Attention(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make the two linear layers: ``c_attn`` from n_embd to query, key and value at once, ``c_proj`` back.

        Errors: ValueError, when n_embd is no multiple of n_head.
        """
        super().__init__()
        # TODO 1: a ValueError unless n_head divides n_embd   [2 lines]
        # TODO 2: self.n_head; self.c_attn and self.c_proj, two nn.Linear   [3 lines]

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Let each token gather from the ones that it may look at.

        Args:
            hidden_states: [batch, seq, n_embd]
            attention_mask: additive, [seq, seq] or [batch, 1, seq, seq], in place of the causal one; None is causal.

        Returns:
            [batch, seq, n_embd], in the dtype of hidden_states
        """
        # TODO 3: the sizes; through c_attn, and apart into query, key and value, in this order   [2 lines]
        # TODO 4: each into heads: [batch, n_head, seq, head_dim]   [2 lines]
        # TODO 5: the causal mask, where none is given   [2 lines]
        # TODO 6: attend, join the heads, and through c_proj   [3 lines]
        raise NotImplementedError("step 08: GPT2Attention.forward")
