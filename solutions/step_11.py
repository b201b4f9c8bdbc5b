# Generated from puzzles/lm_head.py by `pixi run generate`: edit that file, not this one.
"""The language-model head: a score for each token of the vocabulary, by the very table that embeds the tokens."""

from torch import Tensor, nn

from solutions.step_01 import GPT2Config
from solutions.step_10 import GPT2Model


class GPT2LMHeadModel(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make ``transformer`` and ``lm_head``, whose weight is the token table itself, not a copy."""
        super().__init__()
        self.transformer = GPT2Model(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the logits: at each position, a score for each token to come next.

        Args:
            input_ids: [batch, seq], int64

        Returns:
            [batch, seq, vocab_size]
        """
        return self.lm_head(self.transformer(input_ids))
