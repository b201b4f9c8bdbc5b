"""The gate: every solution passes, every untouched stub imports cleanly and fails each check with a sentence."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autograder import generate
from autograder.judge import Order, judge
from autograder.nursery import Nursery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autograder.course import Course, Step
    from autograder.report import CheckResult, Report


_BLANK = re.compile(r"\{\w+\}")


class Fault(NamedTuple):
    """What does not hold: where, what, and what mends it."""

    place: str
    sentence: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}. {self.mend}"


class Proof(NamedTuple):
    """What was proved of a step."""

    step: Step
    checks: int
    faults: list[Fault]


def verify(course: Course, steps: Sequence[Step], done: Callable[[Proof], None]) -> list[Proof]:
    """Prove each step; `done` is told of each as it comes.

    Errors: CourseError, when the course's own files are broken.
    """
    proofs = []
    with Nursery() as nursery:
        for step in steps:
            made = generate.make(course, step)
            solution = _judge_text(course, step, made.solution, nursery)
            stub = _judge_text(course, step, made.stub, nursery)
            faults = [*_of_solution(course, step, solution), *_of_stub(course, step, stub)]
            faults += _of_words(course, step, [*solution.checks, *stub.checks])
            proofs.append(Proof(step, len(solution.checks), faults))
            done(proofs[-1])
    return proofs


def _judge_text(course: Course, step: Step, text: str, nursery: Nursery) -> Report:
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        path = Path(folder) / f"{step.name}.py"
        path.write_text(text, encoding="utf-8", newline="\n")
        return judge(course, Order(step, tree="solutions", file=path, shown=f"steps/{step.name}.py"), nursery)


def _of_solution(course: Course, step: Step, report: Report) -> list[Fault]:
    place = _relative(course, course.puzzle(step))
    mend = f"Mend it, or the check in {_relative(course, course.checker(step))}"
    return [
        Fault(place, f"the solution does not pass: {result.message}{_because(result)}", mend)
        for result in report.checks
        if result.outcome != "passed"
    ]


def _of_stub(course: Course, step: Step, report: Report) -> list[Fault]:
    place = _relative(course, course.puzzle(step))
    faults = []
    for result in report.checks:
        if result.outcome == "passed":
            mend = f"Make the check in {_relative(course, course.checker(step))} ask for what the stub lacks"
            faults.append(Fault(place, f"the untouched stub passes a check: {result.message}", mend))
        elif result.outcome != "failed":
            mend = "Give its STUB lines a NotImplementedError, or a None, that a check can name"
            sentence = f"the untouched stub ends in {result.outcome}: {result.message}{_because(result)}"
            faults.append(Fault(place, sentence, mend))
    return faults


def _of_words(course: Course, step: Step, results: Sequence[CheckResult]) -> list[Fault]:
    place = _relative(course, course.checker(step))
    faults = []
    for result in results:
        if not result.message.strip():
            faults.append(Fault(place, f"{result.id} has an empty line", "Give it passed and failed in words"))
        elif blank := _BLANK.search(result.message):
            sentence = f'nothing fills in {blank[0]} in "{result.message}"'
            faults.append(Fault(place, sentence, "{got} can stand in failed, {item} in the words of check.each"))
    return faults


def _because(result: CheckResult) -> str:
    return f" ({result.detail[0]})" if result.detail else ""


def _relative(course: Course, path: Path) -> str:
    return path.relative_to(course.root).as_posix()
