"""What a check saw of a program that it did not pass, and whether another program gave it the same to see.

Numbers are the same when they differ by a small part of what they are wrong by: the same mistake in other words differs
by rounding, another mistake by about as much as it is wrong.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from autograder import difference
from autograder.student import Proxy, type_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autograder.report import Outcome

_PART = 0.1  # of the error: beyond it, two wrong outputs are two mistakes
_ROUNDING = 1e-5  # of the largest number, where the error cannot be had: another shape, or numbers that are not finite


class Evidence(NamedTuple):
    """The outcome; the words of the failure, or, where two values were compared, the check's own on what they are, and
    the learner's value and the oracle's.
    """

    outcome: Outcome
    words: tuple[str | None, ...]
    values: tuple[Any, Any] | None = None


def same(one: Evidence | None, other: Evidence | None) -> bool:
    """Return whether two programs showed a check the same; None is a program that passed it."""
    if one is None or other is None:
        return one is other
    if one.outcome != other.outcome or one.words != other.words:
        return False
    if one.values is None or other.values is None:
        return one.values is other.values
    (mine, right), (theirs, same_right) = one.values, other.values
    if all(map(_is_tensor, (mine, right, theirs, same_right))):
        return _equal(right, same_right) and _alike(mine, theirs, right)
    return _same_value(right, same_right) and _same_value(mine, theirs)


def matches(one: Mapping[str, Evidence], other: Mapping[str, Evidence]) -> bool:
    """Return whether two programs failed the same checks, and showed each the same."""
    return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)


def _alike(mine: Any, theirs: Any, right: Any) -> bool:
    import torch

    if (mine.shape, mine.dtype, mine.device) != (theirs.shape, theirs.dtype, theirs.device):
        return False
    if mine.device.type == "meta":  # it has no numbers
        return True
    one, other = (value.detach().to(torch.float64) for value in (mine, theirs))
    finite = one.isfinite() & other.isfinite()
    if not _equal(one.where(~finite, torch.zeros_like(one)), other.where(~finite, torch.zeros_like(other))):
        return False
    if not finite.any():
        return True
    apart, size = float((one - other)[finite].abs().max()), float(one[finite].abs().max())
    rounding = _ROUNDING * max(1.0, size)
    if mine.shape != right.shape or not bool(right.isfinite().all()):
        return apart <= rounding
    wrong_by = float((one - right.detach().to(torch.float64))[finite].abs().max())
    if not bool(finite.all()):  # what is wrong is that they are not finite: the rest may be right, but for rounding
        return apart <= max(_PART * wrong_by, rounding)
    return apart <= (_PART * wrong_by if wrong_by > 0 else rounding)


def _same_value(one: Any, other: Any) -> bool:
    """Return whether two values are the same, where at most one of two is a tensor to compare with the right one."""
    if isinstance(one, Proxy) or isinstance(other, Proxy):
        return type_name(one) == type_name(other)  # objects in two workers: all that can be said
    if _is_tensor(one) or _is_tensor(other):
        return _is_tensor(one) and _is_tensor(other) and _alike(one, other, one)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_ROUNDING) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list | tuple) and type(one) is type(other):
        return len(one) == len(other) and all(map(_same_value, one, other))
    return difference.exact(one, other) is None


def _equal(one: Any, other: Any) -> bool:
    """Return whether two tensors are the same to the last bit, nan at the same places."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return bool(((one == other) | ((one != one) & (other != other))).all())


def _is_tensor(value: object) -> bool:
    return not isinstance(value, Proxy) and hasattr(value, "isfinite")
