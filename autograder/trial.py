"""One file in the place of several steps at once, judged by the checks of each, alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autograder import checking
from autograder.bench import Bench
from autograder.kinds import kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autograder.course import Course, Step
    from autograder.nursery import Kind, Nursery
    from autograder.run import Verdict
    from autograder.submission import Submission
    from autograder.supervisor import Limits

_ENDED = ("timeout", "crash", "limit")  # so will it in the next step: nobody waits for thirteen time-outs


class Trial(NamedTuple):
    """What the checks of the steps are asked of, and where it runs."""

    course: Course
    steps: Sequence[Step]
    nursery: Nursery
    limits: Limits

    @property
    def kind(self) -> Kind:
        """What a worker has imported beforehand: the file imports what any of the steps does."""
        return kinds_of(self.course, self.steps)[0]

    def of(self, submission: Submission, step: Step, seed: str) -> Verdict:
        """Return what the checks of one step say of the file."""
        checker = checking.of_step(self.course, step)
        bench = Bench(self.course, step, "steps", checker, submission, self.nursery, self.limits, self.kind)
        return bench.run().verdict(seed)

    def verdicts(self, submission: Submission, seed: str) -> Iterator[tuple[Step, Verdict]]:
        """Yield what each step's checks say, in the steps' order; after a process that ended, no more."""
        for step in self.steps:
            verdict = self.of(submission, step, seed)
            yield step, verdict
            if verdict.outcome in _ENDED:
                return
