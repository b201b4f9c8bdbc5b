"""What a check reads of a course: whether any of it is another than it was."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, NamedTuple

from autograder import pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDERS = ("steps", "solutions", "puzzles", "puzzles/recorded", "tests/steps")
_FILES = ("course.toml", pack.PATH)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_SETTLED_NS = 2 * 10**9
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


class Contents(NamedTuple):
    """What a check may read: by path, which file it is since when, and what it holds.

    `settled` are those that nobody had changed for a while when they were read. A file that was changed and changed
    again can have the same time and size: the clock of a file system may tick a second at a time.
    """

    files: dict[str, tuple[str, bytes]]
    settled: frozenset[str]


def contents(root: Path, before: Contents | None = None) -> Contents:
    """Return the paths of all that a check of this course may read, and what they hold.

    What was settled `before`, and is the same file of the same times and size, is not read again.
    """
    files, settled, now = {}, set(), time.time_ns()
    for path in _paths(root):
        known, changed_ns = _status(path)
        if before is not None and path in before.settled and before.files[path][0] == known:
            files[path] = before.files[path]
            settled.add(path)
            continue
        files[path] = _text(path)
        if files[path][0] == known and changed_ns < now - _SETTLED_NS:
            settled.add(path)
    return Contents(files, frozenset(settled))


def _paths(root: Path) -> Iterator[str]:
    for name in _FILES:
        yield str(root / name)
    for folder in _FOLDERS:
        try:
            yield from sorted(entry.path for entry in os.scandir(root / folder))
        except OSError:
            yield f"{root / folder} is not there"


def _status(path: str) -> tuple[str, int]:
    """Return which file it is since when, and when it was changed; of what is no ordinary file, a word that says so.

    A link to a finished step is refused, where a copy of the same time is not: it is another file.
    """
    try:
        return _known(os.stat(path))  # noqa: PTH116 - a hundred times, while somebody waits
    except OSError as error:
        return f"error {error.errno}", 0


def _known(status: os.stat_result) -> tuple[str, int]:
    if not stat.S_ISREG(status.st_mode):
        return f"mode {status.st_mode}", 0
    return str((status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)), status.st_ctime_ns


def _text(path: str) -> tuple[str, bytes]:
    try:
        handle = os.open(path, _READ)
    except OSError as error:
        return f"error {error.errno}", b""
    try:
        known, _ = _known(os.fstat(handle))
        return known, b"" if known.startswith("mode") else os.read(handle, _READ_BYTES)
    finally:
        os.close(handle)
