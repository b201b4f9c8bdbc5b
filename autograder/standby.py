"""A judge that is forked before anybody asks: its own end of it. The server's is `spare.py`."""

from __future__ import annotations

import contextlib
import gc
import signal
import socket
from typing import TYPE_CHECKING, NamedTuple

from autograder import address, ahead, client, served
from autograder.beside import Beside
from autograder.errors import AutograderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograder.address import Request
    from autograder.ahead import Ahead
    from autograder.client import Warmth


class _Asked(NamedTuple):
    """A request that was handed over, with its client's channel and terminal, and whether its first line is out."""

    request: Request
    channel: socket.socket
    terminal: list[int]
    announced: bool = False


def wait(waiting: socket.socket, last: Request | None, warmth: Warmth) -> None:
    """Make the check that was asked for last, as often as the server tells us to; then answer one request, or none.

    What was made is right for the request, unless something has changed. A request for the same check can come while it
    is being made: its first line is shown then, and the rest once it is there.
    """
    gc.disable()
    with Beside(warmth.nursery, warmth.limits) as beside:
        warmth = warmth._replace(beside=beside)
        while True:
            gc.collect()  # what the run before has left: it may make two hundred
            with _answering(waiting) as taken:
                known = _made(last, warmth) if last is not None else None
            if taken:
                asked = taken[0]
                break
            with contextlib.suppress(OSError):  # the request was handed over just now, or nobody wants us any more
                waiting.sendall(address.READY)
            data, given, _, _ = socket.recv_fds(waiting, 65536, 4)
            if given:
                asked = _whole(waiting, data, given)
                break
            if not data:  # nobody wants us any more
                return
        if known is not None and (known.lasts or taken):
            warmth = warmth._replace(ahead=known.answer)
        served.answer(asked.request, asked.channel, asked.terminal, warmth, announced=asked.announced)


def _made(last: Request, warmth: Warmth) -> Ahead | None:
    served.stand_in(last)
    with served.lent(warmth, last.root) as ready:
        return ahead.made(list(last.argv), ready)


@contextlib.contextmanager
def _answering(waiting: socket.socket) -> Iterator[list[_Asked]]:
    """Take a request while other code runs, at the server's signal, and show its first line; give what was taken."""
    taken: list[_Asked] = []

    def take(*_: object) -> None:
        data, given, _flags, _from = socket.recv_fds(waiting, 65536, 4)
        if given:
            asked = _whole(waiting, data, given)
            taken.append(asked._replace(announced=_announced(asked)))

    signal.signal(signal.SIGUSR1, take)
    try:
        yield taken
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def _whole(waiting: socket.socket, data: bytes, given: list[int]) -> _Asked:
    data = data.removeprefix(address.AGAIN)  # a word that was not read yet comes with what follows it
    while (request := address.read(data)) is None:
        more = waiting.recv(65536)
        if not more:
            raise ConnectionError("the server ended in the middle of a request")
        data += more
    channel, *terminal = given
    return _Asked(request, socket.socket(fileno=channel), terminal)


def _announced(asked: _Asked) -> bool:
    """Show the first line of a check that is being made; return whether it has one."""
    with contextlib.suppress(AutograderError, SystemExit, OSError):  # whoever answers it says so
        wanted = client.asked(list(asked.request.argv))
        if wanted.step is not None and not wanted.options.json:
            output, _ = served.streams(asked.request, *asked.terminal[1:])
            client.print_first_line(wanted.step, output)
            asked.channel.setblocking(True)
            asked.channel.sendall(b"announced\n")
            return True
    return False
