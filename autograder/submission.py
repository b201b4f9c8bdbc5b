"""The learner's file, read and parsed: its bytes, its tree, and what else lies beside it."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autograder import source
from autograder.report import Where

if TYPE_CHECKING:
    from autograder.course import Course

_CONFIGURATION = ("conftest.py", "sitecustomize.py", "usercustomize.py", "pytest.ini", "tox.ini", "setup.cfg")
_LIBRARIES = ("torch", "numpy", "regex", "transformers", "tokenizers", "tiktoken", "safetensors")


class Unreadable(Exception):
    """The file is not there, cannot be read, or is no Python; with the place, where there is one."""

    def __init__(self, sentence: str, where: Where | None = None, data: bytes | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.where = where
        self.data = data


class Submission(NamedTuple):
    """A file that Python can parse, under the name that it bears in every message."""

    shown: str
    source: source.Source
    data: bytes


def parsed(data: bytes, shown: str) -> Submission:
    """Return the submission of a file's bytes.

    Errors: source.SourceError, when they are no Python.
    """
    return Submission(shown, source.parse(data, shown), data)


def read(course: Course, path: Path, shown: str) -> Submission:
    """Return the submission at `path`.

    Errors: Unreadable, with what is wrong in a sentence.
    """
    data = _read(course, path, shown)
    try:
        return parsed(data, shown)
    except source.SourceError as error:
        where = None
        if error.line is not None:
            where = Where(shown, error.line, error.column or 1, error.text or "")
        raise Unreadable(error.message, where, data) from error


def _read(course: Course, path: Path, shown: str) -> bytes:
    try:
        _refuse_solution(course, path, shown)
        # A pipe would wait for a writer: opened without blocking, it is seen for what it is.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise Unreadable(f"{shown} is not there") from error
    except IsADirectoryError as error:
        raise Unreadable(f"{shown} is a folder") from error
    except OSError as error:
        raise Unreadable(f"{shown} cannot be read: {error.strerror or error}") from error
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise Unreadable(f"{shown} is {'a folder' if stat.S_ISDIR(mode) else 'no ordinary file'}")
    with os.fdopen(handle, "rb") as stream:
        return stream.read(source.MAX_SOURCE_BYTES + 1)


def _refuse_solution(course: Course, path: Path, shown: str) -> None:
    if not (path.is_symlink() or path.parent.is_symlink()):
        return
    target = Path(os.path.realpath(path))  # not resolve(), which raises where links go in a circle
    for folder in ("solutions", "puzzles"):
        if target.is_relative_to((course.root / folder).resolve()):
            raise Unreadable(
                f"{shown} is a link to {target.relative_to(course.root.resolve()).as_posix()}, not a file of yours"
            )


def strangers(folder: Path) -> list[str]:
    """Return a sentence for each file in the learner's folder that would change how Python runs, and does not here."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []
    found = []
    for name in names:
        stem = name.removesuffix(".py")
        shadows = name != stem and (stem in sys.stdlib_module_names or stem in _LIBRARIES)
        if shadows:
            found.append(f"{folder.name}/{name} has the name of a library: a check ignores it, a run by hand may not")
        elif name in _CONFIGURATION or name.endswith(".pth"):
            found.append(f"{folder.name}/{name} is ignored by a check")
    return found
