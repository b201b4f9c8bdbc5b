"""Which stubs were generated: their hashes tell a learner's work from a stub that nobody touched."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from autograder.course import Course, Step
from autograder.errors import CourseError
from autograder.files import read_text

PATH = Path("steps", ".generated.json")


class Entry(NamedTuple):
    step: int
    sha256: str  # of the text in UTF-8 with plain newlines


class Record(NamedTuple):
    entries: Mapping[str, Entry]  # by slug

    def has(self, text: str) -> bool:
        """Return whether ``text`` is a stub as generated, of whichever step."""
        return sha256(text) in {entry.sha256 for entry in self.entries.values()}

    def slug_at(self, number: int) -> str | None:
        return next((slug for slug, entry in self.entries.items() if entry.step == number), None)

    def to_json(self) -> str:
        return json.dumps({slug: entry._asdict() for slug, entry in self.entries.items()}, indent=1) + "\n"


def read(root: Path) -> Record:
    """Return what the last generation left; an empty record where there was none."""
    path = root / PATH
    if not path.exists():
        return Record({})
    try:
        entries = json.loads(read_text(path))
        return Record({slug: Entry(int(entry["step"]), str(entry["sha256"])) for slug, entry in entries.items()})
    except (ValueError, TypeError, KeyError, AttributeError):
        problem = "is not as it was generated: delete it and generate again, which leaves every edited step alone"
        raise CourseError(problem, PATH) from None


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_untouched(course: Course, step: Step) -> bool:
    """Return whether the learner's file is a stub as generated; a missing one is not."""
    text = current(course.stub(step))
    return text is not None and read(course.root).has(text)


def current(path: Path) -> str | None:
    """Return a generated file's text as it is on disk, or None where it is missing or no text."""
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError):
        return None
