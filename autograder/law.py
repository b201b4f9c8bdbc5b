"""The laws that a checker names: what holds of right code whatever its weights, so that no oracle is needed.

They are tried when a check has failed and no known mistake fits. A law is declared over a function of the checker that
asks for what it needs, like a check, and returns a Subject:

    @law.causal
    @law.same_twice
    def attention(student, oracle, draw):
        mine = load(student.GPT2Attention(…), …)
        return law.Subject(mine, lambda draw, batch, seq: (draw.normal(batch=batch, seq=seq, n_embd=48),))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autograder import checking

if TYPE_CHECKING:
    from collections.abc import Callable

    from autograder.draw import Draw

_ROUNDING = 1e-3  # of a number and 1: above float16's rounding, which is no broken law, and far below what breaks one


class Sizes(NamedTuple):
    """What the search makes small: the input's first two axes, and which of its tokens or rows is changed."""

    batch: int
    seq: int
    at: int


class Subject(NamedTuple):
    """A call of the learner's code, and the arguments for it: the first is [batch, seq, …], numbers or ids."""

    call: Any
    draw: Callable[[Draw, int, int], tuple[Any, ...]]


class _Word:
    """A law as a decorator."""

    def __init__(self, name: str, broken: Callable[[Subject, Sizes, Draw], str | None]) -> None:
        self._name, self._broken = name, broken

    def __call__(self, make: Callable[..., Subject]) -> Callable[..., Subject]:
        checking.add_law(self._name, make, self._broken)
        return make


def _causal(subject: Subject, sizes: Sizes, draw: Draw) -> str | None:
    if sizes.seq < 2:
        return None
    at = 1 + sizes.at % (sizes.seq - 1)
    before, after = _around_a_change(subject, sizes, draw, (slice(None), at))
    moved = _difference(before[:, :at], after[:, :at]) if before is not None else None
    return moved and (
        f"of {sizes.seq} tokens, changing token {at} moves position {moved.where[1]}, {moved}: "
        "a position sees itself and what is before it"
    )


def _tokens_apart(subject: Subject, sizes: Sizes, draw: Draw) -> str | None:
    if sizes.seq < 2:
        return None
    at = sizes.at % sizes.seq
    moved = _moved_elsewhere(subject, sizes, draw, (slice(None), at))
    return moved and (
        f"of {sizes.seq} tokens, changing token {at} moves position {moved.where[1]}, {moved}: "
        "each token goes through by itself"
    )


def _rows_apart(subject: Subject, sizes: Sizes, draw: Draw) -> str | None:
    if sizes.batch < 2:
        return None
    at = sizes.at % sizes.batch
    moved = _moved_elsewhere(subject, sizes, draw, (at,))
    return moved and (
        f"in a batch of {sizes.batch}, changing row {at} moves row {moved.where[0]}, {moved}: "
        "the rows of a batch do not know each other"
    )


def _same_twice(subject: Subject, sizes: Sizes, draw: Draw) -> str | None:
    given = subject.draw(draw, sizes.batch, sizes.seq)
    moved = _moved(subject.call(*given), subject.call(*given), given[0])
    return moved and f"the same call a second time moves position {moved.where[1]}, {moved}: nothing is drawn in it"


def _inputs_kept(subject: Subject, sizes: Sizes, draw: Draw) -> str | None:
    given = subject.draw(draw, sizes.batch, sizes.seq)
    if not hasattr(subject.call, "call_keeping"):
        raise TypeError("Subject's call has to be the learner's own here: give further arguments beside the inputs")
    _, after = subject.call.call_keeping(*given)
    moved = _moved(given[0], after[0], given[0])
    return moved and f"the call changes its own input, {moved}: what comes in belongs to the caller"


def _unmoved_by_a_shift(subject: Subject, sizes: Sizes, draw: Draw) -> str | None:
    given, *rest = subject.draw(draw, sizes.batch, sizes.seq)
    by = 1 + sizes.at
    before, after = subject.call(given, *rest), subject.call(given + by, *rest)
    moved = _moved(before, after, given)
    return moved and f"adding {by} to all numbers of a row moves its output, {moved}: the mean is taken off first"


def _rows_sum_to_one(subject: Subject, sizes: Sizes, draw: Draw) -> str | None:
    *given, value = subject.draw(draw, sizes.batch, sizes.seq)
    ones = value.new_ones(value.shape)
    output = subject.call(*given, ones)
    if not _is_tensor(output):
        return None
    moved = _difference(output.new_ones(output.shape), output)
    return moved and f"with values that are all 1, a query gets {moved.after:.4g}: its weights add up to that, not to 1"


def _is_identity(subject: Subject, sizes: Sizes, draw: Draw) -> str | None:
    given, *rest = subject.draw(draw, sizes.batch, sizes.seq)
    moved = _moved(given, subject.call(given, *rest), given)
    return moved and (
        f"with its output projections zero it turns {moved.before:.4g} into {moved.after:.4g}: nothing is added then"
    )


def _tied(subject: Subject, sizes: Sizes, draw: Draw) -> str | None:
    (table,) = subject.draw(draw, sizes.batch, sizes.seq)
    head = subject.call(table)
    moved = _difference(table, head) if _is_tensor(head) and head.shape == table.shape else None
    return moved and (
        f"where {moved.before:.4g} was written into the table, the head has {moved.after:.4g}: "
        "one parameter under two names"
    )


causal = _Word("causal", _causal)
tokens_apart = _Word("tokens_apart", _tokens_apart)
rows_apart = _Word("rows_apart", _rows_apart)
same_twice = _Word("same_twice", _same_twice)
inputs_kept = _Word("inputs_kept", _inputs_kept)
unmoved_by_a_shift = _Word("unmoved_by_a_shift", _unmoved_by_a_shift)
rows_sum_to_one = _Word("rows_sum_to_one", _rows_sum_to_one)
is_identity = _Word("is_identity", _is_identity)
tied = _Word("tied", _tied)


# ---------------------------------------------------------------------------------------------------------- comparing


class _Moved(NamedTuple):
    """The first number that is another one, and its place."""

    where: list[int]
    before: float
    after: float

    def __str__(self) -> str:
        return f"from {self.before:.4g} to {self.after:.4g}"


def _around_a_change(subject: Subject, sizes: Sizes, draw: Draw, place: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return what comes back before and after the first argument changes at a place; twice None where it is no number
    for each position.
    """
    given, *rest = subject.draw(draw, sizes.batch, sizes.seq)
    other, *_ = subject.draw(draw, sizes.batch, sizes.seq)
    changed = given.clone()
    changed[place] = other[place]
    before, after = subject.call(given, *rest), subject.call(changed, *rest)
    return (before, after) if _alike(before, after, given) else (None, None)


def _moved_elsewhere(subject: Subject, sizes: Sizes, draw: Draw, place: tuple[Any, ...]) -> _Moved | None:
    """Return the first number that a change at a place moves at another place."""
    before, after = _around_a_change(subject, sizes, draw, place)
    if before is None:
        return None
    after = after.clone()
    after[place] = before[place]
    return _difference(before, after)


def _moved(before: Any, after: Any, given: Any) -> _Moved | None:
    """Return the first difference; None too where what came back is no number for each position."""
    return _difference(before, after) if _alike(before, after, given) else None


def _difference(before: Any, after: Any) -> _Moved | None:
    one, other = before.detach().double(), after.detach().double()
    apart = (one - other).abs() > _ROUNDING * (1 + one.abs())
    apart |= one.isnan() != other.isnan()
    if not bool(apart.any()):
        return None
    where = apart.nonzero()[0].tolist()
    return _Moved(where, float(one[tuple(where)]) + 0.0, float(other[tuple(where)]) + 0.0)


def _alike(before: Any, after: Any, given: Any) -> bool:
    """Return whether both are numbers over the input's own batch and positions: another shape is a check's to tell."""
    if not (_is_tensor(before) and _is_tensor(after)) or before.shape != after.shape:
        return False
    return before.dim() > 2 and bool(before.shape[:2] == given.shape[:2])


def _is_tensor(value: object) -> bool:
    return type(value).__name__ == "Tensor" and getattr(value, "device", None) is not None and _is_on_cpu(value)


def _is_on_cpu(value: Any) -> bool:
    return bool(value.device.type == "cpu")
