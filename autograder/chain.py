"""A step with the earlier steps that it stands on: which they are, whose files stand in for them, and who is to blame.

Alone, the reference stands in for the earlier steps, and the run says whether the step itself is right. In the chain,
they are the learner's own. Where only the chain fails, the step is blocked, and each earlier step is tried by itself.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from autograder import fence, stubs, wire
from autograder.files import read_text
from autograder.student import Program
from autograder.submission import Unreadable, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autograder.course import Course, Step
    from autograder.nursery import Kind
    from autograder.run import Verdict
    from autograder.submission import Submission

_STEP = re.compile(r"(?:(?:steps|solutions)\.)?step_(\d+)")


class Blame(NamedTuple):
    """What the chain gave, and the earlier steps that are to blame, in order."""

    verdict: Verdict
    steps: tuple[Step, ...]


class Chain:
    """The files that a step's program can be made of."""

    def __init__(self, course: Course, step: Step, tree: str, submission: Submission, ban: wire.Ban) -> None:
        self._course = course
        self._step = step
        self._tree = tree
        self._submission = submission
        self._ban = ban
        self._earlier = [each for each in course.steps if each.number < step.number and not course.is_planned(each)]
        self._references: dict[str, str] = {}

    def program(self, own: Iterable[Step], kind: Kind) -> Program:
        """Return the program in which the earlier steps of `own` are the learner's, and the others the reference."""
        slugs = {step.slug for step in own}
        modules, names = [], {}
        for step in self._earlier:
            names[step.slug] = f"steps.{step.name}"
            text = self._own_text(step) if step.slug in slugs else self._reference(step)
            if text is not None:
                shown = f"{self._tree}/{step.name}.py" if step.slug in slugs else f"solutions/{step.name}.py"
                modules.append(_module(step, shown, text))
        modules.append(_module(self._step, self._submission.shown, self._submission.source.text))
        return Program(modules, self._ban, kind, names)

    def dependencies(self, asked: Iterable[str]) -> list[Step]:
        """Return the earlier steps that this one stands on, in order.

        These are what its file imports, what its checker asked for, and what these stand on in turn.
        """
        wanted = imported_steps(self._submission.source.tree)
        wanted |= {step.number for step in self._earlier if step.slug in set(asked)}
        found: dict[int, Step] = {}
        while wanted:
            number = wanted.pop()
            step = next((each for each in self._earlier if each.number == number), None)
            if step is not None and number not in found:
                found[number] = step
                for text in (self._reference(step), self._own_text(step)):
                    wanted |= _imports_of(text or "")
        return [found[number] for number in sorted(found)]

    def blame(
        self, needed: Sequence[Step], run: Callable[[Sequence[Step], bool], Verdict], right: Callable[[Step], bool]
    ) -> Blame | None:
        """Run the chain, and return None when it passes and no step that it needs is an untouched stub.

        Args:
            needed: the earlier steps that this one stands on.
            run: runs this step's checks with these earlier steps as the learner's own, and hurried or not.
            right: says whether an earlier step passes by itself.
        """
        chain = run(needed, False)
        took_too_long = any(result.outcome == "timeout" for result in chain.checks)
        untouched = [step for step in needed if self._is_untouched(step)]
        if chain.outcome == "passed" and not untouched:
            return None
        blamed = needed
        if len(needed) > 1:
            tried = [step for step in needed if step in untouched or run([step], took_too_long).outcome != "passed"]
            if took_too_long and len(tried) > 1:  # in a hurry, a step that is right and slow looks like one that hangs
                tried = [step for step in tried if step in untouched or run([step], False).outcome != "passed"]
            blamed = tried or [step for step in needed if not right(step)] or needed
        return Blame(self._explained(chain, blamed), tuple(blamed))

    def _explained(self, verdict: Verdict, blamed: Sequence[Step]) -> Verdict:
        """Say of a blamed file that cannot be read what is wrong with it, not what an import of it gave."""
        first = next((index for index, result in enumerate(verdict.checks) if result.outcome != "passed"), None)
        if first is None:
            return verdict
        checks, failed = list(verdict.checks), verdict.checks[first]
        detail = list(failed.detail)
        for step in blamed:
            shown = f"{self._tree}/{step.name}.py"
            try:
                read(self._course, self._course.stub(step, self._tree), shown)
            except Unreadable as error:
                says = error.sentence if error.where or shown in error.sentence else f"{shown}: {error.sentence}"
                checks[first] = structs.replace(failed, detail=[says], where=error.where, call=None)
                return verdict._replace(checks=checks)
            if self._is_untouched(step):
                detail.append(f"{shown} is still the stub that it was at the beginning")
            elif failed.where is None and failed.call is None:  # it ended while it was loaded
                detail.append(f"it does not with another step {step.id} in place of {shown}")
        checks[first] = structs.replace(failed, detail=detail)
        return verdict._replace(checks=checks)

    def _is_untouched(self, step: Step) -> bool:
        return self._tree == "steps" and stubs.is_untouched(self._course, step)

    def _reference(self, step: Step) -> str:
        if step.slug not in self._references:
            self._references[step.slug] = reference(self._course, step)
        return self._references[step.slug]

    def _own_text(self, step: Step) -> str | None:
        """Return the learner's text of an earlier step; None when it is not there to be read."""
        try:
            return read_text(self._course.stub(step, self._tree))
        except OSError:
            return None
        except UnicodeDecodeError:
            return "raise SyntaxError('the file is not UTF-8')\n"


def reference(course: Course, step: Step) -> str:
    """Return the finished text of a step.

    Errors: CourseError, when its puzzle is broken.
    """
    puzzle = course.puzzle(step)
    shown = puzzle.relative_to(course.root).as_posix()
    return _solution(course.read(puzzle), shown, step.number, tuple(course.numbers().items()))


@lru_cache(maxsize=64)  # each check of a later step reads all the earlier ones
def _solution(text: str, shown: str, number: int, numbers: tuple[tuple[str, int], ...]) -> str:
    return fence.split(text, shown).solution(number, dict(numbers))


def imported_steps(tree: ast.AST) -> set[int]:
    """Return the numbers of the steps that a file imports, in whichever way it writes the import."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names += [module, *(alias.name for alias in node.names if module in ("", "steps", "solutions"))]
    return {int(match[1]) for name in names if (match := _STEP.fullmatch(name))}


def texts(program: Program) -> Mapping[str, Sequence[str]]:
    """Return the lines of each file of a program, by its name in a traceback."""
    return {module.filename: module.text.splitlines(keepends=True) for module in program.modules}


@lru_cache(maxsize=64)
def _imports_of(text: str) -> frozenset[int]:
    try:
        return frozenset(imported_steps(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()  # it will fail where it is run, and say so there


def _module(step: Step, shown: str, text: str) -> wire.Module:
    return wire.Module([f"{tree}.{step.name}" for tree in ("steps", "solutions")], shown, text)
