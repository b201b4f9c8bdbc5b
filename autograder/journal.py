"""Files of JSON lines that only grow: processes may add to one at the same time, and damage costs a line, not the file.

One entry is one line and one write at the file's end, which the system keeps whole; who reads in that instant may see a
part of it. Windows promises less: there, two processes that add in the same instant may lose a line.
"""

from __future__ import annotations

import errno
import json
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
_WRITTEN_S = 0.05  # so long a line may be seen in part; one that stays so was never finished
_BINARY: int = getattr(os, "O_BINARY", 0)


class _Lines(NamedTuple):
    good: list[bytes]
    damaged: int


def append(path: Path, entry: dict[str, object]) -> None:
    """Add an entry.

    Errors: OSError; the file is then as it was.
    """
    _append(path, json.dumps(entry, separators=(",", ":")).encode() + b"\n")


def read(path: Path, parse: Callable[[Any], T]) -> tuple[list[T], int]:
    """Return the entries, and how many lines are damaged: no JSON, or refused by ``parse`` with a ValueError.

    Errors: OSError, FileNotFoundError among them.
    """
    entries: list[T] = []
    lines = _sift(_whole(path), parse, entries)
    return entries, lines.damaged


def set_aside(path: Path, parse: Callable[[Any], T]) -> Path:
    """Put a damaged file aside, make a new one of its good lines, and return where the old one is.

    Errors: OSError; the file is then where it was.
    """
    aside = _reserve(path)
    try:
        path.replace(aside)  # from here on, whoever adds an entry begins a new file: nothing gets between
        good = _sift(aside.read_bytes(), parse, []).good
        if good:
            _append(path, b"".join(line + b"\n" for line in good))
    except OSError:
        if not path.exists() or not path.stat().st_size:
            aside.replace(path)
        raise
    return aside


def _whole(path: Path) -> bytes:
    """Return what a file holds, read again for a moment while its last line is not finished: it may just be written."""
    deadline = time.monotonic() + _WRITTEN_S
    while (data := path.read_bytes()) and not data.endswith(b"\n") and time.monotonic() < deadline:
        time.sleep(0.001)
    return data


def _sift(data: bytes, parse: Callable[[Any], T], entries: list[T]) -> _Lines:
    good, damaged = [], 0
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        try:
            entries.append(parse(json.loads(line)))
        except (ValueError, RecursionError):
            damaged += 1
        else:
            good.append(line)
    return _Lines(good, damaged)


def _reserve(path: Path) -> Path:
    """Return a name that nothing had, and that nobody else is given."""
    number = 1
    while True:
        aside = path.with_name(f"{path.name}.damaged" + (f".{number}" if number > 1 else ""))
        try:
            os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            number += 1
        else:
            return aside


def _append(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY, 0o666)
    try:
        end = os.fstat(handle).st_size
        if _is_torn(handle, end):
            data = b"\n" + data
        written = os.write(handle, data)
        if written < len(data):
            if os.fstat(handle).st_size == end + written:  # nobody else has added since
                os.ftruncate(handle, end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(handle)


def _is_torn(handle: int, end: int) -> bool:
    """Return whether the last line was never finished: a machine lost its power, a disk was full."""
    if not end:
        return False
    os.lseek(handle, end - 1, os.SEEK_SET)
    return os.read(handle, 1) != b"\n"
