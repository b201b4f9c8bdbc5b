"""Says that a file in a folder was saved, in the moment when it was, so that nobody need look for it.

Linux alone tells in a way that needs no thread, which a process that forks has none of. Anywhere else whoever wants to
know has to look.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_CLOSE_WRITE, _MOVED_TO, _DELETE = 0x8, 0x80, 0x200  # written to the end; put in its place; taken away
_ROOM_BYTES = 2**16


class Watch:
    """A file number that can be read once something was saved; none where the system cannot say so."""

    def __init__(self) -> None:
        self.number: int | None = None
        if sys.platform == "linux":
            self._library = ctypes.CDLL(None)
            number = self._library.inotify_init1(_FLAGS)
            self.number = number if number >= 0 else None  # a user can have a hundred or so

    def look_at(self, folder: Path) -> None:
        """Watch what is in a folder; again, where another of the same name may have come."""
        if self.number is not None:
            self._library.inotify_add_watch(self.number, os.fsencode(folder), _CLOSE_WRITE | _MOVED_TO | _DELETE)

    def clear(self) -> None:
        """Take what was said so far as heard."""
        if self.number is not None:
            with contextlib.suppress(BlockingIOError):
                os.read(self.number, _ROOM_BYTES)

    def close(self) -> None:
        if self.number is not None:
            os.close(self.number)
            self.number = None
