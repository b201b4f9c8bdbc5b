"""The process between the ancestor and a worker: it adopts whatever the worker leaves behind, and kills the family.

It does so at a word of the judge, or when the judge is gone, and then forks the next worker, which waits for its order:
a guard has run nothing of a learner's. One that could not clear up is not asked again.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Work = Callable[[socket.socket], NoReturn]

_SWEEP_S = 5.0
_PR_SET_CHILD_SUBREAPER, _PR_SET_THP_DISABLE = 36, 41
_READY = b"r"


class Guard:
    """The ancestor's end of a guard."""

    def __init__(self, work: Work, held: Sequence[int]) -> None:
        """Fork it, and it a worker.

        Args:
            work: what a worker does with the socket that its order comes by.
            held: what the ancestor holds open for itself and for others, which is not for a guard.
        """
        self._channel, far = socket.socketpair()
        self._is_ready = False
        if os.fork() == 0:
            for end in (*held, self._channel.fileno()):
                os.close(end)
            _guard(work, far)
        far.close()

    @property
    def end(self) -> int:
        return self._channel.fileno()

    def is_ready(self) -> bool:
        """Return whether it can be given an order at once: it has a worker, or it is gone, as `give` will say."""
        if not self._is_ready and select.select([self._channel], [], [], 0)[0]:
            self._await_word()
        return self._is_ready

    def give(self, message: bytes, pipes: Sequence[int]) -> bool:
        """Hand over an order; return whether the guard was still there to take it."""
        try:
            if not self._is_ready:
                self._await_word()
            socket.send_fds(self._channel, [message], pipes)
        except OSError:
            return False
        self._is_ready = False
        return True

    def _await_word(self) -> None:
        with contextlib.suppress(OSError):
            self._channel.recv(len(_READY))
        self._is_ready = True

    def close(self) -> None:
        """End it and the worker that waits; one that is at work, when the judge has let go of it."""
        self._channel.close()


def _guard(work: Work, ancestor: socket.socket) -> NoReturn:
    """Look after one worker after another, until the ancestor is gone or a family could not be ended."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    _settle_in()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    held = (woken, wake, ancestor.fileno())
    is_clean = True
    while is_clean:
        worker, orders = _forked(work, held)
        with contextlib.suppress(OSError):  # the ancestor is gone: so the next line says
            ancestor.sendall(_READY)
        message, ends = _order(ancestor)
        if not message:
            _sweep(worker)
            break
        *pipes, control = ends
        while not _handed_over(orders, message, pipes):  # the one that waited may have been killed
            worker, orders = _forked(work, (*held, *ends))
        for end in pipes:
            os.close(end)
        with socket.socket(fileno=control) as judge:
            with contextlib.suppress(OSError):
                judge.sendall(f"pid {worker} {os.getpid()}\n".encode())
                _await_end(judge, woken, worker)
            is_clean = _sweep(worker)
            with contextlib.suppress(OSError):
                judge.sendall(b"swept\n" if is_clean else b"unswept\n")
    os._exit(0)


def _forked(work: Work, held: Sequence[int]) -> tuple[int, socket.socket]:
    """Fork a worker; return its number, and where its order is to go."""
    orders, far = socket.socketpair()
    worker = os.fork()
    if worker == 0:
        signal.set_wakeup_fd(-1)
        for end in (*held, orders.fileno()):
            os.close(end)
        work(far)
    far.close()
    return worker, orders


def _order(ancestor: socket.socket) -> tuple[bytes, list[int]]:
    try:
        message, ends, _, _ = socket.recv_fds(ancestor, 65536, 5)
    except OSError:
        return b"", []
    return message, ends


def _handed_over(orders: socket.socket, message: bytes, pipes: Sequence[int]) -> bool:
    try:
        with orders:
            socket.send_fds(orders, [message], pipes)
    except OSError:
        return False
    return True


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


def _settle_in() -> None:
    """Become the parent of whatever a worker's process leaves behind, and have small pages; Linux alone can do this.

    The ancestor has its memory in large pages, whose tables a fork soon has copied. What a worker wants besides is
    little: of large pages, each one more would be two megabytes of zeros to write.
    """
    if sys.platform == "linux":
        import ctypes

        control = ctypes.CDLL(None).prctl
        control(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        control(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
