"""All that the runs of one step share: its checker, its earlier steps, and the file that is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder import supervisor
from autograder.chain import Chain, texts
from autograder.kinds import kind_of
from autograder.run import Run
from autograder.student import Desk
from autograder.submission import parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.checking import Checker
    from autograder.course import Course, Step
    from autograder.nursery import Kind, Nursery
    from autograder.student import Program
    from autograder.submission import Submission
    from autograder.supervisor import Limits


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
        self.kind = kind or kind_of(course, step, checker)

    def program(self, own: Sequence[Step] = ()) -> Program:
        return self.chain.program(own, self.kind)

    def run(self, own: Sequence[Step] = (), desk: Desk | None = None, *, hurried: bool = False) -> Run:
        """Return a run in which these earlier steps are the learner's own, and the others the reference.

        With a desk of the same file, the run is made there, after what was asked there before. One that is hurried has
        a part of the time: for what has taken all of it already.
        """
        program = self.program(own)
        limits = supervisor.hurried(self._limits) if hurried else self._limits
        return Run(self.checker, program, self.source, texts(program), self._nursery, limits, desk)

    def desk(self) -> Desk:
        """Return a desk of the file alone: for questions that are no check's, or for several runs."""
        return Desk(self._nursery, self.program(), self._limits)

    def with_text(self, text: str, tree: str = "") -> Bench:
        """Return the bench of another file in place of this one, under the same name in every message.

        Errors: source.SourceError, when it is no Python.
        """
        other = parsed(text.encode(), self.source.filename)
        return Bench(
            self.course, self.step, tree or self.tree, self.checker, other, self._nursery, self._limits, self.kind
        )
