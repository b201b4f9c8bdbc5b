"""Two mistakes that cancel, one in an earlier step: the file is judged alone as well, and does not pass."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.chain import reference
from autograder.errors import CourseError
from autograder.gate.proof import Fault, Proof
from autograder.gate.stand import LIMITS, SEED, Stand
from autograder.judge import Order, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograder.checking import Cancelled
    from autograder.course import Course


def prove(stand: Stand) -> Proof:
    """Prove that a learner who made both is told of this step's mistake."""
    faults: list[Fault] = []
    for declared in stand.checker.cancelled:
        place = stand.at(declared.line)
        try:
            texts = _texts(stand, declared)
        except CourseError as error:
            faults.append(Fault(place, error.message, "Name two mistakes that are declared"))
            continue
        with _desk(stand, texts) as course:
            step = course.find(stand.step.slug)
            report = judge(course, Order(step, seed=SEED, diagnose=False), stand.nursery, LIMITS)
        both = f"{declared.mistake} with {declared.earlier} in {declared.slug}"
        if report.outcome in ("passed", "blocked"):
            faults.append(Fault(place, f"{both} is {report.outcome}", "The run with the reference has to reject it"))
        elif _in_the_chain(stand, texts) != "passed":
            faults.append(Fault(place, f"{both} do not cancel: the chain fails too", "Take the declaration away"))
    count = len(stand.checker.cancelled)
    return Proof("cancelling", count - len(faults), count, faults)


def _texts(stand: Stand, declared: Cancelled) -> dict[str, str]:
    """Return the mistaken files by slug.

    Errors: CourseError, when a mistake of that name is not declared.
    """
    earlier = Stand(stand.course, stand.course.find(declared.slug), stand.nursery)
    texts = {}
    for where, name in ((stand, declared.mistake), (earlier, declared.earlier)):
        found = next((each for each in where.checker.mistakes if each.name == name), None)
        if found is None:
            raise CourseError(f"{where.checker_file} declares no mistake called {name}")
        texts[where.step.slug] = where.text(found.other)
    return texts


def _in_the_chain(stand: Stand, texts: dict[str, str]) -> str:
    """Return the outcome of this step with the other mistaken file as the learner's own."""
    with _desk(stand, texts) as course:
        bench = Stand(course, course.find(stand.step.slug), stand.nursery).bench(texts[stand.step.slug], tree="steps")
        own = [course.find(slug) for slug in texts if slug != stand.step.slug]
        return bench.run(own).verdict(SEED).outcome


@contextlib.contextmanager
def _desk(stand: Stand, texts: dict[str, str]) -> Iterator[Course]:
    """Give a copy of the course in which a learner wrote these files, and all others right."""
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        course = stand.course._replace(root=Path(folder))
        for name in ("puzzles", "tests/steps"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(stand.course.root / name, course.root / name, ignore=ignored)
        (course.root / "steps").mkdir()
        for step in course.steps:
            if not course.is_planned(step):
                text = texts.get(step.slug) or reference(course, step)
                course.stub(step).write_text(text, encoding="utf-8", newline="\n")
        yield course
