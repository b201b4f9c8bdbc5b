"""The process that workers are forked from: it has imported torch, or nothing, and never runs a learner's code itself.

Each worker gets a guard, a process between the ancestor and it. The guard adopts whatever the worker leaves behind,
and at a word of the judge, or when the judge is gone, kills the whole family. Pairs of them are forked before they
are asked for. Started by its file, with the root of the project off the path. Where there is no fork, it is the worker
itself, for one run.
"""

from __future__ import annotations

import contextlib
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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_SWEEP_S = 5.0
_MANY = 100  # more workers than a failed check needs, which plays some fifty mistakes: a gate, or a test run
_SPARES = 2  # a step alone, and in the chain
_QUIET_S = 0.5
_LATE = ("torch.fx.experimental.symbolic_shapes", "torch._dynamo")  # what a tensor on "meta" imports
_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """`ancestor.py plain|torch`, then `fork CHANNEL`, `spawn ORDER` or `replay FILE`."""
    preload, way, what = sys.argv[1:4]
    serve = _import_serve()
    if preload == "torch":
        _import_torch()
    if way == "fork":
        _answer(serve, socket.socket(fileno=int(what)), _LATE if preload == "torch" else ())
    elif way == "spawn":
        _spawned(serve, json.loads(what))
    else:
        serve.replay(Path(what))


def _import_serve() -> Any:
    """Import the worker's code, then take the project off the path, so that a learner's file finds none of it."""
    root = str(Path(__file__).resolve().parents[2])
    sys.path.insert(0, root)
    import autograder.worker.serve as serve

    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != Path(root)]
    sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")]
    for name in [name for name in sys.modules if name.partition(".")[0] == "autograder"]:
        del sys.modules[name]  # `import autograder` gets its sentence, as the other absent libraries do
    return serve


def _import_torch() -> None:
    import numpy.random  # the codec needs numpy at the first tensor, and a seed its random numbers
    import torch
    import torch.utils._python_dispatch

    torch.set_num_threads(1)
    numpy.random.seed(0)
    torch.manual_seed(0)
    torch.ones(2) + torch.ones(2)  # the first operator of a process finds its kernels


def _answer(serve: Any, channel: socket.socket, late: Sequence[str]) -> None:
    """Have a guard and a worker ready for each request; the order and the pipes of the worker come with it.

    While nobody asks, import what torch would else import late, in each worker anew: before the first request, and
    again once so many have come that more are likely. In between it would make the next worker of a check wait.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # guards are reaped by the system
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the judge's to handle: it ends us by closing the channel
    gc.freeze()  # what is here before a worker is no rubbish of the worker's, and not to be looked through for any
    waiting, given = list(late), 0
    spares: list[_Pair] = []
    while True:
        while waiting and (not given or given >= _MANY) and not _is_asked(channel):
            while spares:
                spares.pop().close()
            importlib.import_module(waiting.pop(0))
            gc.freeze()
        while len(spares) < _SPARES and not _is_asked(channel, _QUIET_S):  # not beside a check that is under way
            spares.append(_Pair(serve, [channel.fileno(), *_ends(spares)]))
        message, pipes, _, _ = socket.recv_fds(channel, 65536, 4)
        if not message:
            return
        given += 1
        is_given = False
        while not is_given:  # a spare may have been killed
            pair = spares.pop() if spares else _Pair(serve, [channel.fileno(), *pipes])
            is_given = pair.give(message, pipes)
        for pipe in pipes:
            os.close(pipe)


def _ends(pairs: Sequence[_Pair]) -> list[int]:
    return [end for pair in pairs for end in pair.ends]


def _is_asked(channel: socket.socket, within_s: float = 0.0) -> bool:
    return bool(select.select([channel], [], [], within_s)[0])


class _Pair:
    """A guard and its worker, forked before they are asked for; they wait for their order, and end when none comes."""

    def __init__(self, serve: Any, held: Sequence[int]) -> None:
        """Fork both; what the ancestor holds open for itself and for others is not for them."""
        self._guard, guard = socket.socketpair()
        self._worker, worker = socket.socketpair()
        self.ends = self._guard.fileno(), self._worker.fileno()
        if os.fork() == 0:
            for end in (*held, *self.ends):
                os.close(end)
            _guard(serve, guard, worker)
        guard.close()
        worker.close()

    def close(self) -> None:
        """End both: no order will come."""
        self._guard.close()
        self._worker.close()

    def give(self, message: bytes, pipes: Sequence[int]) -> bool:
        """Hand over an order; return whether the two were still there to take it."""
        requests, replies, output, control = pipes
        try:
            with self._guard, self._worker:
                socket.send_fds(self._worker, [message], [requests, replies, output])
                socket.send_fds(self._guard, [b"!"], [control])
        except OSError:
            return False
        return True


def _guard(serve: Any, waiting: socket.socket, workers: socket.socket) -> None:
    """Fork the worker, tell the judge its number and how it ended, and kill what is left."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    _adopt_orphans()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    worker = os.fork()
    if worker == 0:
        for end in (woken, wake):
            os.close(end)
        waiting.close()
        signal.set_wakeup_fd(-1)
        _work(serve, workers)
    workers.close()
    _, controls, _, _ = socket.recv_fds(waiting, 1, 1)
    waiting.close()
    if not controls:  # no order came
        _sweep(worker)
        os._exit(0)
    judge = socket.socket(fileno=controls[0])
    with contextlib.suppress(OSError):
        judge.sendall(f"pid {worker} {os.getpid()}\n".encode())
        _await_end(judge, woken, worker)
    clean = _sweep(worker)
    with contextlib.suppress(OSError):
        judge.sendall(b"swept\n" if clean else b"unswept\n")
    os._exit(0)


def _await_end(judge: socket.socket, woken: int, worker: int) -> None:
    while True:
        ready, _, _ = select.select([judge.fileno(), woken], [], [])
        if judge.fileno() in ready:  # a word, or the end of the judge: both mean the same
            return
        os.read(woken, 4096)
        while pid_and_status := _reap():
            if pid_and_status[0] == worker:
                judge.sendall(f"exit {os.waitstatus_to_exitcode(pid_and_status[1])}\n".encode())
                return


def _reap() -> tuple[int, int] | None:
    """Return the next process that has ended, the worker or an orphan of its, and its status."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _sweep(worker: int) -> bool:
    """Kill the worker and all that it started; return whether none is left.

    They are stopped first: what forks and dies would be another process each time that it is looked for.
    """
    deadline = time.monotonic() + _SWEEP_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            os.killpg(worker, signal.SIGKILL)
        family = _children(os.getpid())
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in family:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        time.sleep(0.002)
    return False


def _children(pid: int) -> list[int]:
    """Return the processes under `pid`, the deepest last; none where the system does not list them."""
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, listing.read_text().split()):
                found += [child, *_children(child)]
    return found


def _adopt_orphans() -> None:
    """Become the parent of whatever a worker's process leaves behind: Linux alone can do this."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _work(serve: Any, waiting: socket.socket) -> None:
    """Be the worker: a session of its own, its output in a pipe, nothing to read, its own folder, its limits."""
    code = 70
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        message, pipes, _, _ = socket.recv_fds(waiting, 65536, 3)
        waiting.close()
        if not message:  # nobody wants a worker any more
            os._exit(0)
        requests, replies, output = pipes
        order = json.loads(message)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        os.close(nothing)
        os.close(output)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        _limit(order["memory_bytes"])
        os.environ.clear()  # the ancestor's may be those of another terminal
        os.environ.update(order["environment"])
        time.tzset()
        _enter(order["folder"])
        with os.fdopen(requests, "rb") as reader, os.fdopen(replies, "wb") as writer:
            serve.serve(reader, writer)
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
