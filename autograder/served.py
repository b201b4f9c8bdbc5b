"""A check that a warm server's judge makes: in a process of its own, on the client's terminal, in its environment."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn, TextIO

from autograder import client
from autograder.supervisor import Limits, calibrated

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from autograder.address import Request
    from autograder.client import Warmth

# What a check imports, some of it only where it fails, and the modules that torch and transformers import late.
_LIBRARIES = (
    *("autograder.oracle.transformers_gpt2", "autograder.oracle.modules", "autograder.law"),
    *("autograder.counterexample", "autograder.judge", "autograder.hints", "autograder.payoff", "autograder.versions"),
    *("autograder.views.plain", "autograder.views.terminal", "autograder.views.document", "autograder.views.editor"),
    *("autograder.views.junit", "autograder.views.github", "rich.console", "hypothesis", "psutil", "numpy.random"),
    *("transformers.cache_utils", "transformers.masking_utils", "torch.nn.attention.bias", "torch.testing"),
    *("torch.fx.experimental.symbolic_shapes", "torch._dynamo"),
)


def prepare() -> Limits:
    """Import what any check may need; return the limits for this machine."""
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):  # a course without an oracle has no transformers
            importlib.import_module(name)
    return calibrated(Limits())


class _Unwanted(BaseException):
    """The client has gone: there is nobody to say anything to."""


def answer(request: Request, channel: socket.socket, terminal: Sequence[int], warmth: Warmth) -> NoReturn:
    """Be the judge of one request: as the process that asked would be, and end."""
    signal.signal(signal.SIGINT, _leave)
    try:
        channel.setblocking(True)
        with warmth.nursery.lent() as nursery:
            word = _word(request, terminal, warmth._replace(nursery=nursery, say=_to(channel)))
            channel.sendall(f"{word}\n".encode())
    finally:  # without a word to the client, it makes the check itself
        os._exit(0)


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
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    os.chdir(request.folder)


def _stream(number: int, encoding: str, errors: str) -> TextIO:
    return open(number, "w", encoding=encoding, errors=errors, closefd=False, buffering=1)


def _to(channel: socket.socket) -> Callable[[str], None]:
    return lambda word: channel.sendall(f"{word}\n".encode())
