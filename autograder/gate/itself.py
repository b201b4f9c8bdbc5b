"""The gate, broken on purpose: with a judge that is weaker in one respect, it must find a mistake that passes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from unittest import mock

from autograder.gate import cancelling
from autograder.gate.proof import Fault, Proof
from autograder.wire import Ban

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autograder.gate.stand import Stand

_EVERYTHING_PASSES = "with every comparison true"
_NO_BAN = "with the ban off"
_NOT_ALONE = "with the run alone left out"


def prove(stand: Stand) -> Proof:
    """Prove that the gate goes red with each weakness that concerns the step."""
    weaknesses: list[tuple[str, Callable[[], contextlib.AbstractContextManager[None]], Callable[[Stand], bool]]] = [
        (_EVERYTHING_PASSES, _comparisons_pass, _a_mistake_passes)
    ]
    if any(check.forbids for check in stand.checker.checks):
        weaknesses.append((_NO_BAN, _ban_is_off, _a_mistake_passes))
    if stand.checker.cancelled:
        weaknesses.append((_NOT_ALONE, _alone_is_left_out, _a_pair_passes))
    faults = []
    for name, weakened, is_red in weaknesses:
        with weakened():
            red = is_red(stand)
        if not red:
            sentence = f"{name}, the gate is still green: no declared mistake depends on it"
            faults.append(Fault(stand.checker_file, sentence, "Declare a mistake that this alone rejects"))
    return Proof("itself", len(weaknesses) - len(faults), len(weaknesses), faults)


def _a_mistake_passes(stand: Stand) -> bool:
    return any(stand.fails(stand.text(each.other)) is None for each in stand.mistakes)


def _a_pair_passes(stand: Stand) -> bool:
    return bool(cancelling.prove(stand).faults)


@contextlib.contextmanager
def _comparisons_pass() -> Iterator[None]:
    def passes(*_: Any, **__: Any) -> None:
        return None

    with mock.patch("autograder.difference.exact", passes), mock.patch("autograder.difference.near", passes):
        yield


@contextlib.contextmanager
def _ban_is_off() -> Iterator[None]:
    def nothing(*_: Any) -> list[Any]:
        return []

    with (
        mock.patch("autograder.source.Source.uses", nothing),
        mock.patch("autograder.checking.Checker.ban", property(lambda _: Ban())),
    ):
        yield


@contextlib.contextmanager
def _alone_is_left_out() -> Iterator[None]:
    from autograder.bench import Bench

    run = Bench.run

    def in_the_chain(bench: Bench, own: Any = (), **options: Any) -> Any:
        return run(bench, own or bench.chain.dependencies(()), **options)

    with mock.patch.object(Bench, "run", in_the_chain):
        yield
