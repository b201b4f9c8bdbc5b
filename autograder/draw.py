"""Random inputs, drawn in the judge: the same for the same seed and the same check, whatever else was drawn."""

from __future__ import annotations

import random
import secrets
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

T = TypeVar("T")
FIRST_CONFIG: dict[str, int | float] = {
    "vocab_size": 97,
    "n_positions": 32,
    "n_embd": 48,
    "n_layer": 2,
    "n_head": 3,
    "n_inner": 80,
    "layer_norm_epsilon": 1e-3,
}


def new_seed() -> str:
    """Return a seed from the system's entropy: four hexadecimal digits, short enough to type again."""
    return secrets.token_hex(2)


class Draw:
    """The draws of one check."""

    def __init__(self, seed: str, check: str) -> None:
        self._random = random.Random(f"{seed}/{check}")  # noqa: S311 - inputs of a comparison, no secret
        self._configs = 0

    def state(self) -> Hashable:
        """Return where the draws stand."""
        return self._random.getstate(), self._configs

    def go_on_from(self, state: Hashable) -> None:
        """Go on from where draws stood: from the end of some that need not be made again."""
        assert isinstance(state, tuple)
        found, self._configs = state
        self._random.setstate(found)

    def integer(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        return self._random.randint(low, high)

    def distinct(self, count: int, low: int, high: int) -> list[int]:
        """Return `count` different integers from low to high, both included: sizes of which no two are equal."""
        return self._random.sample(range(low, high + 1), count)

    def choice(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def config(self) -> dict[str, int | float]:
        """Return the seven values of a configuration, no two sizes equal, nothing at its default.

        The first draw is the course's own test configuration; the ones after it vary.
        """
        self._configs += 1
        if self._configs == 1:
            return dict(FIRST_CONFIG)
        head_dim, n_head, _ = self.distinct(3, 2, 6)
        n_layer = min({2, 3, 4} - {head_dim, n_head})  # few: each takes as much time as all else
        n_embd = head_dim * n_head
        n_inner, n_positions, vocab_size = self.distinct(3, 37, 90)
        eps = self.choice((1e-3, 1e-4))
        sizes = {"vocab_size": vocab_size, "n_positions": n_positions, "n_embd": n_embd, "n_layer": n_layer}
        return {**sizes, "n_head": n_head, "n_inner": n_inner, "layer_norm_epsilon": eps}

    def ids(self, vocab_size: int, *, label: str = "ids", **axes: int) -> Any:
        """Return an int64 tensor of token ids below `vocab_size`, the sizes by the names of their axes."""
        import torch

        generator = torch.Generator().manual_seed(self._random.getrandbits(63))
        tensor: Any = torch.randint(0, vocab_size, tuple(axes.values()), generator=generator)
        tensor.label, tensor.axes_names = label, tuple(axes)
        tensor.axes = ", ".join(f"{name}={size}" for name, size in axes.items())
        return tensor

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
