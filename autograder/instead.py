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


def sentence(course: Course, step: Step, source: Source, reset: str) -> str | None:
    """Return what a file that failed is in truth; None where it has something of its own step, or of none.

    Args:
        course: whose steps it may be.
        step: which the file is to be.
        source: the file.
        reset: the command that writes the stub again; empty, where the file is not the step's own.
    """
    if all(map(_is_no_code, source.tree.body)):
        return f"{source.filename} has no code" + (
            f": {reset} brings its stub back, and keeps this file" if reset else ""
        )
    own = defined(source.tree)
    if own & _asked(course, step):
        return None
    for other in course.steps:
        names = _asked(course, other) if other != step and not course.is_planned(other) else set()
        if names and names <= own:
            what = " and ".join(sorted(names))
            return f"{what} is what step {other.id}, {other.title}, asks for: was it saved as {source.filename}?"
    return None


def _is_no_code(node: ast.stmt) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Import | ast.ImportFrom | ast.Pass)


def _asked(course: Course, step: Step) -> set[str]:
    """Return what the finished step defines."""
    with contextlib.suppress(CourseError, SyntaxError):  # of a step that is broken: it says so where it is judged
        return defined(ast.parse(played.finished(course, step).finished()))
    return set()
