"""What comes from a worker: the frames of its answers and what its code prints; neither holds the other up."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import threading
import time
from typing import TYPE_CHECKING, BinaryIO, Protocol

from autograder import wire
from autograder.values import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    Printed = Callable[[bytes], None]

_CHUNK_BYTES = 65_536
_END_S = 2.0


class Silent(Exception):
    """Nothing came in the time that was given."""


class Inbox(Protocol):
    """The judge's ends of a worker's two pipes. What is printed goes to whoever was named for it."""

    def frame(self, seconds: float) -> bytes | None:
        """Return the body of the next frame; None when there will be none.

        Errors: Silent, when none came in that time; values.Malformed, when what came is no frame.
        """

    def close(self) -> None:
        """Take what is still there of what was printed, once the worker is over, and let go of the pipes."""


class Polled:
    """Both pipes watched by the one who asks: the quickest way, and no thread."""

    def __init__(self, replies: BinaryIO, output: BinaryIO, printed: Printed) -> None:
        self._replies, self._output, self._printed = replies, output, printed
        self._buffer = bytearray()
        self._open = {replies.fileno(): replies, output.fileno(): output}
        self._poll = select.poll()
        for number in self._open:
            os.set_blocking(number, False)
            self._poll.register(number, select.POLLIN)

    def frame(self, seconds: float) -> bytes | None:
        deadline = time.monotonic() + seconds
        while (body := wire.take_frame(self._buffer)) is None:
            if self._replies.fileno() not in self._open:
                if self._buffer:
                    raise Malformed("the stream ended inside a frame")
                return None
            left = deadline - time.monotonic()
            if left < 0 or not self._receive(left):
                raise Silent
        return body

    def close(self) -> None:
        deadline = time.monotonic() + _END_S
        while self._output.fileno() in self._open and time.monotonic() < deadline:
            if not self._receive(0.0):  # what no one could kill may hold the pipe open
                break
        self._replies.close()
        self._output.close()

    def _receive(self, seconds: float) -> bool:
        """Read what is there, waiting so long for the first of it; return whether there was anything."""
        found = self._poll.poll(1000 * seconds) if self._open else []
        for number, _ in found:
            data = b""
            with contextlib.suppress(OSError):
                data = os.read(number, _CHUNK_BYTES)
            if not data:
                self._poll.unregister(number)
                del self._open[number]
            elif number == self._output.fileno():
                self._printed(data)
            else:
                self._buffer += data
        return bool(found)


class Threaded:
    """A thread for each pipe: for systems on which pipes cannot be watched."""

    def __init__(self, replies: BinaryIO, output: BinaryIO, printed: Printed) -> None:
        self._frames: queue.SimpleQueue[bytes | Malformed | None] = queue.SimpleQueue()
        self._printed = printed
        self._readers = [(_started(self._read_frames, replies), replies), (_started(self._read_output, output), output)]

    def frame(self, seconds: float) -> bytes | None:
        try:
            found = self._frames.get(timeout=seconds)
        except queue.Empty:
            raise Silent from None
        if isinstance(found, Malformed):
            raise found
        return found

    def close(self) -> None:
        for thread, pipe in self._readers:
            thread.join(_END_S)
            if not thread.is_alive():  # what no one could kill may hold a pipe open: leave that end to it
                with contextlib.suppress(OSError):
                    pipe.close()

    def _read_frames(self, replies: BinaryIO) -> None:
        try:
            while (body := wire.read_frame(replies)) is not None:
                is_unasked = not self._frames.empty()
                self._frames.put(body)
                if is_unasked:  # the protocol is broken already: what else is sent need not be kept
                    break
        except Malformed as error:
            self._frames.put(error)
        except (OSError, ValueError):
            pass  # the pipe was closed on our side: the worker is over
        self._frames.put(None)

    def _read_output(self, output: BinaryIO) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := output.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]
                self._printed(data)


def _started(run: Callable[[BinaryIO], None], pipe: BinaryIO) -> threading.Thread:
    thread = threading.Thread(target=run, args=(pipe,), daemon=True)
    thread.start()
    return thread
