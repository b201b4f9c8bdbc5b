"""A client of a warm server, as the server sees it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from autograder.address import Request


class Guest:
    """A client, from its first byte to its last; and the judge that works for it."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.heard = b""
        self.terminal: list[int] = []
        self.request: Request | None = None
        self.judge = 0
        self.gone_since: float | None = None

    def say(self, word: str) -> None:
        with contextlib.suppress(OSError):  # a client that has gone is noticed where it is listened to
            self.channel.send(f"{word}\n".encode())

    def close(self) -> None:
        self.channel.close()
        self.let_go_of_terminal()

    def let_go_of_terminal(self) -> None:
        for number in self.terminal:
            os.close(number)
        self.terminal.clear()
