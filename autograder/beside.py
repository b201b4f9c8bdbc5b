"""A run that a forked process makes beside ours: a step alone and in the chain take turns on no processor that is free.

It can be forked before it is known what it is for, make several runs, and rehearse between them: a fork shares its
memory until it is written to, which takes longer than all else in a first run. What comes back is read as the types of
a verdict and as nothing else. Where the process did not come back with a verdict, there is none, and whoever wanted it
makes the run himself.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import msgspec

from autograder import checking, rehearsal
from autograder import course as courses
from autograder.bench import Bench
from autograder.fork import forked
from autograder.report import CheckResult, Printed  # noqa: TC001 - they are read by msgspec
from autograder.run import Verdict
from autograder.submission import parsed

if TYPE_CHECKING:
    from autograder.nursery import Nursery
    from autograder.supervisor import Limits

_SIZE = struct.Struct("<Q")
_LOOK_S = 0.1


class Wanted(msgspec.Struct, frozen=True, tag=True):
    """The run that is to be made: of this file as this step, with these earlier steps the learner's own."""

    root: bytes
    step: str
    tree: str
    shown: str
    data: bytes
    own: list[str]
    seed: str


class Rehearsed(msgspec.Struct, frozen=True, tag=True):
    """The rehearsal that is to be made meanwhile."""

    root: bytes
    step: str
    seed: str


class _Sent(msgspec.Struct, frozen=True):
    """Of a verdict, what the chain's report is made of."""

    checks: list[CheckResult]
    seed: str
    output: Printed
    asked: list[str]
    unfinished: bool


class Beside:
    """The process, and the verdict that it is making."""

    def __init__(self, nursery: Nursery, limits: Limits) -> None:
        """Fork; the process, with a nursery of its own, waits for what is wanted.

        Errors: OSError, when there can be no more processes.
        """
        theirs, ask = os.pipe()
        answer, back = os.pipe()

        def run() -> None:
            os.close(ask)
            os.close(answer)
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
            with os.fdopen(theirs, "rb", buffering=0) as asked, os.fdopen(back, "wb") as answers:
                _serve(nursery, limits, asked, answers)

        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})  # too soon, it would end the process
        try:
            self._pid = forked(run)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(theirs)
            os.close(back)
        self._ask = os.fdopen(ask, "wb")
        self._answer = os.fdopen(answer, "rb")
        self._is_under_way, self._rehearses = False, False
        self._nursery, self._limits, self._began = nursery, limits, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    @property
    def is_free(self) -> bool:
        """Whether it can be asked for a run."""
        return not self._ask.closed and not self._is_under_way

    def begin(self, wanted: Wanted) -> None:
        """Have it make this run."""
        self._is_under_way, self._began = True, time.monotonic()
        self._tell(wanted)
        if self._rehearses:
            self._rehearses = False
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGUSR1)

    def rehearse(self, wanted: Rehearsed) -> None:
        """Have it make a rehearsal, as long as it is asked for nothing else."""
        self._rehearses = True
        self._tell(wanted)

    def _tell(self, what: Wanted | Rehearsed) -> None:
        with contextlib.suppress(OSError):  # it may be gone: then there is no verdict
            _send(self._ask, msgspec.msgpack.encode((what, list(os.environb.items()))))

    def verdict(self) -> Verdict | None:
        """Wait for the verdict of the run; None when there is none, or it was given before."""
        if not self._is_under_way:
            return None
        while not select.select([self._answer], [], [], _LOOK_S)[0]:
            if self._nursery.on_wait is not None:
                self._nursery.on_wait(time.monotonic() - self._began, self._limits.cpu_s)
        data = _received(self._answer)
        if data is None:
            self.close()
            return None
        self._is_under_way = False
        try:
            sent = msgspec.msgpack.decode(data, type=_Sent)
        except msgspec.MsgspecError:
            return None
        return Verdict(sent.checks, sent.seed, sent.output, frozenset(sent.asked), unfinished=sent.unfinished)

    def abandon(self) -> None:
        """End the process where it is in the middle of a run: its verdict is not wanted."""
        if self._is_under_way:
            self.close()

    def close(self) -> None:
        """End the process. It is waited for where it is in the middle of a run."""
        if self._ask.closed:
            return
        with contextlib.suppress(OSError):
            self._ask.close()
        self._answer.close()
        if self._is_under_way:
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGINT)
            os.waitpid(self._pid, 0)


def _serve(nursery: Nursery, limits: Limits, asked: IO[bytes], answers: IO[bytes]) -> None:
    """Be the process: make runs and send their verdicts until nobody wants any more."""
    while data := _received(asked):
        wanted, environment = msgspec.msgpack.decode(data, type=tuple[Wanted | Rehearsed, list[tuple[bytes, bytes]]])
        os.environb.clear()
        os.environb.update(environment)
        with nursery.lent() as own:
            if isinstance(wanted, Rehearsed):
                _rehearse(wanted, own, limits, asked)
                continue
            found = _made(wanted, own, limits)
            sent = _Sent(found.checks, found.seed, found.output, sorted(found.asked), found.unfinished)
            _send(answers, msgspec.msgpack.encode(sent))


def _rehearse(wanted: Rehearsed, nursery: Nursery, limits: Limits, asked: IO[bytes]) -> None:
    """Rehearse until something else is wanted."""

    def stop(*_: object) -> None:
        raise rehearsal.Enough

    def is_asked() -> bool:
        return bool(select.select([asked], [], [], 0)[0])

    with contextlib.suppress(rehearsal.Enough):
        try:
            signal.signal(signal.SIGUSR1, stop)
            if not is_asked():
                root = Path(os.fsdecode(wanted.root))
                rehearsal.make(root, wanted.step, wanted.seed, nursery, limits, is_asked)
        finally:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def _made(wanted: Wanted, nursery: Nursery, limits: Limits) -> Verdict:
    course = courses.load(Path(os.fsdecode(wanted.root)))
    step = course.find(wanted.step)
    submission = parsed(wanted.data, wanted.shown)
    bench = Bench(course, step, wanted.tree, checking.of_step(course, step), submission, nursery, limits)
    return bench.run([course.find(slug) for slug in wanted.own]).verdict(wanted.seed)


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(_SIZE.pack(len(data)) + data)
    stream.flush()


def _received(stream: IO[bytes]) -> bytes | None:
    """Return the next message, and read nothing that comes after it; None when there will be no more."""
    size = _read(stream, _SIZE.size)
    return _read(stream, *_SIZE.unpack(size)) if size is not None else None


def _read(stream: IO[bytes], length: int) -> bytes | None:
    data = b""
    while len(data) < length:
        more = stream.read(length - len(data))
        if not more:
            return None
        data += more
    return data
