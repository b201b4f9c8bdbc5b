"""What a warm server's judge answers: in a process of its own, on the client's terminal, in its environment."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from autograder import address, client, rehearsal
from autograder import course as courses
from autograder.draw import new_seed
from autograder.errors import AutograderError
from autograder.supervisor import Limits, calibrated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autograder.address import Request
    from autograder.client import Warmth
    from autograder.nursery import Nursery

# What a check imports, some of it only where it fails, and the modules that torch and transformers import late.
_LIBRARIES = (
    *("autograder.oracle.transformers_gpt2", "autograder.oracle.modules", "autograder.law"),
    *("autograder.counterexample", "autograder.judge", "autograder.hints", "autograder.payoff", "autograder.versions"),
    "autograder.waiting",
    *("autograder.views.plain", "autograder.views.terminal", "autograder.views.document", "autograder.views.editor"),
    *("autograder.views.junit", "autograder.views.github", "rich.console", "hypothesis", "psutil", "numpy.random"),
    *("transformers.cache_utils", "transformers.masking_utils", "torch.nn.attention.bias", "torch.testing"),
    *("torch.fx.experimental.symbolic_shapes", "torch._dynamo"),
)


def prepare(root: str, nursery: Nursery) -> Limits:
    """Import what any check may need, and make a check of each step, so that what is done once is done.

    Returns: the limits for this machine.
    """
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):  # a course without an oracle has no transformers
            importlib.import_module(name)
    limits = calibrated(Limits())
    with contextlib.suppress(AutograderError):  # of a course that is broken now; each check says so itself
        course = courses.load(Path(root))
        for step in course.steps:
            if not course.is_planned(step):
                rehearsal.make(course.root, step.slug, new_seed(), nursery, limits)
    return limits


class _Unwanted(BaseException):
    """The client has gone: there is nobody to say anything to."""


def answer(
    request: Request, channel: socket.socket, terminal: Sequence[int], warmth: Warmth, *, announced: bool = False
) -> None:
    """Be the judge of one request, as its client would be, which makes the check itself where no last word comes.

    Args:
        request: what is asked.
        channel: to the client.
        terminal: its standard input, output and error.
        warmth: what is ready.
        announced: whether the first line is on the screen already.
    """
    signal.signal(signal.SIGINT, _leave)
    gc.disable()  # it does not live long
    channel.setblocking(True)
    with lent(warmth, request.root) as ready:
        word = _word(request, terminal, ready._replace(say=_to(channel)), announced=announced)
        _leave_terminal()
        channel.sendall(f"{word}\n".encode())


@contextlib.contextmanager
def lent(warmth: Warmth, root: str) -> Iterator[Warmth]:
    """Give one judge what is ready, and an end to all that it starts.

    Where it had to start an ancestor of its own, its step is newer than the server. That server is found by nobody from
    then on, which ends it, and the next one has what the course needs now.
    """
    with warmth.nursery.lent() as nursery:
        yield warmth._replace(nursery=nursery)
        path = address.socket_path(root) if nursery.has_started_any else None
        if path is not None:
            with contextlib.suppress(OSError):
                Path(path).unlink()


def _leave(*_: object) -> None:
    raise _Unwanted


def _word(request: Request, terminal: Sequence[int], warmth: Warmth, *, announced: bool) -> str:
    """Make the check; return the last word to the client."""
    try:
        _become(request, terminal)
        code = _made(request, warmth, announced=announced)
    except client.Cold:
        return "cold"
    except SystemExit as end:  # of --help
        code = int(end.code or 0)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return f"exit {code}"


def _made(request: Request, warmth: Warmth, *, announced: bool) -> int:
    """Do what is asked; return the exit code.

    Errors: client.Cold.
    """
    if request.verb == "bug":
        from autograder import desk

        return desk.run([request.verb, *request.argv], warmth, announced=announced)
    return client.check(list(request.argv), float(request.started), warmth, announced=announced)


def _become(request: Request, terminal: Sequence[int]) -> None:
    """Take over the client's streams, environment and folder."""
    for number, given in enumerate(terminal):
        os.dup2(given, number)
        os.close(given)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = streams(request, 1, 2)
    stand_in(request)


def _leave_terminal() -> None:
    """Close the client's streams: whoever reads them to their end need not wait for ours, which takes longer."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.close(nothing)


def stand_in(request: Request) -> None:
    """Have the environment of a request's client, and its folder."""
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    os.chdir(request.folder)


def streams(request: Request, output: int, error: int) -> tuple[TextIO, TextIO]:
    """Return what writes on these two files as the client would."""
    out, out_errors, err, err_errors = request.encodings.split(",")
    return _stream(output, out, out_errors), _stream(error, err, err_errors)


def _stream(number: int, encoding: str, errors: str) -> TextIO:
    return open(number, "w", encoding=encoding, errors=errors, closefd=False, buffering=1)


def _to(channel: socket.socket) -> Callable[[str], None]:
    """Return what tells the client how far we are; it raises _Unwanted where the client has given up."""

    def say(word: str) -> None:
        try:
            is_there = channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            is_there = True
        if not is_there:
            raise _Unwanted
        channel.sendall(f"{word}\n".encode())

    return say
