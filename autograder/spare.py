"""A judge that is forked before anybody asks, and makes the check that is likely to be asked for next.

This is the server's end of it: the judge's own is `standby.py`.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from typing import TYPE_CHECKING

from autograder import address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.address import Request

_OFTEN = 200
_ROOM_BYTES = 2**16  # of a socket that nobody reads just now


class Spare:
    """The process, and what the course was like when it was told to make a check."""

    def __init__(self, judge: int, channel: socket.socket, seen: object) -> None:
        self.judge = judge
        self.channel = channel
        self.seen = seen
        self._told = 0
        self._is_at_work = True

    def is_at_work(self) -> bool:
        """Return whether it makes a check just now."""
        if self._is_at_work and select.select([self.channel], [], [], 0)[0]:
            with contextlib.suppress(OSError):  # it may have been killed: then it cannot be given anything
                self.channel.recv(1)
            self._is_at_work = False
        return self._is_at_work

    def tell(self, seen: object) -> None:
        """Have it make the check again, of what is there now; not for ever, where a file changes each time it runs."""
        self.seen = seen
        self._told += 1
        if self._told <= _OFTEN:
            self._is_at_work = True
            with contextlib.suppress(OSError):
                self.channel.sendall(address.AGAIN)

    def give(self, request: Request, files: Sequence[int]) -> bool:
        """Have it answer a request on these files, the client's channel and its terminal; return whether it does.

        It is not told anything after that. While it is at work, or rehearses, it takes notice at a signal; what it does
        not read yet can be written at once, or not at all.
        """
        data = request.encode()
        if len(data) > _ROOM_BYTES:
            return False
        try:
            sent = socket.send_fds(self.channel, [data], files)
            self.channel.sendall(data[sent:])
            os.kill(self.judge, signal.SIGUSR1)
        except OSError:
            return False
        self.channel.close()
        return True

    def end(self) -> None:
        """Have it end, whatever it is at; whoever has forked it reaps it."""
        self.channel.close()
        for number in (signal.SIGINT, signal.SIGCONT):  # one that was stopped would not hear of the first
            with contextlib.suppress(OSError):
                os.kill(self.judge, number)
