"""The language-model head: a score for each token of the vocabulary, by the very table that embeds the tokens."""

from torch import Tensor, nn

from puzzles.config import GPT2Config
from puzzles.model import GPT2Model


class GPT2LMHeadModel(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make ``transformer`` and ``lm_head``, whose weight is the token table itself, not a copy."""
        super().__init__()
        # BEGIN SOLUTION
        # STUB: # TODO 1: self.transformer, and self.lm_head, an nn.Linear without a bias   [2 lines]
        # STUB: # TODO 2: tie them: one parameter under both names   [1 line]
        self.transformer = GPT2Model(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.lm_head.weight = self.transformer.wte.weight
        # END SOLUTION

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the logits: at each position, a score for each token to come next.

        Args:
            input_ids: [batch, seq], int64

        Returns:
            [batch, seq, vocab_size]
        """
        # BEGIN SOLUTION
        # STUB: # TODO 3: through the transformer and the head   [1 line]
        # STUB: raise NotImplementedError("step {step}: GPT2LMHeadModel.forward")
        return self.lm_head(self.transformer(input_ids))
        # END SOLUTION
