"""A run of a step's finished code that nobody asked for: what it computes and imports is then there for the next one.

The judge's half of a check hangs on the seed alone, and is as long as the other: the oracle's models, their weights and
what they answer. Known for a seed that is not given to anyone yet, it need not be computed while somebody waits. No
learner's code sees a seed before it is judged with it: what runs here is the course's own. A rehearsal ends where it
stands once a check is asked for.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from autograder import chain, checking
from autograder import course as courses
from autograder.bench import Bench
from autograder.errors import AutograderError
from autograder.source import SourceError
from autograder.submission import parsed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autograder.nursery import Nursery
    from autograder.supervisor import Limits


class Enough(BaseException):
    """A check is asked for: what a signal's handler raises in the middle of a rehearsal."""


def make(
    root: Path,
    slug: str,
    seed: str,
    nursery: Nursery,
    limits: Limits,
    is_enough: Callable[[], bool] = lambda: False,
) -> None:
    """Run the finished code of a step through its checks, and forget what came of it.

    Args:
        root: of the course. Of one that is broken nothing is run; each check says so itself.
        slug: of the step.
        seed: of the inputs.
        nursery, limits: as for any run.
        is_enough: asked after each check; the run ends where it is true.

    Errors: Enough, where a handler raises it.
    """
    with contextlib.suppress(AutograderError, SourceError):
        course = courses.load(root)
        step = course.find(slug)
        submission = parsed(chain.reference(course, step).encode(), f"{step.name}.py")
        checker = checking.of_step(course, step)
        run = Bench(course, step, "steps", checker, submission, nursery, limits).run()
        with contextlib.closing(run.results(seed)) as results:
            for _ in results:
                if is_enough():
                    return
