"""A check that a warm server's judge makes: in a process of its own, on the client's terminal, in its environment."""

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

from autograder import address, ahead, chain, checking, client, source
from autograder import course as courses
from autograder.bench import Bench
from autograder.beside import Beside
from autograder.errors import AutograderError
from autograder.submission import Submission
from autograder.supervisor import Limits, calibrated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autograder.address import Request
    from autograder.ahead import Ahead
    from autograder.client import Warmth
    from autograder.course import Course, Step
    from autograder.nursery import Nursery

# What a check imports, some of it only where it fails, and the modules that torch and transformers import late.
_LIBRARIES = (
    *("autograder.oracle.transformers_gpt2", "autograder.oracle.modules", "autograder.law"),
    *("autograder.counterexample", "autograder.judge", "autograder.hints", "autograder.payoff", "autograder.versions"),
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
            with contextlib.suppress(AutograderError, source.SourceError):  # or one of its steps
                if not course.is_planned(step):
                    _try(course, step, nursery, limits)
    return limits


def _try(course: Course, step: Step, nursery: Nursery, limits: Limits) -> None:
    """Run the finished code of a step through its checks, and forget what came of it."""
    text, shown = chain.reference(course, step), f"{step.name}.py"
    submission = Submission(shown, source.parse(text.encode(), shown), text.encode())
    checker = checking.of_step(course, step)
    Bench(course, step, "steps", checker, submission, nursery, limits).run().verdict(None)


class _Unwanted(BaseException):
    """The client has gone: there is nobody to say anything to."""


def wait(waiting: socket.socket, last: Request | None, warmth: Warmth) -> None:
    """Be a judge that was forked ahead: make the check that was asked for last, as often as it is told to.

    Then answer one request, or none. What it has made is right for the request, unless something has changed.
    """
    gc.disable()
    with Beside(warmth.nursery, warmth.limits) as beside:
        warmth = warmth._replace(beside=beside)
        while True:
            gc.collect()  # what the run before has left: it may make two hundred
            known = _made_ahead(last, warmth) if last is not None else None
            waiting.sendall(address.READY)
            data, given, _, _ = socket.recv_fds(waiting, 65536, 4)
            if not given and data:  # told that something has changed
                continue
            break
        if not given:  # nobody wants it any more
            return
        while (request := address.read(data)) is None:
            more = waiting.recv(65536)
            if not more:  # the server has ended in the middle of it
                return
            data += more
        channel, *terminal = given
        if known is not None:
            warmth = warmth._replace(ahead=known.answer)
        answer(request, socket.socket(fileno=channel), terminal, warmth)


def _made_ahead(last: Request, warmth: Warmth) -> Ahead | None:
    _stand_in(last)
    with warmth.nursery.lent() as nursery:
        return ahead.made(list(last.argv), warmth._replace(nursery=nursery))


def answer(request: Request, channel: socket.socket, terminal: Sequence[int], warmth: Warmth) -> None:
    """Be the judge of one request, as its client would be, which makes the check itself where no last word comes."""
    signal.signal(signal.SIGINT, _leave)
    gc.disable()  # it does not live long
    channel.setblocking(True)
    with warmth.nursery.lent() as nursery:
        word = _word(request, terminal, warmth._replace(nursery=nursery, say=_to(channel)))
        channel.sendall(f"{word}\n".encode())


def _leave(*_: object) -> None:
    raise _Unwanted


def _word(request: Request, terminal: Sequence[int], warmth: Warmth) -> str:
    """Make the check; return the last word to the client."""
    try:
        _become(request, terminal)
        code = client.check(list(request.argv), float(request.started), warmth)
    except client.Cold:
        return "cold"
    except SystemExit as end:  # of --help
        code = int(end.code or 0)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return f"exit {code}"


def _become(request: Request, terminal: Sequence[int]) -> None:
    """Take over the client's streams, environment and folder."""
    for number, given in enumerate(terminal):
        os.dup2(given, number)
        os.close(given)
    out, out_errors, error, error_errors = request.encodings.split(",")
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = _stream(1, out, out_errors)
    sys.stderr = _stream(2, error, error_errors)
    _stand_in(request)


def _stand_in(request: Request) -> None:
    """Have the environment of a request's client, and its folder."""
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    os.chdir(request.folder)


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
