"""All that the runs of one step share: its checker, its earlier steps, and the file that is judged."""

from __future__ import annotations

import ast
import contextlib
import importlib
from typing import TYPE_CHECKING

from autograder import checking
from autograder.chain import Chain, texts
from autograder.errors import CourseError
from autograder.run import Run
from autograder.student import Desk
from autograder.submission import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autograder.checking import Checker
    from autograder.course import Course, Step
    from autograder.nursery import Kind, Nursery
    from autograder.student import Program
    from autograder.submission import Submission
    from autograder.supervisor import Limits

# What a judge imports while an ancestor is at its own imports, and which takes about as long.
_BESIDE: Mapping[Kind, Sequence[str]] = {
    "plain": (),
    "torch": ("torch",),
    "meta": ("torch", "autograder.oracle.transformers_gpt2"),
}


class Bench:
    """Makes the runs of a file, and of other files in its place."""

    def __init__(
        self,
        course: Course,
        step: Step,
        tree: str,
        checker: Checker,
        submission: Submission,
        nursery: Nursery,
        limits: Limits,
        kind: Kind | None = None,
    ) -> None:
        self.course = course
        self.step = step
        self.checker = checker
        self.submission = submission
        self.source = submission.source
        self.chain = Chain(course, step, tree, submission, checker.ban)
        self.tree = tree
        self._nursery = nursery
        self._limits = limits
        self._kind = kind or kind_of(course, step, checker)

    def program(self, own: Sequence[Step] = ()) -> Program:
        return self.chain.program(own, self._kind)

    def run(self, own: Sequence[Step] = (), desk: Desk | None = None) -> Run:
        """Return a run in which these earlier steps are the learner's own, and the others the reference.

        With a desk of the same file, the run is made there, after what was asked there before.
        """
        program = self.program(own)
        return Run(self.checker, program, self.source, texts(program), self._nursery, self._limits, desk)

    def desk(self) -> Desk:
        """Return a desk of the file alone: for questions that are no check's, or for several runs."""
        return Desk(self._nursery, self.program(), self._limits)

    def with_text(self, text: str, tree: str = "") -> Bench:
        """Return the bench of another file in place of this one, under the same name in every message.

        Errors: source.SourceError, when it is no Python.
        """
        other = parsed(text.encode(), self.source.filename)
        return Bench(
            self.course, self.step, tree or self.tree, self.checker, other, self._nursery, self._limits, self._kind
        )


def kind_of(course: Course, step: Step, checker: Checker) -> Kind:
    """Return what a worker of this step has imported beforehand: torch, where the finished step imports it.

    Errors: CourseError, when the finished step is no Python.
    """
    puzzle = course.puzzle(step)
    try:
        tree = ast.parse(course.read(puzzle))
    except (SyntaxError, ValueError) as error:
        why = error.msg if isinstance(error, SyntaxError) else str(error)
        raise CourseError(f"is no Python: {why}", puzzle, getattr(error, "lineno", None)) from None
    roots = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    roots |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    if all(name.partition(".")[0] != "torch" for name in roots):
        return "plain"
    return "meta" if checker.on_meta else "torch"


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
