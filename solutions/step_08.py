# Generated from puzzles/attention.py by `pixi run generate`: edit that file, not this one.
"""Multi-head attention: the features are cut into heads, each attends by itself, and the results are joined again."""

from torch import Tensor, nn

from solutions.step_01 import GPT2Config
from solutions.step_02 import causal_mask
from solutions.step_07 import scaled_dot_product_attention


class GPT2Attention(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make the two linear layers: ``c_attn`` from n_embd to query, key and value at once, ``c_proj`` back.

        Errors: ValueError, when n_embd is no multiple of n_head.
        """
        super().__init__()
        if config.n_embd % config.n_head:
            raise ValueError(f"n_embd ({config.n_embd}) is no multiple of n_head ({config.n_head})")
        self.n_head = config.n_head
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Let each token gather from the ones that it may look at.

        Args:
            hidden_states: [batch, seq, n_embd]
            attention_mask: additive, [seq, seq] or [batch, 1, seq, seq], in place of the causal one; None is causal.

        Returns:
            [batch, seq, n_embd], in the dtype of hidden_states
        """
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
