"""Where a step is tried: its texts, its checker, and runs of any program in its place, with warm workers."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from autograder import checking, fence, generate, played, rejections
from autograder.bench import Bench
from autograder.diagnosis import second_seed
from autograder.errors import CourseError
from autograder.evidence import Evidence, matches, same
from autograder.judge import Order, judge
from autograder.source import SourceError
from autograder.submission import read
from autograder.supervisor import Limits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from autograder.checking import Mistake, Other
    from autograder.course import Course, Step
    from autograder.nursery import Nursery
    from autograder.report import Report
    from autograder.run import Run, Verdict

SEED = "91c2"
_SECOND = second_seed(SEED)
SEEDS = (SEED, _SECOND)
LIMITS = Limits(load_s=30.0, call_s=10.0, cpu_s=2.0)  # what hangs on purpose need not hang for long


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
        self._texts: dict[Other, str] = {}
        self._shown: dict[tuple[str, tuple[str, ...]], Sequence[Mapping[str, Evidence]]] = {}
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
        if other not in self._texts:
            self._texts[other] = played.text(self.course, self.step, other, self.checker.path)
        return self._texts[other]

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

    def verdict(self, text: str, seed: str = SEED) -> Verdict:
        """Return what a text gives alone: run once, and kept."""
        if (text, seed) not in self._verdicts:
            self._verdicts[text, seed] = self.bench(text).run().verdict(seed)
        return self._verdicts[text, seed]

    def told(self, mistake: Mistake) -> Report:
        """Return the report of a learner who made a mistake."""
        return self.reported(self.text(mistake.other))

    def reported(self, text: str) -> Report:
        """Return the report of a text with what its learner is told, from runs that the stand may have made before."""
        shown = f"steps/{self.step.name}.py"
        others = self._others_like(text)

        def compared_with(seed: str) -> str:
            return seed if others else SEED  # with nobody but itself, on any seed: that takes no run

        with self._written(text) as path:
            order = Order(self.step, "solutions", path, shown, SEED)
            order = order._replace(known=lambda mistake, seed: self.known_with(mistake, compared_with(seed)))
            order = order._replace(ran=lambda seed: self.verdict(text, compared_with(seed)))
            return judge(self.course, order, self.nursery, LIMITS)

    def _others_like(self, text: str) -> list[Mistake]:
        """Return the mistakes that show on the first seed what a text shows, and have another."""
        mine = self.verdict(text).evidence
        recorded = rejections.read(self.course, self.step)
        may_be = [each for each in self.mistakes if rejections.may_be(recorded, each.name, list(mine))]
        return [each for each in may_be if self.text(each.other) != text and matches(self.known(each), mine)]

    def shows(self, text: str, seeds: tuple[str, ...]) -> Sequence[Mapping[str, Evidence]]:
        """Return what a text shows the checks that it does not pass, with each seed: run once, and kept."""
        if (text, seeds) not in self._shown:
            bench = self.bench(text)
            with bench.desk() as desk:
                self._shown[text, seeds] = [_evidence(bench.run(desk=desk), seed) for seed in seeds]
        return self._shown[text, seeds]

    def fails(self, text: str, seed: str = SEED, first: Collection[str] = ()) -> str | None:
        """Return the first check that a text does not pass, and stop there; None when it passes all.

        Args:
            text: a file of the step.
            seed: of what the checks draw.
            first: the checks that are asked before the others, as they are likely to reject it.
        """
        return self.fails_with(text, [seed], first)[seed]

    def fails_with(self, text: str, seeds: Sequence[str], first: Collection[str] = ()) -> dict[str, str | None]:
        """Return `fails` of each seed, asked one after another of one worker: a new one is what takes longest."""
        try:
            bench = self.bench(text)
        except SourceError:
            return dict.fromkeys(seeds, "syntax")
        with bench.desk() as desk:
            return {seed: _rejected_by(bench.run(desk=desk), seed, first) for seed in seeds}

    def seconds(self, text: str) -> dict[str, float]:
        """Return how long each check of a text takes."""
        taken, before = {}, time.monotonic()
        for result in self.bench(text).run().results(SEED):
            now = time.monotonic()
            taken[result.id], before = now - before, now
        return taken

    # ---------------------------------------------------------------------------------------------------------- names

    def known(self, mistake: Mistake, seed: str = SEED) -> Mapping[str, Evidence]:
        """Return what a mistake shows on a seed, the stand's own or the second: run once, and kept."""
        return self.verdict(self.text(mistake.other), seed).evidence

    def known_with(self, mistake: Mistake, seed: str) -> Mapping[str, Evidence]:
        """Return `known`; nothing of a mistake that cannot be made: what passes is no failure's match."""
        return self.known(mistake, seed) if self.can_be_made(mistake.other) else {}

    def alike(self, mistake: Mistake) -> list[Mistake]:
        """Return the other mistakes that show what this one shows, on both seeds."""
        others = [each for each in self.mistakes if each.name != mistake.name]
        firsts = [each for each in others if matches(self.known(each), self.known(mistake))]
        return [each for each in firsts if matches(self.known(each, _SECOND), self.known(mistake, _SECOND))]

    def tried(self, text: str, *expected: Mistake) -> Tried:
        """Return which checks reject a text, as far as it takes to know which known mistakes it may be.

        Args:
            text: a file of the step.
            expected: the mistakes that it makes. Where the first seed leaves no others, the second is not asked.
        """
        mine: dict[str, Evidence] = {}
        suspects = list(self.mistakes)
        bench = self.bench(text)
        with bench.desk() as desk:
            run = bench.run(desk=desk)
            for result in run.results(SEED):
                if result.outcome == "passed":
                    continue
                mine[result.id] = run.evidence[result.id]
                suspects = [each for each in suspects if same(self.known(each).get(result.id), mine[result.id])]
                if not suspects:
                    break
            suspects = [each for each in suspects if matches(self.known(each), mine)]
            if any(each not in expected for each in suspects):
                second = _evidence(bench.run(desk=desk), _SECOND)
                suspects = [each for each in suspects if matches(self.known(each, _SECOND), second)]
        raised = next((f"{name}: {each.words[-1]}" for name, each in mine.items() if each.outcome == "internal"), "")
        return Tried(text, list(mine), suspects, raised)

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


def _evidence(run: Run, seed: str) -> Mapping[str, Evidence]:
    for _ in run.results(seed):
        pass
    return run.evidence


def _rejected_by(run: Run, seed: str, first: Collection[str]) -> str | None:
    with contextlib.closing(run.results(seed, first)) as results:
        return next((result.id for result in results if result.outcome != "passed"), None)
