"""The independent libraries that a learner's code is compared with, on the same inputs. Runs in the judge.

The adapters are the only place that knows their private names: a new release of a library breaks one file.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from autograder.oracle import hugging_face

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

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

        def make(dim: int, eps: float, draw: Draw) -> Reference:
            return Reference(shake(nn.LayerNorm(dim, eps=eps), draw))

        made: Reference = _once("layer_norm", make, (dim, eps), self._draw)
        return made

    def __getattr__(self, name: str) -> Any:
        """Hugging Face's, by its name in `transformers_gpt2`; what has weights gets them from this check's draw."""
        from autograder.oracle import transformers_gpt2

        found = getattr(transformers_gpt2, name)
        if "draw" not in inspect.signature(found).parameters:
            return found
        return lambda *args: _once(name, found, args, self._draw)


_MOST = 400  # references that are kept: those of a step's checks on some twenty seeds
_kept: OrderedDict[tuple[str, str, Hashable], tuple[Any, Hashable]] = OrderedDict()


def _once(name: str, make: Callable[..., Any], args: tuple[Any, ...], draw: Draw) -> Any:
    """Return the reference that these arguments and this draw give, made once: a step is run alone, in the chain, and
    its known mistakes beside it, and each run draws the same. A reference is asked, and never changed.
    """
    key = (name, repr(args), draw.state())
    if key in _kept:
        made, after = _kept[key]
        _kept.move_to_end(key)
        draw.go_on_from(after)
        return made
    made = make(*args, draw=draw)
    _kept[key] = made, draw.state()
    if len(_kept) > _MOST:
        _kept.popitem(last=False)
    return made


def answered_by() -> dict[str, Any]:
    """Return what the report's footer says of the oracle: the library that answered and its version."""
    return hugging_face.answered_by()
