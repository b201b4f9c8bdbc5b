"""Which known mistake a learner's file makes: the one that shows every check the same, on two seeds.

It works from what the code gave, not from how it is written: each mistake of the checker is played on the learner's
inputs, and the same mistake in other words gets the same name. None that fits is silence.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from msgspec import structs

from autograder import evidence, locate, played, rejections
from autograder.difference import RETURN_MISSING
from autograder.errors import CourseError
from autograder.report import QUOTED, CheckResult, Mistake, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from autograder import checking
    from autograder.bench import Bench
    from autograder.run import Verdict

    Known: TypeAlias = Callable[[checking.Mistake, str], Mapping[str, evidence.Evidence]]

_MOST = 3  # so many that fit are still a help


class Diagnosis(NamedTuple):
    """The mistakes that fit, and sentences on those that could not be played: the gate's to find, no learner's."""

    mistakes: Sequence[checking.Mistake]
    notes: Sequence[str] = ()


def second_seed(seed: str) -> str:
    """Return the seed of the second comparison: other inputs, and the same ones when the first is given again."""
    return hashlib.sha256(seed.encode()).hexdigest()[:8]


def diagnose(
    bench: Bench, verdict: Verdict, known: Known | None = None, ran: Callable[[str], Verdict] | None = None
) -> Diagnosis:
    """Return the known mistakes that show each check what the learner's file showed it.

    Args:
        bench: the learner's file.
        verdict: what it gave alone.
        known: says what a mistake shows with a seed, for whoever has played it before; played here where left out.
        ran: gives the file's own run with a seed, for whoever has made it before.
    """
    if verdict.outcome not in ("failed", "error") or verdict.unfinished:
        return Diagnosis(())
    notes: list[str] = []

    def fits(mistake: checking.Mistake, seed: str, mine: Mapping[str, evidence.Evidence]) -> bool:
        return evidence.matches(known(mistake, seed), mine) if known else _fits(bench, mistake, seed, mine, notes)

    recorded = rejections.read(bench.course, bench.step)
    suspects = [
        mistake
        for mistake in bench.checker.mistakes
        if rejections.may_be(recorded, mistake.name, list(verdict.evidence))
        and fits(mistake, verdict.seed, verdict.evidence)
    ]
    if suspects:
        seed = second_seed(verdict.seed)
        mine = (ran(seed) if ran else bench.run().verdict(seed)).evidence
        suspects = [mistake for mistake in suspects if fits(mistake, seed, mine)]
    return Diagnosis(suspects if len(suspects) <= _MOST else (), notes)


def told(bench: Bench, verdict: Verdict, found: Diagnosis) -> Verdict:
    """Return the verdict with the mistakes that were found at its first failure."""
    if not found.mistakes:
        return verdict
    checks = list(verdict.checks)
    at = next(index for index, result in enumerate(checks) if result.outcome != "passed")
    checks[at] = _named(bench, checks[at], found.mistakes)
    if any("return" in mistake.says for mistake in found.mistakes):  # what is asked below has been answered
        checks = [
            structs.replace(check, detail=[text for text in check.detail if text != RETURN_MISSING]) for check in checks
        ]
    return verdict._replace(checks=checks)


def _named(bench: Bench, result: CheckResult, mistakes: Sequence[checking.Mistake]) -> CheckResult:
    if len(mistakes) > 1:
        likely = [
            f"either: {mistake.says}" if not index else f"or: {mistake.says}" for index, mistake in enumerate(mistakes)
        ]
        return structs.replace(result, detail=[*likely, *result.detail])
    mistake = mistakes[0]
    right = played.finished(bench.course, bench.step).finished()
    mistaken = mistake.other.whole or played.edited(right, mistake.other, bench.checker.path)
    place = locate.place(bench.source.tree, mistaken, right)
    where = result.where
    if where is None and place is not None:
        shown = bench.source.lines[place.line - 1]
        column = len(shown) - len(shown.lstrip()) + 1 if place.is_exact else 1  # no caret at a function's first line
        where = Where(bench.source.filename, place.line, column, shown[:QUOTED])
    return structs.replace(result, mistake=Mistake(mistake.name, mistake.says), where=where)


def _fits(
    bench: Bench, mistake: checking.Mistake, seed: str, mine: Mapping[str, evidence.Evidence], notes: list[str]
) -> bool:
    try:
        text = played.text(bench.course, bench.step, mistake.other, bench.checker.path)
    except CourseError as error:
        notes.append(f"a known mistake could not be compared with yours: {error}")
        return False
    run = bench.with_text(text).run()
    for result in run.results(seed, first=mine):
        if not evidence.same(run.evidence.get(result.id), mine.get(result.id)):
            return False
    return run.evidence.keys() == mine.keys()
