"""The programs that a checker declares, as texts: the finished step with edits, or a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder import fence
from autograder.errors import CourseError

if TYPE_CHECKING:
    from pathlib import Path

    from autograder.checking import Other
    from autograder.course import Course, Step


def finished(course: Course, step: Step) -> fence.Puzzle:
    """Return a step's puzzle.

    Errors: CourseError, when it is broken.
    """
    path = course.puzzle(step)
    return fence.split(course.read(path), path.relative_to(course.root).as_posix())


def text(course: Course, step: Step, other: Other, checker: Path) -> str:
    """Return a declared program as a file of the step.

    Errors: CourseError, with the line of its declaration, when an edit does not apply exactly once, changes nothing,
    or gives no Python.
    """
    whole = other.whole or edited(finished(course, step).finished(), other, checker)
    where = checker.relative_to(course.root).as_posix()
    try:
        return fence.renumbered(whole, where, step.number, course.numbers())
    except SyntaxError as error:
        raise CourseError(
            f"{other.name} is no Python: {error.msg} in its line {error.lineno}", checker, other.line
        ) from None
    except CourseError as error:
        raise CourseError(f"{other.name} {error}", checker, other.line) from None


def edited(code: str, other: Other, checker: Path) -> str:
    """Return a finished step's code after the edits of a declared program.

    Errors: CourseError, when an edit does not apply exactly once, or changes nothing.
    """
    for old, new in other.edits:
        count = code.count(old)
        if count != 1:
            times = "does not stand" if not count else f"stands {count} times"
            problem = f"{other.name}: {_shown(old)} {times} in the finished code, where it has to stand once"
            raise CourseError(problem, checker, other.line)
        if old == new:
            raise CourseError(f"{other.name} changes nothing: old and new are the same", checker, other.line)
        code = code.replace(old, new)
    return code


def applies(code: str, other: Other) -> bool:
    """Return whether the edits of a declared program can be made in another code: each stands there once."""
    for old, new in other.edits:
        if code.count(old) != 1:
            return False
        code = code.replace(old, new)
    return bool(other.edits)


def _shown(old: str) -> str:
    first, *more = old.strip().splitlines() or [""]
    return f'"{first}{" …" if more else ""}"'
