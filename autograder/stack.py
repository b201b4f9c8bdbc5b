"""Where a worker's code stands when it does not come back, or crashes: the lines that Python's `faulthandler` writes.

It writes them in the middle of whatever runs, a loop in C as well, and a learner's code could write others. So they say
where to look, and decide nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
from typing import TYPE_CHECKING

from autograder import wire

if TYPE_CHECKING:
    from autograder.family import Family

_PATIENCE_S = 0.25
_QUIET_S = 0.02  # after which no more of it comes
_CHUNK_BYTES = 65_536
_FRAME = re.compile(rb'^  File "([^"\n]+)", line (\d{1,9}) in (.+)$', re.MULTILINE)


class Stack:
    """The judge's end of the pipe that it is written to."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        os.set_blocking(pipe, False)

    def close(self) -> None:
        os.close(self._pipe)

    def asked(self, family: Family) -> list[wire.Frame]:
        """Return the frames of a worker that is at work, outermost first; none where it does not answer."""
        self._read(0.0)  # of a child that crashed
        return _frames(self._read(_PATIENCE_S)) if family.signal(signal.SIGUSR1) else []

    def left(self) -> list[wire.Frame]:
        """Return the frames of a worker that has crashed, outermost first; none where it has left none."""
        return _frames(self._read(0.0))

    def _read(self, seconds: float) -> bytes:
        """Return what comes within that time, and what follows at once."""
        data = b""
        while len(data) < _CHUNK_BYTES and select.select([self._pipe], [], [], seconds)[0]:
            more = b""
            with contextlib.suppress(OSError):
                more = os.read(self._pipe, _CHUNK_BYTES)
            if not more:
                break
            data += more
            seconds = _QUIET_S
        return data


def _frames(data: bytes) -> list[wire.Frame]:
    """Return the innermost frames of what was written, outermost first.

    A name that is not ASCII comes with backslashes, as `ascii` shows it.
    """
    found = [tuple(part.decode("ascii", "replace") for part in match.groups()) for match in _FRAME.finditer(data)]
    frames = [wire.Frame(name, int(line), function[: wire.MAX_NAME]) for name, line, function in found]
    return frames[: wire.MAX_STACK][::-1]
