"""Multi-head attention: the features are cut into heads, each attends by itself, and the results are joined again."""

from torch import Tensor, nn

from puzzles.causal_mask import causal_mask
from puzzles.config import GPT2Config
from puzzles.scaled_dot_product_attention import scaled_dot_product_attention


class GPT2Attention(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make the two linear layers: ``c_attn`` from n_embd to query, key and value at once, ``c_proj`` back.

        Errors: ValueError, when n_embd is no multiple of n_head.
        """
        super().__init__()
        # BEGIN SOLUTION
        # STUB: # TODO 1: a ValueError unless n_head divides n_embd   [2 lines]
        # STUB: # TODO 2: self.n_head; self.c_attn and self.c_proj, two nn.Linear   [3 lines]
        if config.n_embd % config.n_head:
            raise ValueError(f"n_embd ({config.n_embd}) is no multiple of n_head ({config.n_head})")
        self.n_head = config.n_head
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        # END SOLUTION

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Let each token gather from the ones that it may look at.

        Args:
            hidden_states: [batch, seq, n_embd]
            attention_mask: additive, [seq, seq] or [batch, 1, seq, seq], in place of the causal one; None is causal.

        Returns:
            [batch, seq, n_embd], in the dtype of hidden_states
        """
        # BEGIN SOLUTION
        # STUB: # TODO 3: the sizes; through c_attn, and apart into query, key and value, in this order   [2 lines]
        # STUB: # TODO 4: each into heads: [batch, n_head, seq, head_dim]   [2 lines]
        # STUB: # TODO 5: the causal mask, where none is given   [2 lines]
        # STUB: # TODO 6: attend, join the heads, and through c_proj   [3 lines]
        # STUB: raise NotImplementedError("step {step}: GPT2Attention.forward")
        batch, seq, n_embd = hidden_states.shape
        heads = (batch, seq, self.n_head, n_embd // self.n_head)
        query, key, value = self.c_attn(hidden_states).split(n_embd, dim=-1)  # each [batch, seq, n_embd]
        query, key, value = (
            part.view(heads).transpose(1, 2) for part in (query, key, value)
        )  # [batch, n_head, seq, head_dim]
        if attention_mask is None:
            attention_mask = causal_mask(seq, dtype=query.dtype, device=query.device)
        attended = scaled_dot_product_attention(query, key, value, attention_mask)
        joined = attended.transpose(1, 2).reshape(batch, seq, n_embd)
        return self.c_proj(joined)
        # END SOLUTION
