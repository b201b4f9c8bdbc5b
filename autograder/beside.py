"""A run that a forked process makes beside ours: a step alone and in the chain take turns on no processor that is free.

What comes back is read as the types of a verdict and as nothing else. Where the process did not come back with a
verdict, there is none, and whoever wanted it makes the run himself.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, BinaryIO, Self

import msgspec

from autograder.fork import forked
from autograder.report import CheckResult, Printed  # noqa: TC001 - they are read by msgspec
from autograder.run import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from autograder.nursery import Nursery


class _Sent(msgspec.Struct, frozen=True):
    """Of a verdict, what the chain's report is made of."""

    checks: list[CheckResult]
    seed: str
    output: Printed
    asked: list[str]
    unfinished: bool


class Beside:
    """The process, and the verdict that it is making."""

    def __init__(self, nursery: Nursery, make: Callable[[Nursery], Verdict]) -> None:
        """Fork, and have `make` run there, with a nursery of its own."""
        ours, theirs = os.pipe()

        def run() -> None:
            os.close(ours)
            _make(nursery.lent(), make, theirs)

        self._pid = forked(run)
        os.close(theirs)
        self._answer: BinaryIO | None = os.fdopen(ours, "rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def verdict(self) -> Verdict | None:
        """Wait for the verdict; None when there is none, or it was given before."""
        if self._answer is None:
            return None
        with self._answer as stream:
            data = stream.read()
        self._answer = None
        try:
            sent = msgspec.msgpack.decode(data, type=_Sent)
        except msgspec.MsgspecError:
            return None
        return Verdict(sent.checks, sent.seed, sent.output, frozenset(sent.asked), unfinished=sent.unfinished)

    def close(self) -> None:
        """End the process where its verdict is not wanted; else it ends by itself, and is not waited for."""
        if self._answer is not None:
            self._answer.close()
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGINT)
            os.waitpid(self._pid, 0)


def _make(nursery: Nursery, make: Callable[[Nursery], Verdict], answer: int) -> None:
    """Be the process: make the run, send its verdict, and end whatever it started."""
    with nursery, os.fdopen(answer, "wb") as stream:
        found = make(nursery)
        sent = _Sent(found.checks, found.seed, found.output, sorted(found.asked), found.unfinished)
        stream.write(msgspec.msgpack.encode(sent))
