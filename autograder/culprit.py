"""The declared mistake that a finished program is given: which it may be, in which order, and which it was."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from autograder import assembly, checking, played, rejections, source
from autograder.errors import CourseError
from autograder.memory import text_sha256
from autograder.submission import Submission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autograder.checking import Check, Mistake
    from autograder.course import Course, Step
    from autograder.trial import Trial


class Culprit(NamedTuple):
    """A mistake, its step, and the program with it."""

    step: Step
    mistake: Mistake
    text: str

    @property
    def sha256(self) -> str:
        return text_sha256(self.text.encode())


class Suspects:
    """The mistakes of a part's steps, and the one file that is made of these steps."""

    def __init__(self, course: Course, steps: Sequence[Step], docstring: str) -> None:
        self._course = course
        self._steps = steps
        self._docstring = docstring
        self._codes = assembly.finished(course, steps)

    def right(self) -> str:
        """Return the file without a mistake.

        Errors: CourseError, when the steps cannot stand in one file.
        """
        return assembly.text(self._course, self._steps, self._codes, self._docstring)

    def ordered(self, seed: str) -> Iterator[Culprit]:
        """Yield the mistakes that may be drawn, in the order that the seed gives.

        It is an order by hashes: a mistake that is declared later changes nothing about the others'.
        """
        found = [(step, mistake) for step in self._steps for mistake in self._eligible(step)]

        def rank(one: tuple[Step, Mistake]) -> str:
            return hashlib.sha256(f"{seed}/{one[0].slug}/{one[1].name}".encode()).hexdigest()

        for step, mistake in sorted(found, key=rank):
            culprit = self._culprit(step, mistake)
            if culprit is not None:
                yield culprit

    def named(self, seed: str, sha256: str) -> Culprit | None:
        """Return the mistake whose program this is, None when the course no longer gives that program."""
        return next((culprit for culprit in self.ordered(seed) if culprit.sha256 == sha256), None)

    def _eligible(self, step: Step) -> Iterator[Mistake]:
        """Yield the mistakes that are edits, and that a check on drawn inputs rejects."""
        checker = checking.of_step(self._course, step)
        recorded = rejections.read(self._course, step)
        telling = {check.id for check in checker.checks if _is_telling(check)}
        for mistake in checker.mistakes:
            sets = recorded.get(mistake.name)
            if mistake.other.edits and (sets is None or all(telling & set(ids) for ids in sets)):
                yield mistake

    def _culprit(self, step: Step, mistake: Mistake) -> Culprit | None:
        code = played.edited(self._codes[step.slug], mistake.other, self._course.checker(step))
        codes = {**self._codes, step.slug: code}
        try:
            return Culprit(step, mistake, assembly.text(self._course, self._steps, codes, self._docstring))
        except CourseError:
            return None  # it needs an earlier step in a way that one file has not


def reach(trial: Trial, culprit: Culprit, shown: str, seed: str) -> int | None:
    """Return how many later steps' checks find the mistake as well; None for a program that is no fair one.

    A fair one runs, and is found wrong by its values on drawn inputs: what raises tells its line by itself, and what a
    ban or a missing parameter shows needs no hunt.
    """
    data = culprit.text.encode()
    submission = Submission(shown, source.parse(data, shown), data)
    own = trial.of(submission, culprit.step, seed)
    checker = checking.of_step(trial.course, culprit.step)
    telling = {check.id for check in checker.checks if _is_telling(check)}
    if own.outcome != "failed" or not any(own.evidence[name].values for name in telling & own.evidence.keys()):
        return None
    later = trial._replace(steps=[step for step in trial.steps if step.number > culprit.step.number])
    outcomes = [verdict.outcome for _, verdict in later.verdicts(submission, seed)]
    return outcomes.count("failed") if {"passed", "failed"}.issuperset(outcomes) else None


def _is_telling(check: Check) -> bool:
    return {"student", "draw"} <= set(check.wants)
