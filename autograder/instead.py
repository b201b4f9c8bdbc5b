"""What a file holds in place of what its step asks for: no code at all, or another step's."""

from __future__ import annotations

import ast
import contextlib
from typing import TYPE_CHECKING

from autograder import played
from autograder.errors import CourseError
from autograder.source import Source, defined

if TYPE_CHECKING:
    from autograder.course import Course, Step


def sentence(course: Course, step: Step, source: Source, road: str) -> str | None:
    """Return what a file that failed is in truth; None where it has something of its own step, or of none."""
    if all(isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.Pass) for node in source.tree.body):
        return f"{source.filename} has no code: {road} reset {step.task} brings its stub back, and keeps this file"
    own = defined(source.tree)
    if own & _asked(course, step):
        return None
    for other in course.steps:
        names = _asked(course, other) if other != step and not course.is_planned(other) else set()
        if names and names <= own:
            what = " and ".join(sorted(names))
            return f"{what} is what step {other.id}, {other.title}, asks for: was it saved as {source.filename}?"
    return None


def _asked(course: Course, step: Step) -> set[str]:
    """Return what the finished step defines."""
    with contextlib.suppress(CourseError, SyntaxError):  # of a step that is broken: it says so where it is judged
        return defined(ast.parse(played.finished(course, step).finished()))
    return set()
