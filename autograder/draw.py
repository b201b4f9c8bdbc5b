"""Random inputs, drawn in the judge: the same for the same seed and the same check, whatever else was drawn."""

from __future__ import annotations

import random
import secrets
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


def new_seed() -> str:
    """Return a seed from the system's entropy: four hexadecimal digits, short enough to type again."""
    return secrets.token_hex(2)


class Draw:
    """The draws of one check."""

    def __init__(self, seed: str, check: str) -> None:
        self._random = random.Random(f"{seed}/{check}")  # noqa: S311 - inputs of a comparison, no secret

    def integer(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        return self._random.randint(low, high)

    def distinct(self, count: int, low: int, high: int) -> list[int]:
        """Return `count` different integers from low to high, both included: sizes of which no two are equal."""
        return self._random.sample(range(low, high + 1), count)

    def choice(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def normal(self, *sizes: int, mean: float = 0.0, std: float = 1.0, label: str = "x", **axes: int) -> Any:
        """Return a float32 tensor of normal numbers; the sizes in order, or by the names of their axes.

        The tensor bears its label and the names of its axes, for the words of a failure.
        """
        import torch

        shape = sizes or tuple(axes.values())
        generator = torch.Generator().manual_seed(self._random.getrandbits(63))
        tensor: Any = torch.randn(shape, generator=generator) * std + mean
        named = axes and not sizes
        tensor.label = label
        tensor.axes_names = tuple(axes) if named else ()
        tensor.axes = ", ".join(f"{k}={v}" for k, v in axes.items()) if named else ", ".join(map(str, shape))
        return tensor
