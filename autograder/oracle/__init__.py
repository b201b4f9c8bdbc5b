"""The independent libraries that a learner's code is compared with, on the same inputs. Runs in the judge.

The adapters are the only place that knows their private names: a new release of a library breaks one file.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from autograder.oracle import hugging_face

if TYPE_CHECKING:
    from autograder.draw import Draw
    from autograder.oracle.modules import Reference


class Oracle:
    """What a check may ask; weights are redrawn for each check."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    @property
    def gpt2_config(self) -> dict[str, int | float]:
        """The seven numbers of Hugging Face's GPT-2, `n_inner` as the width that it means there."""
        return hugging_face.gpt2_config().values

    def layer_norm(self, dim: int, eps: float) -> Reference:
        """torch's layer norm over the last axis of size `dim`, gain and bias redrawn."""
        from torch import nn

        from autograder.oracle.modules import Reference, shake

        return Reference(shake(nn.LayerNorm(dim, eps=eps), self._draw))

    def __getattr__(self, name: str) -> Any:
        """Hugging Face's, by its name in `transformers_gpt2`; what has weights gets them from this check's draw."""
        from autograder.oracle import transformers_gpt2

        made = getattr(transformers_gpt2, name)
        return functools.partial(made, draw=self._draw) if "draw" in inspect.signature(made).parameters else made


def answered_by() -> dict[str, Any]:
    """Return what the report's footer says of the oracle: the library that answered and its version."""
    return hugging_face.answered_by()
