"""What goes to a worker: the frames of its requests. One that does not read holds nobody up."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO

_ROOM_BYTES = 2**20  # most frames are smaller; the systems' own room is a sixteenth of it


class Outbox:
    """The judge's end of the pipe that a worker is asked by.

    A frame is written at once as far as there is room for it, and the rest of it by a thread. Where a pipe cannot be
    told not to wait, the thread writes all of it.
    """

    def __init__(self, pipe: FileIO) -> None:
        self._pipe = pipe
        self._waits = not _told_not_to_wait(pipe.fileno())
        self._writer: threading.Thread | None = None

    def send(self, frame: bytes) -> None:
        """Send a frame; that the worker is gone shows where its answer is waited for."""
        rest = memoryview(frame)
        try:
            if not self._waits and not self.is_writing:
                rest = rest[self._pipe.write(rest) or 0 :]
        except (OSError, ValueError):
            return
        if rest:
            self._writer = threading.Thread(target=self._write, args=(rest, self._writer), daemon=True)
            self._writer.start()

    @property
    def is_writing(self) -> bool:
        """Whether a part of a frame is still to be read by the worker before all of it is written."""
        return self._writer is not None and self._writer.is_alive()

    def settle(self, seconds: float) -> None:
        """Wait for the end of what is being written, once it has been answered."""
        if self._writer is not None:
            self._writer.join(seconds)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._pipe.close()

    def _write(self, rest: memoryview, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        with contextlib.suppress(OSError, ValueError):
            if not self._waits:
                os.set_blocking(self._pipe.fileno(), True)
            while rest:
                rest = rest[self._pipe.write(rest) :]
            if not self._waits:
                os.set_blocking(self._pipe.fileno(), False)


def _told_not_to_wait(pipe: int) -> bool:
    """Have a pipe take what there is room for, and give it more room where the system has such a call."""
    try:
        os.set_blocking(pipe, False)
    except (AttributeError, OSError):  # Windows
        return False
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _ROOM_BYTES)
    return True
