"""The process that workers are forked from: it has imported torch, or nothing, and never runs a learner's code itself.

A worker's parent is a guard (`guard.py`), a fork of this process that looks after one worker after another. Some are
ready before they are asked for. Started by its file, with the root of the project off the path. Where there is no fork,
it is the worker itself, for one run.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPARES = 2  # a step alone, and in the chain
_QUIET_S = 0.5


def main() -> None:
    """`ancestor.py plain|torch|meta`, then `fork CHANNEL`, `spawn ORDER` or `replay FILE`."""
    preload, way, what = sys.argv[1:4]
    if way == "fork":
        # Ctrl-C is the judge's to handle, which ends us by closing the channel; it was blocked so far.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    own = _import_own()
    if preload != "plain":
        _import_torch()
    if way == "fork":
        if preload == "meta":
            _import_for_meta()
        own.exercise.run()
        channel = socket.socket(fileno=int(what))
        _answer(_Guards(own, channel), channel)
        os._exit(0)  # at once: whoever closed the channel waits for it, and taking torch apart takes a while
    elif way == "spawn":
        _spawned(own.serve, json.loads(what))
    else:
        own.serve.replay(Path(what))


class _Own(NamedTuple):
    """Our own modules."""

    serve: Any
    guard: Any
    exercise: Any


def _import_own() -> _Own:
    """Import our own code, then take the project off the path, so that a learner's file finds none of it."""
    root = str(Path(__file__).resolve().parents[2])
    sys.path.insert(0, root)
    import autograder.worker.exercise as exercise
    import autograder.worker.guard as guard
    import autograder.worker.serve as serve

    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != Path(root)]
    sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")]
    for name in [name for name in sys.modules if name.partition(".")[0] == "autograder"]:
        del sys.modules[name]  # `import autograder` gets its sentence, as the other absent libraries do
    return _Own(serve, guard, exercise)


def _import_torch() -> None:
    import numpy.random  # the codec needs numpy at the first tensor, and a seed its random numbers
    import torch
    import torch.utils._python_dispatch

    torch.set_num_threads(1)
    numpy.random.seed(0)
    torch.manual_seed(0)


def _import_for_meta() -> None:
    """Import what torch imports at the first tensor on "meta": it takes a second, in each worker anew."""
    importlib.import_module("torch._dynamo")


def _answer(guards: _Guards, channel: socket.socket) -> None:
    """Hand each request, the order and the pipes of a worker, to a guard."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # guards are reaped by the system
    gc.freeze()  # what is here before a worker is no rubbish of the worker's, and not to be looked through for any
    while True:
        while not _is_asked(channel, _QUIET_S):  # else a check is under way, and needs the processor
            if guards.are_ready(_SPARES):
                break
            guards.fork()
        message, pipes, _, _ = socket.recv_fds(channel, 65536, 5)
        if not message:
            return
        guards.give(message, pipes)
        for pipe in pipes:
            os.close(pipe)


class _Guards:
    """The guards that were forked, ready or at work."""

    def __init__(self, own: _Own, channel: socket.socket) -> None:
        self._own, self._channel = own, channel
        self._ours: list[Any] = []

    def fork(self, *held: int) -> Any:
        """Fork another; `held` is open here and not for it, beside what we hold open ourselves."""
        ends = self._channel.fileno(), *held, *(guard.end for guard in self._ours)
        self._ours.append(self._own.guard.Guard(lambda orders: _work(self._own, orders), ends))
        return self._ours[-1]

    def are_ready(self, count: int) -> bool:
        """Return whether that many are ready, and let go of those that are more."""
        ready = [guard for guard in self._ours if guard.is_ready()]
        for guard in ready[count:]:
            self._let_go(guard)
        return len(ready) >= count

    def give(self, message: bytes, pipes: Sequence[int]) -> None:
        """Hand over an order, to a new guard where none is ready."""
        ready = [guard for guard in self._ours if guard.is_ready()]
        while not (guard := ready.pop() if ready else self.fork(*pipes)).give(message, pipes):
            self._let_go(guard)  # it was killed

    def _let_go(self, guard: Any) -> None:
        self._ours.remove(guard)
        guard.close()


def _is_asked(channel: socket.socket, within_s: float = 0.0) -> bool:
    return bool(select.select([channel], [], [], within_s)[0])


def _work(own: _Own, waiting: socket.socket) -> None:
    """Be the worker: a session of its own, its output in a pipe, nothing to read, its own folder, its limits."""
    code = 70
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        if not _is_asked(waiting, _QUIET_S):
            own.exercise.run()
        message, pipes, _, _ = socket.recv_fds(waiting, 65536, 4)
        waiting.close()
        if not message:  # nobody wants a worker any more
            os._exit(0)
        requests, replies, output, stack = pipes
        order = json.loads(message)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        os.close(nothing)
        os.close(output)
        os.set_blocking(stack, False)  # what nobody reads holds nothing up
        faulthandler.enable(stack, all_threads=False)
        faulthandler.register(signal.SIGUSR1, stack, all_threads=False)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        _limit(order["memory_bytes"])
        os.environ.clear()  # the ancestor's may be those of another terminal
        os.environ.update(order["environment"])
        time.tzset()
        _enter(order["folder"])
        with os.fdopen(requests, "rb") as reader, os.fdopen(replies, "wb") as writer:
            own.serve.serve(reader, writer)
        code = 0
    finally:
        os._exit(code)


def _spawned(serve: Any, order: dict[str, Any]) -> None:
    """Be the worker of a system without fork: requests on standard input, replies on a copy of standard output."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    _enter(order["folder"])
    with os.fdopen(requests, "rb") as reader, os.fdopen(replies, "wb") as writer:
        serve.serve(reader, writer)


def _limit(memory_bytes: int) -> None:
    """A backstop four times as high as the judge's own limit: the judge watches, and its finding is the verdict."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        ceiling = pages * resource.getpagesize() + 4 * memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))


def _enter(folder: str) -> None:
    os.chdir(folder)
    for name in ("HOME", "TMPDIR", "TEMP", "TMP"):
        os.environ[name] = folder


if __name__ == "__main__":
    main()
