"""What a step's workers have imported beforehand, and what a judge imports meanwhile: it decides speed alone."""

from __future__ import annotations

import ast
import contextlib
import importlib
from functools import lru_cache
from typing import TYPE_CHECKING

from autograder import checking
from autograder.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autograder.checking import Checker
    from autograder.course import Course, Step
    from autograder.nursery import Kind, Nursery

# What a judge imports while an ancestor is at its own imports, and which takes about as long.
_BESIDE: Mapping[Kind, Sequence[str]] = {
    "plain": (),
    "torch": ("torch",),
    "meta": ("torch", "autograder.oracle.transformers_gpt2"),
}


def kind_of(course: Course, step: Step, checker: Checker) -> Kind:
    """Return what a worker of this step has imported beforehand: torch, where the finished step imports it.

    Errors: CourseError, when the finished step is no Python.
    """
    puzzle = course.puzzle(step)
    try:
        if not _imports_torch(course.read(puzzle)):
            return "plain"
    except (SyntaxError, ValueError) as error:
        why = error.msg if isinstance(error, SyntaxError) else str(error)
        raise CourseError(f"is no Python: {why}", puzzle, getattr(error, "lineno", None)) from None
    return "meta" if checker.on_meta else "torch"


@lru_cache(maxsize=64)
def _imports_torch(text: str) -> bool:
    nodes = list(ast.walk(ast.parse(text)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return any(name.partition(".")[0] == "torch" for name in names)


def kinds_of(course: Course, steps: Sequence[Step]) -> list[Kind]:
    """Return what the workers of some steps have imported, the most first; a broken step says so where it is judged."""
    kinds: set[Kind] = set()
    for step in steps:
        with contextlib.suppress(CourseError):
            kinds.add(kind_of(course, step, checking.of_step(course, step)))
    return sorted(kinds or {"plain"}, key=("meta", "torch", "plain").index)


def import_beside(nursery: Nursery, *kinds: Kind) -> None:
    """Start ancestors, and import what a judge needs of the libraries while they are at their own imports."""
    for kind in kinds:
        nursery.prepare(kind)
    for name in dict.fromkeys(name for kind in kinds for name in _BESIDE[kind]):
        with contextlib.suppress(Exception):  # of torch the ancestor says what is wrong, of the oracle the check
            importlib.import_module(name)
