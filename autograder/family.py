"""The processes that a worker has become: the worker, and whatever its code started. Seen from the judge's side."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psutil

_SWEEP_S = 10.0
_PATIENCE_S = 1.0
_SIZES = re.compile(rb"^Vm(Peak|Size|Data|Stk):\s+(\d+)", re.MULTILINE)  # in kilobytes; a process that ended has none


class Usage(NamedTuple):
    """What a family uses now: processor time so far in seconds, resident memory in bytes, processes and threads.

    The time is its own, not the kernel's: handing out memory may take seconds, and is judged by the memory.
    """

    cpu_s: float
    memory_bytes: int
    processes: int
    threads: int


class Family(Protocol):
    """How the judge follows a worker and ends it, whichever way it was started."""

    pid: int

    def processes(self) -> list[psutil.Process]:
        """Return the processes that the worker has become."""

    def reaped_s(self) -> float:
        """Return the processor time of those that are no more, and had lost their parent."""

    def exit_code(self, timeout_s: float) -> int | None:
        """Return how the worker ended (minus the signal's number, where it was one), None while it lives."""

    def signal(self, number: int) -> bool:
        """Send the worker itself a signal; return whether it was there to be sent one."""

    def kill(self) -> bool:
        """Kill the worker and all that it started; return whether that is certain."""

    def dismiss(self) -> None:
        """Have the worker and all that it started killed, without waiting where that is possible."""

    def has_ended(self) -> bool:
        """Return whether those that were dismissed are known to be gone."""


class Forked:
    """A worker under its guard, which adopts its orphans, and is told and tells over a socket."""

    def __init__(self, pid: int, guard: int, control: socket.socket, heard: bytes = b"") -> None:
        self.pid = pid
        self._guard = guard
        self._control = control
        self._heard = heard

    def processes(self) -> list[psutil.Process]:
        import psutil

        with contextlib.suppress(psutil.Error):
            found: list[psutil.Process] = psutil.Process(self._guard).children(recursive=True)
            return found
        return []

    def reaped_s(self) -> float:
        import psutil

        with contextlib.suppress(psutil.Error):
            return float(psutil.Process(self._guard).cpu_times().children_user)
        return 0.0

    def exit_code(self, timeout_s: float) -> int | None:
        self._listen(timeout_s, b"exit ")
        for line in self._heard.splitlines():
            if line.startswith(b"exit "):
                return int(line[5:])
        return None

    def signal(self, number: int) -> bool:
        if self.pid not in [process.pid for process in self.processes()]:  # by now it may be another's
            return False
        try:
            os.kill(self.pid, number)
        except OSError:
            return False
        return True

    def dismiss(self) -> None:
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    def has_ended(self) -> bool:
        if self._control.fileno() >= 0:
            self._listen(0.0, b"swept")
            if self._swept():
                self._control.close()
        return self._swept()

    def kill(self) -> bool:
        if self._control.fileno() < 0:  # killed before: its number may be another's by now
            return self._swept()
        self.dismiss()
        self._listen(_PATIENCE_S, b"swept")
        if not self._swept():
            with contextlib.suppress(OSError):  # a guard that was stopped would stay for ever
                os.kill(self._guard, signal.SIGCONT)
            self._listen(_SWEEP_S, b"swept")
        self._control.close()
        if self._swept():
            return True
        with contextlib.suppress(OSError):  # the guard is gone: the worker's own group is what can still be reached
            os.killpg(self.pid, signal.SIGKILL)
        return False

    def _swept(self) -> bool:
        return b"swept" in self._heard.replace(b"unswept", b"")

    def _listen(self, timeout_s: float, word: bytes) -> None:
        deadline = time.monotonic() + timeout_s
        while word not in self._heard:
            try:
                self._control.settimeout(max(deadline - time.monotonic(), 0.0))
                heard = self._control.recv(4096)
            except OSError:
                return
            if not heard:
                return
            self._heard += heard


class Spawned:
    """A worker that is a process of its own, on a system without fork: what it started is found while it lives."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.pid = process.pid
        self._process = process

    def processes(self) -> list[psutil.Process]:
        import psutil

        with contextlib.suppress(psutil.Error):
            worker = psutil.Process(self.pid)
            return [worker, *worker.children(recursive=True)]
        return []

    def reaped_s(self) -> float:
        return 0.0

    def exit_code(self, timeout_s: float) -> int | None:
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def signal(self, number: int) -> bool:
        del number
        return False

    def kill(self) -> bool:
        import psutil

        for process in reversed(self.processes()):
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.kill()
        self._process.wait()
        return True

    def dismiss(self) -> None:
        self.kill()

    def has_ended(self) -> bool:
        return True


def usage(family: Family) -> Usage:
    """Return what a family uses; zeros when it is gone."""
    import psutil

    cpu_s, memory_bytes, processes, threads = family.reaped_s(), 0, 0, 0
    for process in family.processes():
        with contextlib.suppress(psutil.Error), process.oneshot():
            times = process.cpu_times()
            cpu_s += times.user + times.children_user
            memory_bytes += process.memory_info().rss
            threads += process.num_threads()
            processes += 1
    return Usage(cpu_s, memory_bytes, processes, threads)


def shared_once_bytes(processes: Iterable[psutil.Process]) -> int:
    """Return the memory of processes with what several of them share counted once: slower, and exact on Linux.

    A forked process shares torch with its parent, some 200 MB that are not used twice.
    """
    import psutil

    memory_bytes = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            full = process.memory_full_info()
            memory_bytes += getattr(full, "pss", full.rss)
    return memory_bytes


def peak_bytes(pid: int) -> int:
    """Return the most memory that the worker itself has asked for, in bytes; 0 where the system does not keep it.

    A peak between two looks is seen here, even when the learner's code caught the MemoryError and let go. What files
    take is left out: a torch that was built for CUDA maps over two gigabytes of them.
    """
    if sys.platform != "linux":
        return 0
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/status", "rb", 0) as status:  # noqa: PTH123 - at each check of each run
            sizes = {name: int(size) for name, size in _SIZES.findall(status.read())}
        if sizes:
            return 1024 * (sizes[b"Peak"] - sizes[b"Size"] + sizes[b"Data"] + sizes[b"Stk"])
    return 0
