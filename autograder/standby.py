"""A judge that is forked before anybody asks: its own end of it. The server's is `spare.py`."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
from typing import TYPE_CHECKING, NamedTuple

from autograder import address, ahead, client, rehearsal, served
from autograder.beside import Beside, Rehearsed
from autograder.diagnosis import second_seed
from autograder.draw import new_seed
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
    with Beside(warmth.nursery, warmth.limits) as beside, contextlib.ExitStack() as workers:
        warmth = warmth._replace(beside=beside)
        taken: list[_Asked] = []
        known: Ahead | None = None
        seed = None  # one that is rehearsed, and that no learner's code has seen
        while not taken:
            with _answering(waiting, taken):
                known = _made(last, warmth._replace(seed=seed), workers, known) if last is not None else None
            seed, is_joined = None, bool(taken)
            if not is_joined:
                with contextlib.suppress(OSError):  # the request was handed over just now, or nobody wants us any more
                    waiting.sendall(address.READY)
                workers.close()
                if known is not None:
                    seed = _rehearsed(known, warmth, waiting, taken)
                if not taken:
                    gc.collect()  # what these runs have left: there may be two hundred
                if not taken and not _heard(waiting, taken):
                    return
        warmth = warmth._replace(seed=seed)
        if known is not None and (known.lasts or is_joined):
            warmth = warmth._replace(ahead=known.answer)
        asked = taken[0]
        served.answer(asked.request, asked.channel, asked.terminal, warmth, announced=asked.announced)


def _heard(waiting: socket.socket, taken: list[_Asked]) -> bool:
    """Wait for the server's word, or a request, which is taken; return whether we are still wanted."""
    data, given, _, _ = socket.recv_fds(waiting, 65536, 4)
    if given:
        taken.append(_whole(waiting, data, given))
    return bool(data)


def _made(last: Request, warmth: Warmth, workers: contextlib.ExitStack, before: Ahead | None) -> Ahead | None:
    """Make a check; who closes `workers` waits until all that ran for it has ended, which takes a while."""
    served.stand_in(last)
    return ahead.made(list(last.argv), workers.enter_context(served.lent(warmth, last.root)), before)


def _rehearsed(known: Ahead, warmth: Warmth, waiting: socket.socket, taken: list[_Asked]) -> str:
    """Return a seed for the next check of that step, which is rehearsed until we are told or given something."""

    def is_told() -> bool:
        return bool(select.select([waiting], [], [], 0)[0])

    seed, step = new_seed(), known.order.step.slug
    with (
        contextlib.suppress(rehearsal.Enough),
        _answering(waiting, taken, then=rehearsal.Enough),
        served.lent(warmth, str(known.root)) as ready,
    ):
        if ready.beside is not None and not is_told():
            ready.beside.rehearse(Rehearsed(os.fsencode(known.root), step, seed))
        for each in (seed, second_seed(seed)):
            if not is_told():
                rehearsal.make(known.root, step, each, ready.nursery, ready.limits, is_told)
    return seed


@contextlib.contextmanager
def _answering(waiting: socket.socket, taken: list[_Asked], then: type[BaseException] | None = None) -> Iterator[None]:
    """Take a request while other code runs, at the server's signal, show its first line, and raise `then`."""

    def take(*_: object) -> None:
        data, given, _flags, _from = socket.recv_fds(waiting, 65536, 4)
        if given:
            asked = _whole(waiting, data, given)
            taken.append(asked._replace(announced=_announced(asked)))
            if then is not None:
                raise then

    signal.signal(signal.SIGUSR1, take)
    try:
        yield
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
    if asked.request.verb != "check":
        return False
    with contextlib.suppress(AutograderError, SystemExit, OSError):  # whoever answers it says so
        wanted = client.asked(list(asked.request.argv))
        if wanted.step is not None and not wanted.options.json:
            output, _ = served.streams(asked.request, *asked.terminal[1:])
            client.print_first_line(wanted.step, output)
            asked.channel.setblocking(True)
            asked.channel.sendall(b"announced\n")
            return True
    return False
