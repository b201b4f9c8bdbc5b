"""How far a learner is: each step's standing, and which step is next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from autograder import stubs
from autograder.errors import CourseError
from autograder.memory import State, text_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from autograder.course import Course, Step
    from autograder.memory import Memory

Kind = Literal["passed", "passed_older", "failing", "blocked", "tried", "edited", "not_started", "missing", "planned"]


class Standing(NamedTuple):
    step: Step
    kind: Kind
    state: State
    blocked_by: tuple[str, ...] = ()  # slugs, where the kind is blocked

    def words(self, course: Course) -> str:
        """Return the standing as a user reads it."""
        if self.kind == "blocked":
            numbers = course.numbers()
            names = [f"{numbers[slug]:02d}" if slug in numbers else slug for slug in self.blocked_by]
            by = f"step{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else "an earlier step"
            return f"right by itself, blocked by {by}"
        if self.kind == "tried":
            return "tried once" if self.state.attempts == 1 else f"tried {self.state.attempts} times"
        return _WORDS[self.kind]


_WORDS: dict[Kind, str] = {
    "passed": "passed",
    "passed_older": "passed with an older version of the file: check again",
    "failing": "fails now; an older version of the file passed",
    "edited": "edited, not checked yet",
    "not_started": "not started",
    "missing": "its file is missing: reset brings the stub back",
    "planned": "planned",
}


def standings(course: Course, memory: Memory) -> Iterator[Standing]:
    """Give how the learner stands with each step of the course, in order."""
    try:
        record = stubs.read(course.root)
    except CourseError:  # then no file can be told from a stub; what is remembered of it still can
        record = stubs.Record({})
    for step in course.steps:
        yield _standing(course, step, memory.state(step.slug), record)


def next_step(found: Iterable[Standing]) -> Step | None:
    """Return the step to work on: the first that does not pass as far as is known, else the first changed, or None.

    How those after it stand is not asked for.
    """
    changed = None
    for each in found:
        if each.kind == "planned":
            continue
        if not each.state.has_passed or each.kind in ("failing", "blocked"):
            return each.step
        if changed is None and each.kind != "passed":
            changed = each.step
    return changed


def unknown(course: Course, memory: Memory) -> list[str]:
    """Return the slugs that work is recorded under, and that the course does not have."""
    known = course.numbers()
    return [slug for slug in memory.slugs() if slug not in known]


def _standing(course: Course, step: Step, state: State, record: stubs.Record) -> Standing:
    if course.is_planned(step):
        return Standing(step, "planned", state)
    try:
        data = course.stub(step).read_bytes()
    except OSError:
        return Standing(step, "missing", state)
    verdict = state.verdict(text_sha256(data))
    outcome = verdict.outcome if verdict else ""
    if verdict and outcome == "blocked":
        return Standing(step, "blocked", state, verdict.blocked_by)
    if outcome == "passed":
        kind: Kind = "passed"
    elif state.has_passed:
        kind = "failing" if verdict else "passed_older"
    elif state.attempts:
        kind = "tried"
    else:
        kind = "edited" if _is_edited(data, record) else "not_started"
    return Standing(step, kind, state)


def _is_edited(data: bytes, record: stubs.Record) -> bool:
    if not record.entries:  # nothing is known of any stub
        return False
    return text_sha256(data) not in {entry.sha256 for entry in record.entries.values()}
