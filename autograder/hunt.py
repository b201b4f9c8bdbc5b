"""What a bug is hunted in, and by what it is judged: a finished part of the course, in one file."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, NamedTuple

from autograder import client
from autograder.console import say
from autograder.errors import InternalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autograder.casebook import Casebook
    from autograder.client import Warmth
    from autograder.course import Course, Step
    from autograder.culprit import Suspects
    from autograder.trial import Trial

_DOCSTRING = """{steps}, finished, in one file, with one mistake in it: find it, mend it here, and run bug{number}.

What the docstrings promise is right. What the code does is not.
"""


class Part(NamedTuple):
    """A part, all of whose steps are there."""

    course: Course
    number: int
    steps: list[Step]

    @property
    def name(self) -> str:
        return f"bug_{self.number}"

    @property
    def shown(self) -> str:
        return f"steps/{self.name}.py"

    @property
    def path(self) -> Path:
        return self.course.root / "steps" / f"{self.name}.py"

    @property
    def run(self) -> str:
        return f"{client.road()} bug{self.number}"

    @property
    def extent(self) -> str:
        first, last = self.steps[0].id, self.steps[-1].id
        return f"step {first}" if first == last else f"steps {first} to {last}"

    def suspects(self) -> Suspects:
        from autograder.culprit import Suspects

        extent = f"{self.extent[0].upper()}{self.extent[1:]}"
        return Suspects(self.course, self.steps, _DOCSTRING.format(steps=extent, number=self.number))


def part_called(course: Course, name: str | None) -> Part:
    """Return the part of that name; the first that is whole where none is named.

    Errors: UsageError, when there is none, or it is not whole.
    """
    ready = course.ready_parts()
    if not ready:
        raise UsageError("no part of the course is whole yet: there is nothing to hide a mistake in")
    found = re.fullmatch(r"(?:bug[ _-]?)?([0-9]{1,6})", name.strip().casefold()) if name is not None else None
    number = int(found[1]) if found else None if name is not None else min(ready)
    if number in ready:
        return Part(course, number, ready[number])
    if number is not None and 1 <= number <= len(course.parts):
        part = course.parts[number - 1]
        planned = [step.id for step in course.steps if step.part == part and course.is_planned(step)]
        which = f"step {planned[0]} is" if len(planned) == 1 else f"steps {', '.join(planned)} are"
        raise UsageError(f'part {number}, "{part}", is not whole yet: {which} planned')
    there = " or ".join(str(each) for each in ready)
    raise UsageError(f'there is no part "{name}" to find a mistake in: there is {there}')


class Hunt(NamedTuple):
    """A part, what is remembered of its bug, and whether a warm server's judge looks after it."""

    part: Part
    book: Casebook
    warmth: Warmth | None
    announced: bool

    def announce(self, line: str) -> None:
        """Show the first line, at once."""
        if not self.announced:
            say(line)
            if self.warmth is not None:
                self.warmth.say("announced")

    def begin_to_write(self) -> None:
        """Say that from here on the client cannot do all of it again without anybody seeing it."""
        if self.warmth is not None:
            self.warmth.say("writing")

    @contextlib.contextmanager
    def trial(self) -> Iterator[Trial]:
        """Give what the checks are asked of.

        Errors: Cold, where the course would be called broken: it may be the server that is.
        """
        from autograder.trial import Trial

        part = self.part
        if self.warmth is not None:
            try:
                yield Trial(part.course, part.steps, self.warmth.nursery, self.warmth.limits)
            except InternalError:
                raise client.Cold from None
            return
        from autograder.kinds import import_beside
        from autograder.nursery import Nursery
        from autograder.supervisor import Limits, calibrated

        with Nursery() as nursery:
            trial = Trial(part.course, part.steps, nursery, calibrated(Limits()))
            import_beside(nursery, trial.kind)
            yield trial
