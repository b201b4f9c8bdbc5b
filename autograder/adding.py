"""A new step between two others: three files from a template, one line in course.toml, and all that follows from it.

Everything is made in a copy of the course first. Only when all of it has come out well is what differs written, and a
write that fails is taken back: nothing half done is left behind.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autograder import blank, stubs
from autograder import course as courses
from autograder.errors import NotDone, UsageError
from autograder.files import read_text, write_bytes, write_text
from autograder.renumbering import Unusual, followed

if TYPE_CHECKING:
    from autograder.course import Course, Step
    from autograder.memory import Memory

_FOLDERS = ("puzzles", "steps", "solutions", "tests/steps", "tests/course/transcripts")
_FILES = ("course.toml", "pixi.toml", "pyproject.toml", "README.md")


class Moved(NamedTuple):
    """A learner's own file, which goes with its step to another number."""

    slug: str
    old: Path  # both from the course's root
    new: Path


class Addition(NamedTuple):
    """What differs when the step is there: each file's bytes before and after, None where there is no file."""

    files: dict[Path, tuple[bytes | None, bytes | None]]
    moved: list[Moved]

    @property
    def lines(self) -> list[str]:
        """Return a line on each file."""
        told = [f"move {moved.old.as_posix()} to {moved.new.as_posix()}: its imports follow" for moved in self.moved]
        theirs = {path for moved in self.moved for path in (moved.old, moved.new)}
        words = {(False, True): "write", (True, True): "change", (True, False): "remove"}
        return told + [
            f"{words[before is not None, after is not None]} {path.as_posix()}"
            for path, (before, after) in sorted(self.files.items())
            if path not in theirs
        ]


def plan(course: Course, slug: str, place: Step, title: str) -> Addition:
    """Return all that a new step changes; nothing of the course is touched.

    Errors: UsageError, when the slug or its place will not do; NotDone, when a learner's file cannot follow.
    """
    _refuse(course, slug, title)
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        stage = Path(folder)
        _copy(course.root, stage)
        before = _bytes(stage)
        manifest = stage / "course.toml"
        write_text(manifest, _with_line(read_text(manifest), place.slug, slug, title))
        blank.write(stage, slug, title)
        moved = _move(course, courses.load(stage))
        blank.make(courses.load(stage), slug)
        now = _bytes(stage)
    changed = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
    return Addition({path: (before.get(path), now.get(path)) for path in changed}, moved)


def carry_out(course: Course, addition: Addition, memory: Memory) -> None:
    """Write what a plan says, learners' files kept first; all of it, or nothing.

    Errors: NotDone, when a file is no longer as the plan found it, or cannot be written.
    """
    for path, (before, _) in addition.files.items():
        if _read(course.root / path) != before:
            raise NotDone(f"{path.as_posix()} has changed meanwhile, so nothing was written: run it again")
    done: list[Path] = []
    try:
        for moved in addition.moved:
            memory.keep(moved.slug, (course.root / moved.old).read_bytes(), "renumber")
        for path, (_, after) in addition.files.items():
            done.append(path)
            _put(course.root / path, after)
    except OSError as error:
        name = done[-1].as_posix() if done else "a learner's file"
        lost = [path.as_posix() for path in reversed(done) if not _taken_back(course.root, path, addition)]
        ending = "everything is as it was" if not lost else f"and {lost[0]} could not be put back: git has it"
        raise NotDone(f"{name} could not be written ({error.strerror}): {ending}") from error


def _taken_back(root: Path, path: Path, addition: Addition) -> bool:
    before = addition.files[path][0]
    try:
        if _read(root / path) != before:
            _put(root / path, before)
    except OSError:
        return False
    return True


def _refuse(course: Course, slug: str, title: str) -> None:
    blank.require_names(slug, title)
    known = next((step for step in course.steps if step.slug == slug), None)
    if known is not None and course.is_planned(known):
        mend = "take its line out of course.toml, and run this again"
        raise UsageError(f'"{slug}" is planned as step {known.id}, {known.title}: {mend}')
    if known is not None:
        raise UsageError(f'"{slug}" is already step {known.id}, {known.title}: a slug stands once in the course')
    for path in (f"puzzles/{slug}", f"puzzles/{slug}.py", f"puzzles/{slug}.md", f"tests/steps/{slug}.py"):
        if (course.root / path).exists():
            raise UsageError(f"{path} is there already, and course.toml does not list it: move it out of the way")


def find_place(course: Course, after: str) -> Step:
    """Return the step after which the new one goes.

    Errors: UsageError, when there is none of that name.
    """
    try:
        return course.find(after)
    except UsageError as error:
        raise UsageError(f"--after: {error}") from error


def _copy(root: Path, stage: Path) -> None:
    for name in _FOLDERS:
        if (root / name).is_dir():
            shutil.copytree(root / name, stage / name, ignore=shutil.ignore_patterns("__pycache__", ".*.tmp"))
    for name in _FILES:
        if (root / name).is_file():
            shutil.copy(root / name, stage / name)


def _bytes(stage: Path) -> dict[Path, bytes]:
    """Return all files of the copy, by their paths from its root."""
    found = (path for path in stage.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(stage): path.read_bytes() for path in found}


def _with_line(manifest: str, after: str, slug: str, title: str) -> str:
    """Return course.toml with one line more, below the line of the step before."""
    lines = manifest.split("\n")
    parts = next(index for index, line in enumerate(lines) if line.lstrip().startswith("[parts"))
    at = next(at for at in range(parts, len(lines)) if re.match(rf'\s*"?{re.escape(after)}"?\s*=', lines[at]))
    return "\n".join([*lines[: at + 1], f'{slug} = "{title}"', *lines[at + 1 :]])


def _move(before: Course, after: Course) -> list[Moved]:
    """Move the learner's own files to their steps' new numbers, in the copy, and let their imports follow.

    Errors: NotDone, when an import cannot follow.
    """
    known, numbers = stubs.read(before.root), before.numbers()
    changed = {numbers[slug]: number for slug, number in after.numbers().items() if numbers.get(slug, number) != number}
    moved, texts = [], {}
    for step in before.steps:
        path = before.stub(step)
        text = stubs.current(path)
        if not path.exists() or step.number not in changed or (text is not None and known.has(text)):
            continue
        target = after.find(step.slug)
        try:
            texts[target] = followed(path.read_bytes().decode("utf-8"), changed)
        except (Unusual, UnicodeDecodeError) as error:
            reason = f"steps/{step.name}.py cannot follow to step {target.id}, so nothing was written: {error}"
            raise NotDone(reason) from error
        moved.append(Moved(step.slug, path.relative_to(before.root), Path("steps", f"{target.name}.py")))
        (after.root / path.relative_to(before.root)).unlink()
    for target, text in texts.items():
        after.stub(target).write_bytes(text.encode())
    return moved


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _put(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    else:
        write_bytes(path, data)
