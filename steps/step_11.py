"""The language-model head: a score for each token of the vocabulary, by the very table that embeds the tokens."""

from torch import Tensor, nn

from steps.step_01 import GPT2Config
from steps.step_10 import GPT2Model


class GPT2LMHeadModel(nn.Module):
    def __init__(self, config: GPT2Config) -> None:
        """Make ``transformer`` and ``lm_head``, whose weight is the token table itself, not a copy."""
        super().__init__()
        # TODO 1: self.transformer, and self.lm_head, an nn.Linear without a bias   [2 lines]
        # TODO 2: tie them: one parameter under both names   [1 line]

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the logits: at each position, a score for each token to come next.

        Args:
            input_ids: [batch, seq], int64

        Returns:
            [batch, seq, vocab_size]
        """
        # TODO 3: through the transformer and the head   [1 line]
        raise NotImplementedError("step 11: GPT2LMHeadModel.forward")
