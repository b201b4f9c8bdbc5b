"""How what was got differs from what was expected, in a fixed order: nothing, type, shape, dtype, not finite, values.

Works on plain values and on tensors. The first thing that differs is the one that is told: a wrong shape explains wrong
numbers, and not the other way round.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from autograder.student import Absence, Proxy, type_name

RETURN_MISSING = "nothing was returned: is a `return` missing?"  # said of a function that has none
_TEXT = 80
_AN = ("a", "e", "i", "o", "nd")  # how a name that takes "an" begins: an int, an ndarray


class Difference(NamedTuple):
    """What was expected and got, in words, and what else there is to say."""

    expected: str
    got: str
    detail: tuple[str, ...] = ()


def exact(mine: Any, theirs: Any) -> Difference | None:
    """Return how two plain values differ: equal means the same type and the same value, inside containers too."""
    if isinstance(mine, Absence):
        return Difference(show(theirs), mine.got, (mine.reason,))
    if _same(mine, theirs):
        return None
    detail = []
    if isinstance(mine, tuple) and len(mine) == 1 and _same(mine[0], theirs):
        detail.append("a comma at the end of the line makes a tuple of one")
    elif mine is not None and type_name(mine) != type_name(theirs):
        quoted = ": quotes make a text" if type(mine) is str else ""
        detail.append(f"{article(type_name(mine))}, where {article(type_name(theirs))} is asked for{quoted}")
    return Difference(show(theirs), show(mine), tuple(detail))


def near(mine: Any, theirs: Any, *, rtol: float, atol: float, any_dtype: bool = False) -> Difference | None:
    """Return how a learner's tensor differs from the oracle's, None where each number is within the tolerance.

    Args:
        mine: what the learner's code returned, whatever it is.
        theirs: the oracle's tensor; finite.
        rtol, atol: a number passes when it differs by at most atol + rtol * |theirs|.
        any_dtype: do not judge the dtype.

    Errors: ValueError, when the oracle's own numbers are not finite: that is no learner's fault.
    """
    import torch

    if not torch.isfinite(theirs).all():
        raise ValueError("the oracle's numbers are not finite")
    axes = getattr(theirs, "axes_names", ())
    expected_shape = shape(theirs, axes)
    if mine is None:
        return Difference(f"a tensor {expected_shape}", "None", (RETURN_MISSING,))
    if type(mine) is not torch.Tensor:
        return Difference(f"a tensor {expected_shape}", article(type_name(mine)))
    if mine.shape != theirs.shape:
        return Difference(expected_shape, shape(mine), _shape_detail(mine, theirs, axes))
    if mine.dtype != theirs.dtype and not any_dtype:
        return Difference(str(theirs.dtype), str(mine.dtype), ("the numbers have another type",))
    if mine.device.type != "cpu":
        return Difference("a tensor on the CPU", f"one on {mine.device}")
    if mine.is_complex():
        return Difference("real numbers", "complex ones")
    if mine.dtype == theirs.dtype and torch.equal(mine, theirs):  # the very numbers, and these are finite
        return None
    are_whole = not (mine.is_floating_point() or theirs.is_floating_point())
    return _numbers(mine.detach().double(), theirs.detach().double(), rtol, atol, are_whole=are_whole)


def _numbers(mine: Any, theirs: Any, rtol: float, atol: float, *, are_whole: bool) -> Difference | None:
    import torch

    finite = torch.isfinite(mine)
    if not finite.all():
        return _not_finite(mine, theirs, finite)
    wrong = (mine - theirs).abs() > atol + rtol * theirs.abs()
    count = int(wrong.sum())
    if not count:
        return None
    place = tuple(int(index) for index in wrong.nonzero()[0])
    where = _where(count, wrong.numel(), list(place)) if place else ""
    detail = [text for text in (where, _ratio(mine, theirs)) if text]
    if are_whole:  # an id is no measurement: all of its digits count
        return Difference(str(int(theirs[place])), str(int(mine[place])), tuple(detail))
    return Difference(*_apart(float(theirs[place]), float(mine[place])), tuple(detail))


def _where(count: int, size: int, place: list[int]) -> str:
    if count == 1:
        return f"at {place}, the only number" if size == 1 else f"1 of {size} numbers differs, at {place}"
    return f"{f'all {size}' if count == size else f'{count} of {size}'} numbers differ, the first at {place}"


def _not_finite(mine: Any, theirs: Any, finite: Any) -> Difference:
    import torch

    nan, infinite = int(torch.isnan(mine).sum()), int(torch.isinf(mine).sum())
    counts = " and ".join(f"{count} {name}" for count, name in ((nan, "nan"), (infinite, "inf")) if count)
    place = tuple(int(index) for index in (~finite).nonzero()[0])
    at = f"the first at {list(place)}" if place else "the only number"
    return Difference(_number(theirs[place]), _number(mine[place]), (f"{counts} of {mine.numel()} numbers, {at}",))


def _ratio(mine: Any, theirs: Any) -> str:
    """Say so when all of it is one factor, or one shift, away."""
    norm = float((theirs * theirs).sum())
    if norm == 0 or not mine.any() or mine.numel() < 2:
        return "every number is 0" if not mine.any() else ""
    factor = float((mine * theirs).sum()) / norm
    scale = max(float(mine.abs().max()), 1e-30)
    # What is left over must be small beside the difference too: where that is small, every factor fits.
    left = min(1e-4 * scale, 1e-2 * float((mine - theirs).abs().max()))
    if abs(factor - 1) > 1e-3 and float((mine - factor * theirs).abs().max()) < left:
        return f"every number is {factor:.4g} times what is expected"
    shift = float((mine - theirs).mean())
    if float((mine - theirs - shift).abs().max()) < left:
        return f"every number is off by {shift:.4g}"
    return ""


def _shape_detail(mine: Any, theirs: Any, axes: tuple[str, ...]) -> tuple[str, ...]:
    if mine.dim() != theirs.dim():
        verb = "is" if theirs.dim() == 1 else "are"
        return (f"{_count(mine.dim(), 'axis', 'axes')}, where {theirs.dim()} {verb} expected",)
    if sorted(mine.shape) == sorted(theirs.shape):
        return ("the same sizes in another order: are two axes swapped?",)
    names = axes if len(axes) == theirs.dim() else tuple(f"axis {index}" for index in range(theirs.dim()))
    rows = zip(names, mine.shape, theirs.shape, strict=True)
    return tuple(f"{name} is {got}, not {expected}" for name, got, expected in rows if got != expected)


def shape(tensor: Any, axes: tuple[str, ...] = ()) -> str:
    """Return a shape in brackets, each size with its axis's name where there is one."""
    sizes = [str(size) for size in tensor.shape]
    if len(axes) == len(sizes):
        sizes = [f"{name}={size}" for name, size in zip(axes, sizes, strict=True)]
    return f"[{', '.join(sizes)}]"


def show(value: Any) -> str:
    """Return a value in print, cut to a line."""
    if isinstance(value, Proxy):
        return article(type_name(value))
    if hasattr(value, "dim") and hasattr(value, "dtype"):
        return f"a tensor {shape(value)}"
    try:
        text = repr(value)
    except ValueError:  # an integer with more digits than Python prints
        return f"{article(type_name(value))} too long to print"
    return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"


def _same(mine: Any, theirs: Any) -> bool:
    if type(mine) is not type(theirs):
        return False
    if isinstance(theirs, float):
        return mine == theirs or (math.isnan(mine) and math.isnan(theirs))
    if isinstance(theirs, list | tuple):
        return len(mine) == len(theirs) and all(map(_same, mine, theirs))
    if isinstance(theirs, set | frozenset):
        return _same(dict.fromkeys(mine), dict.fromkeys(theirs))
    if isinstance(theirs, dict):
        keys = {key: key for key in theirs}  # a key that equals may be of another type: 1 and True
        return len(mine) == len(theirs) and all(
            key in keys and _same(key, keys[key]) and _same(item, theirs[key]) for key, item in mine.items()
        )
    return bool(mine == theirs)


def _number(value: Any) -> str:
    return f"{float(value) + 0.0:.4g}"  # + 0.0: no -0


def _apart(theirs: float, mine: float) -> tuple[str, str]:
    """Return two numbers in as many digits as it takes to tell them apart, four at the least."""
    digits = next((count for count in range(4, 17) if f"{theirs:.{count}g}" != f"{mine:.{count}g}"), 17)
    return f"{theirs + 0.0:.{digits}g}", f"{mine + 0.0:.{digits}g}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def article(name: str) -> str:
    """Return a type's name with its article; there is but one None."""
    if name == "NoneType":
        return "None"
    return f"{'an' if name.lower().startswith(_AN) else 'a'} {name}"
