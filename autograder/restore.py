"""A step's file put back: to its stub by `reset`, to what it was by `undo`. Nothing that a learner wrote is ever lost:
what is in the file is kept first, and where it cannot be kept nothing is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from autograder import stubs
from autograder.errors import NotDone
from autograder.files import write_bytes, write_text

if TYPE_CHECKING:
    from autograder.course import Course, Step
    from autograder.memory import Kept, Memory


class Found(NamedTuple):
    """What a reset would find: a file as the stub is, a stub of an earlier version, a learner's work, or nothing."""

    kind: Literal["untouched", "outdated", "edited", "missing"]
    stub: str
    record: stubs.Record


def look(course: Course, step: Step) -> Found:
    """Return what is there now.

    Errors: NotDone, when the file cannot be read; CourseError, when the puzzle is broken.
    """
    from autograder import generate  # `undo` does without

    stub = generate.make(course, step).stub
    record = stubs.read(course.root)
    if _read(course, step) is None:
        return Found("missing", stub, record)
    text = stubs.current(course.stub(step))
    if text == stub:
        return Found("untouched", stub, record)
    return Found("outdated" if text is not None and record.has(text) else "edited", stub, record)


def reset(course: Course, step: Step, memory: Memory, found: Found) -> str | None:
    """Write the stub; return the hash of the version that was there, None where nothing had to be kept.

    What was found may be older than a question's answer: the file that is kept is read here, right before.

    Errors: NotDone, when the file cannot be kept, or the stub not be written.
    """
    present = None if found.kind == "untouched" else _read(course, step)
    kept = None if present is None else _keep(step, memory, present, "reset")
    entry = stubs.Entry(step.number, stubs.sha256(found.stub))
    try:
        if found.record.entries.get(step.slug) != entry:  # before the stub: one that is not known counts as edited
            write_text(course.root / stubs.PATH, stubs.Record({**found.record.entries, step.slug: entry}).to_json())
        if found.kind != "untouched":
            write_text(course.stub(step), found.stub)
    except OSError as error:
        raise NotDone(f"{_name(step)} could not be written ({error.strerror}): it is as it was") from error
    return kept


def undo(course: Course, step: Step, memory: Memory) -> Kept:
    """Bring back what the last reset, or the last undo, replaced; return what that was.

    Errors: NotDone, when there is nothing to bring back, or the present file cannot be kept.
    """
    last = memory.last_kept(step.slug)
    if last is None:
        raise NotDone(f"there is nothing to undo: no reset of step {step.id} is remembered")
    before = memory.version(last.sha256)
    if before is None:
        where = memory.archive.path(last.sha256).relative_to(course.root).as_posix()
        raise NotDone(f"the file that the last {last.verb} of step {step.id} replaced is gone: {where} is not as kept")
    present = _read(course, step)
    if present == before:
        raise NotDone(f"there is nothing to undo: {_name(step)} is already as the last {last.verb} found it")
    if present is not None:
        _keep(step, memory, present, "undo")
    try:
        write_bytes(course.stub(step), before)
    except OSError as error:
        raise NotDone(f"{_name(step)} could not be written ({error.strerror}): it is as it was") from error
    return last


def _keep(step: Step, memory: Memory, data: bytes, verb: Literal["reset", "undo"]) -> str:
    try:
        return memory.keep(step.slug, data, verb)
    except OSError as error:
        reason = f"{_name(step)} could not be kept in .autograder/ ({error.strerror}), so nothing was written"
        raise NotDone(reason) from error


def _read(course: Course, step: Step) -> bytes | None:
    try:
        return course.stub(step).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotDone(f"{_name(step)} could not be read ({error.strerror}), so nothing was written") from error


def _name(step: Step) -> str:
    return f"steps/{step.name}.py"
