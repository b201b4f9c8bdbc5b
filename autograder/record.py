"""The outputs that the texts show, recorded from real runs: the same on every machine."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autograder import generate, picture, rejections, transcript
from autograder.errors import InternalError
from autograder.files import write_text
from autograder.judge import Order, judge
from autograder.nursery import Nursery
from autograder.texts import numbered
from autograder.views import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.course import Course, Step

SEED = "91c2"


class Recording(NamedTuple):
    """The output of a step's failed or passed run, and the file that keeps it."""

    path: Path
    text: str


def record(course: Course, steps: Sequence[Step]) -> list[Recording]:
    """Return what runs of the untouched stub and of the solution print, machine and moment masked.

    Errors: InternalError, when a solution does not pass or a stub does.
    """
    made = []
    with Nursery() as nursery:
        for step in steps:
            texts = generate.make(course, step)
            for name, text in (("failed", texts.stub), ("passed", texts.solution)):
                path = course.root / "puzzles" / "recorded" / f"{step.slug}.{name}.txt"
                made.append(Recording(path, _run(course, step, text, name, nursery)))
    return made


def mistakes(course: Course, steps: Sequence[Step]) -> list[Recording]:
    """Return what a learner sees of each mistake that the steps' checkers declare, and which checks reject it."""
    from autograder.gate import transcripts
    from autograder.gate.stand import Stand

    found = []
    with Nursery() as nursery:
        for step in steps:
            stand = Stand(course, step, nursery)
            rejected = rejections.to_json(transcripts.rejected(stand))
            write_text(rejections.path(course, step), rejected)  # what a learner is told is found by it
            found.append(Recording(transcript.path(course, step), transcript.together(transcripts.made(stand))))
    return found


def picture_of(course: Course, recordings: Sequence[Recording]) -> Recording:
    """Return the picture of a failed and a passed run of the first step, as the README shows it."""
    step = next(step for step in course.steps if not course.is_planned(step))
    kept = [recording for recording in recordings if recording.path.name.startswith(f"{step.slug}.")]
    runs = [numbered(recording.text, recording.path.name, step, course.numbers()) for recording in kept]
    drawn = picture.svg([(f"pixi run {step.task}", run) for run in runs], course.title)
    return Recording(course.root / "book" / "pictures" / "run.svg", drawn)


def write(recordings: Sequence[Recording]) -> list[Path]:
    """Write the recordings that differ from what is there; return their files."""
    changed = []
    for recording in recordings:
        if not recording.path.is_file() or recording.path.read_text(encoding="utf-8") != recording.text:
            recording.path.parent.mkdir(parents=True, exist_ok=True)
            write_text(recording.path, recording.text)
            changed.append(recording.path)
    return changed


def _run(course: Course, step: Step, text: str, name: str, nursery: Nursery) -> str:
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        path = Path(folder) / f"{step.name}.py"
        path.write_text(text, encoding="utf-8", newline="\n")
        order = Order(step, tree="solutions", file=path, shown=f"steps/{step.name}.py", seed=SEED)
        report = judge(course, order, nursery)
    if (report.outcome == "passed") != (name == "passed"):
        first = next((check for check in report.checks if check.outcome != "passed"), None)
        why = f": {': '.join([first.message, *first.detail[:1]])}" if first is not None else ""
        shown = f"pixi run check {step.slug} --tree {'solutions' if name == 'passed' else 'steps'} shows it"
        raise InternalError(f"the {name} run of step {step.id} has the outcome {report.outcome}{why}; {shown}")
    stream = io.StringIO()
    stream.write(f"Running tests for Step {step.id}: {step.title}...\n")
    plain.write(report, stream)
    return transcript.unnumbered(transcript.mask(stream.getvalue()), course)
