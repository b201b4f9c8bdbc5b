"""The smallest input on which a learner's code breaks a law, as a sentence; looked for when a check has failed."""

from __future__ import annotations

import random
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from autograder import comparing
from autograder.draw import Draw
from autograder.student import Missing, StudentRaised, student
from autograder.supervisor import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autograder.bench import Bench
    from autograder.checking import Law
    from autograder.law import Sizes
    from autograder.student import Desk

_TRIES = 24  # sizes of the input, before a law is held to be kept
_FIRST = "same_twice"  # what is drawn anew in each call breaks the other laws too, by chance
_NO_ANSWER = (comparing.Failed, Missing, StudentRaised)  # it cannot be asked: the checks have said so


class Found(NamedTuple):
    """A sentence on each law that a file breaks, by the law's name, and on each law that raises: the course's fault."""

    broken: dict[str, str]
    notes: list[str]


def search(bench: Bench, seed: str, laws: Sequence[Law] | None = None, sizes: Sequence[Sizes] = ()) -> Found:
    """Return what is found of the laws of a checker, each with the smallest input that shows it.

    Args:
        bench: the learner's file, alone.
        seed: the same gives the same inputs.
        laws: the ones of the checker that are asked; all of them, when left out.
        sizes: of the inputs that are tried, in place of a search.
    """
    found = Found({}, [])
    with bench.desk() as desk:
        for law in sorted(bench.checker.laws if laws is None else laws, key=lambda law: law.name != _FIRST):
            try:
                sentence = _broken(law, desk, seed, sizes)
            except Ended:  # the code did not come back from an input that no check has: the checks' own words will do
                return found
            except Exception as error:  # noqa: BLE001 - what a checker raises is the course's fault
                line = law.make.__code__.co_firstlineno
                place = f"{bench.checker.path.name}:{line}"
                found.notes.append(f"{place}: the law {law.name} raises {type(error).__name__}: {error}")
                continue
            if sentence is not None:
                found.broken[law.name] = sentence
                if law.name == _FIRST:
                    break
    return found


def _broken(law: Law, desk: Desk, seed: str, tried: Sequence[Sizes]) -> str | None:
    from autograder.oracle import Oracle

    draw = Draw(seed, f"law {law.name}")
    offered = {"student": student(desk), "oracle": Oracle(draw), "draw": draw}
    try:
        subject = law.make(**{name: offered[name] for name in law.wants})
    except _NO_ANSWER:
        return None

    def words(sizes: Sizes) -> str | None:
        try:
            return law.broken(subject, sizes, Draw(seed, f"law {law.name} {sizes}"))
        except _NO_ANSWER:
            return None

    if tried:
        return next(filter(None, map(words, tried)), None)
    smallest = _smallest(lambda sizes: words(sizes) is not None, seed)
    return None if smallest is None else words(smallest)


def _smallest(breaks: Callable[[Sizes], bool], seed: str) -> Any:
    """Return the smallest sizes that break a law; None, when none that was tried does."""
    from hypothesis import HealthCheck, Phase, Verbosity, configuration, errors, find, settings
    from hypothesis import strategies as some

    from autograder.law import Sizes

    quiet = settings(
        max_examples=_TRIES,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    sizes = some.builds(Sizes, batch=some.integers(1, 3), seq=some.integers(1, 6), at=some.integers(0, 5))
    with tempfile.TemporaryDirectory(prefix="autograder-") as home:  # what it notes down is not for the course's folder
        configuration.set_hypothesis_home_dir(home)
        try:
            return find(sizes, breaks, settings=quiet, random=random.Random(seed))  # noqa: S311 - inputs, no secret
        except (errors.NoSuchExample, errors.Flaky):  # what is broken by chance is same_twice's to tell
            return None
        finally:
            configuration.set_hypothesis_home_dir(None)
