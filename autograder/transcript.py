"""What a learner sees of a run, in a terminal of 80 columns: the same on every machine, to be kept and compared."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.console import Console

from autograder.views import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from autograder.course import Course, Step
    from autograder.report import Report

COLUMNS = 80
_FLOAT = re.compile(r"(?<![\w.])-?\d+\.\d{4,}(?:e[+-]?\d+)?|(?<![\w.])-?\d+(?:\.\d+)?e[+-]?\d+")
_NUMBER = re.compile(r"(\bstep[_ ])(\d\d)\b", re.IGNORECASE)
_FOOTER = re.compile(r"^(?:learner|reference): \S+ · .*$", re.MULTILINE)
_HEADING = re.compile(r"^=+ ([a-z0-9-]+) =+$", re.MULTILINE)


def mask(text: str) -> str:
    """Return an output without the machine's and the moment's own: floats to three digits, no versions, no times.

    The footer and the next act go: they are the run's own, and the text around says what to do.
    """
    text = _FLOAT.sub(lambda match: f"{float(match[0]):.3g}", text)
    kept = _FOOTER.split(text)[0]
    return kept.rstrip("\n") + "\n"


def of(report: Report, course: Course) -> str:
    """Return what stands on the screen below `Results:`, masked, the steps without their numbers."""
    stream = io.StringIO()
    terminal.write(report, Console(file=stream, width=COLUMNS, no_color=True, highlight=False))
    return unnumbered(mask(stream.getvalue()).partition("Results:\n")[2], course)


def unnumbered(text: str, course: Course) -> str:
    """Return a text with each step's number as `{step:SLUG}`, as the courses' texts write it.

    A number has one home, course.toml: what is kept of a step stays true when another comes before it.
    """
    slugs = {step.id: f"{{step:{step.slug}}}" for step in course.steps}
    return _NUMBER.sub(lambda match: f"{match[1]}{slugs.get(match[2], match[2])}", text)


def path(course: Course, step: Step) -> Path:
    """Return the file that keeps the transcripts of a step's mistakes."""
    return course.root / "tests" / "course" / "transcripts" / f"{step.slug}.txt"


def together(transcripts: Mapping[str, str]) -> str:
    """Return one text of many, by the mistakes' names."""
    parts = (f"{f' {name} ':=^{COLUMNS}}\n\n{text}" for name, text in transcripts.items())
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def apart(text: str) -> dict[str, str]:
    """Return the transcripts that a text keeps, by the mistakes' names."""
    _, *parts = _HEADING.split(text)
    return {name: f"{kept.strip(chr(10))}\n" for name, kept in zip(parts[::2], parts[1::2], strict=True)}
