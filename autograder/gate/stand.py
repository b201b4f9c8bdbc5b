"""Where a step is tried: its texts, its checker, and runs of any program in its place, with warm workers."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from autograder import checking, fence, generate, played
from autograder.bench import Bench
from autograder.diagnosis import second_seed
from autograder.errors import CourseError
from autograder.evidence import Evidence, matches, same
from autograder.judge import Order, judge
from autograder.source import SourceError
from autograder.submission import read
from autograder.supervisor import Limits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from autograder.checking import Mistake, Other
    from autograder.course import Course, Step
    from autograder.nursery import Nursery
    from autograder.report import Report
    from autograder.run import Verdict

SEED = "91c2"
LIMITS = Limits(load_s=30.0, call_s=10.0, cpu_s=2.0)  # what hangs on purpose need not hang for long


class Shown(NamedTuple):
    """What a program showed the checks, on two seeds; nothing on the second where the first tells enough."""

    first: Mapping[str, Evidence]
    second: Mapping[str, Evidence]


class Tried(NamedTuple):
    """A program, the checks that rejected it, and the mistakes that a learner would be told."""

    text: str
    failed: list[str]
    named: list[Mistake]
    raised: str = ""  # by a check itself, which is the course's fault and no rejection


class Stand:
    """One step of the course, and a nursery."""

    def __init__(self, course: Course, step: Step, nursery: Nursery) -> None:
        self.course = course
        self.step = step
        self.nursery = nursery
        self.made = generate.make(course, step)
        self.puzzle = played.finished(course, step)
        self.checker = checking.of_step(course, step)
        self._known: dict[str, Shown] = {}
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self.mistakes = [each for each in self.checker.mistakes if self.can_be_made(each.other)]
        with self._written(self.made.solution) as path:
            submission = read(course, path, f"steps/{step.name}.py")
        self._bench = Bench(course, step, "solutions", self.checker, submission, nursery, LIMITS)

    # ------------------------------------------------------------------------------------------------------- programs

    def text(self, other: Other) -> str:
        """Return a declared program as a file of the step.

        Errors: CourseError, with file and line, when it cannot be made.
        """
        return played.text(self.course, self.step, other, self.checker.path)

    def can_be_made(self, other: Other) -> bool:
        try:
            self.text(other)
        except CourseError:  # the room of mistakes, or of variants, says so
            return False
        return True

    def bench(self, text: str, tree: str = "solutions") -> Bench:
        """Return the bench of a text, the earlier steps of which are in `tree`.

        Errors: SourceError, when it is no Python.
        """
        return self._bench.with_text(text, tree)

    def judge(self, text: str, *, seed: str = SEED, worker: Literal["cold", "warm"] = "cold") -> Report:
        """Return the report of a text, alone and in the chain of the solutions, as a learner would get it."""
        with self._written(text) as path:
            shown = f"steps/{self.step.name}.py"
            order = Order(self.step, "solutions", path, shown, seed, worker=worker, diagnose=False)
            return judge(self.course, order, self.nursery, LIMITS)

    def told(self, mistake: Mistake) -> Report:
        """Return the report of a learner who made a mistake."""
        return self.reported(self.text(mistake.other))

    def reported(self, text: str) -> Report:
        """Return the report of a text with what its learner is told, from runs that the stand may have made before."""
        with self._written(text) as path:
            shown = f"steps/{self.step.name}.py"
            order = Order(self.step, "solutions", path, shown, SEED, known=self._known_with)
            order = order._replace(ran=lambda seed: self._verdict(text, seed))
            return judge(self.course, order, self.nursery, LIMITS)

    def shows(self, text: str, seed: str = SEED) -> Mapping[str, Evidence]:
        """Return what a text shows the checks that it does not pass; nothing, when it passes."""
        run = self.bench(text).run()
        for _ in run.results(seed):
            pass
        return run.evidence

    def fails(self, text: str, seed: str = SEED, first: Collection[str] = ()) -> str | None:
        """Return the first check that a text does not pass, and stop there; None when it passes all.

        Args:
            text: a file of the step.
            seed: of what the checks draw.
            first: the checks that are asked before the others, as they are likely to reject it.
        """
        try:
            run = self.bench(text).run()
        except SourceError:
            return "syntax"
        with contextlib.closing(run.results(seed, first)) as results:
            return next((result.id for result in results if result.outcome != "passed"), None)

    def seconds(self, text: str) -> dict[str, float]:
        """Return how long each check of a text takes."""
        taken, before = {}, time.monotonic()
        for result in self.bench(text).run().results(SEED):
            now = time.monotonic()
            taken[result.id], before = now - before, now
        return taken

    # ---------------------------------------------------------------------------------------------------------- names

    def known(self, mistake: Mistake) -> Shown:
        """Return what a mistake shows on both seeds: run once, and kept."""
        if mistake.name not in self._known:
            text = self.text(mistake.other)
            first, second = (self._verdict(text, seed).evidence for seed in (SEED, second_seed(SEED)))
            self._known[mistake.name] = Shown(first, second)
        return self._known[mistake.name]

    def _verdict(self, text: str, seed: str) -> Verdict:
        """Return what a mistake gives alone: run once, and kept."""
        if (text, seed) not in self._verdicts:
            self._verdicts[text, seed] = self.bench(text).run().verdict(seed)
        return self._verdicts[text, seed]

    def _known_with(self, mistake: Mistake, seed: str) -> Mapping[str, Evidence]:
        if not self.can_be_made(mistake.other):
            return {}  # what passes is no failure's match
        shown = self.known(mistake)
        return shown.first if seed == SEED else shown.second

    def named(self, text: str, first: Mapping[str, Evidence]) -> list[Mistake]:
        """Return the mistakes that a learner would be told whose text showed `first` on the first seed."""
        suspects = [mistake for mistake in self.mistakes if matches(self.known(mistake).first, first)]
        if not suspects:
            return []
        second = self.shows(text, second_seed(SEED))
        return [mistake for mistake in suspects if matches(self.known(mistake).second, second)]

    def tried(self, text: str) -> Tried:
        """Return which checks reject a text, as far as it takes to know which known mistakes it may be."""
        mine: dict[str, Evidence] = {}
        suspects = list(self.mistakes)
        run = self.bench(text).run()
        with contextlib.closing(run.results(SEED)) as results:
            for result in results:
                if result.outcome == "passed":
                    continue
                mine[result.id] = run.evidence[result.id]
                suspects = [each for each in suspects if same(self.known(each).first.get(result.id), mine[result.id])]
                if not suspects:
                    break
        raised = next((f"{name}: {each.words[-1]}" for name, each in mine.items() if each.outcome == "internal"), "")
        return Tried(text, list(mine), self.named(text, mine) if suspects else [], raised)

    # ---------------------------------------------------------------------------------------------------------- words

    def numbered(self, code: str) -> str | None:
        """Return code with imports from `puzzles` as a file of the step; None where two edits made no Python of it."""
        try:
            return fence.renumbered(code, self.puzzle_file, self.step.number, self.course.numbers())
        except SyntaxError:
            return None

    @property
    def checker_file(self) -> str:
        return self.relative(self.checker.path)

    @property
    def puzzle_file(self) -> str:
        return self.relative(self.course.puzzle(self.step))

    def at(self, line: int) -> str:
        """Return the place of a line of the checker."""
        return f"{self.checker_file}:{line}"

    def relative(self, path: Path) -> str:
        return path.relative_to(self.course.root).as_posix()

    @contextlib.contextmanager
    def _written(self, text: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
            path = Path(folder) / f"{self.step.name}.py"
            path.write_text(text, encoding="utf-8", newline="\n")
            yield path
