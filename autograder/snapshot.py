"""What a check reads of a course: whether any of it is another than it was."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from autograder import pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDERS = ("steps", "solutions", "puzzles", "puzzles/recorded", "tests/steps")
_FILES = ("course.toml", pack.PATH)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_READ_BYTES = 2**20  # of a file: of one that is longer the size and the time have to do


def times(root: Path) -> list[tuple[str, int, int, int]]:
    """Return the paths with their files' times, sizes and numbers: a quick look, for whoever looks often."""
    found = []
    for path in _paths(root):
        try:
            status = os.stat(path)  # noqa: PTH116 - a hundred times, five times a second
        except OSError:
            found.append((path, 0, 0, 0))
        else:
            found.append((path, status.st_mtime_ns, status.st_size, status.st_ino))
    return found


def contents(root: Path) -> list[tuple[str, str, bytes]]:
    """Return the paths of all that a check of this course may read, with what each is since when, and what it holds."""
    return [(path, *_text(path)) for path in _paths(root)]


def _paths(root: Path) -> Iterator[str]:
    for name in _FILES:
        yield str(root / name)
    for folder in _FOLDERS:
        try:
            yield from sorted(entry.path for entry in os.scandir(root / folder))
        except OSError:
            yield f"{root / folder} is not there"


def _text(path: str) -> tuple[str, bytes]:
    """Return which file it is since when, and what it holds; of what is no ordinary file, a word that says so.

    A link to a finished step is refused, where a copy of the same time is not.
    """
    try:
        handle = os.open(path, _READ)
    except OSError as error:
        return f"error {error.errno}", b""
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return f"mode {status.st_mode}", b""
        known = status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns
        return str(known), os.read(handle, _READ_BYTES)
    finally:
        os.close(handle)
