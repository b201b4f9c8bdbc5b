"""Where workers come from: one ancestor a kind (torch imported, or nothing), which forks a worker each time.

The kind "meta" has also imported what torch needs for a tensor on the device of that name, which takes a second more.
Where it is there, it is what a worker of the kind "torch" is forked from, too.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, Self, cast

from autograder.address import FORKS_QUICKLY
from autograder.errors import InternalError
from autograder.family import Forked, Spawned
from autograder.inbox import Polled, Threaded
from autograder.outbox import Outbox
from autograder.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedWriter

    from autograder.family import Family
    from autograder.inbox import Inbox

Kind = Literal["plain", "torch", "meta"]
CAN_FORK = hasattr(os, "fork") and hasattr(socket, "recv_fds")
_ANCESTOR = Path(__file__).parent / "worker" / "ancestor.py"
_START_S = 180.0
_KEPT = (  # what of the environment a worker sees: nothing secret, nothing that changes a verdict
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CONDA_PREFIX", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
)
_SET = {
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


class Born(NamedTuple):
    """A new worker: its family, where it is asked, where it answers and prints, its folder, and where it stands."""

    family: Family
    outbox: Outbox
    inbox: Inbox
    folder: str
    stack: Stack | None = None  # where the system has the signal that asks for it


class _Ancestor(NamedTuple):
    process: subprocess.Popen[bytes]
    channel: socket.socket
    errors: BinaryIO


class Nursery:
    """Starts ancestors, and asks them for workers. Close it, and every process that came of it ends."""

    def __init__(self, *, fork: bool = CAN_FORK) -> None:
        self._fork = fork
        self._ancestors: dict[Kind, _Ancestor] = {}
        self._lent: dict[Kind, _Ancestor] = {}
        self._is_lent = False
        self._given: list[Born] = []
        self._resting: list[Born] = []
        self._leaving: list[Born] = []
        self._folders: set[str] = set()
        self.on_wait: Callable[[float, float], None] | None = None  # told how long an answer takes, and may take

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        try:
            self.close()
        except BaseException:  # an interrupt, in the middle of it
            self.close()
            raise

    def lent(self) -> Nursery:
        """Return the nursery of a process that was forked from this one: the same ancestors, and workers of its own."""
        other = Nursery(fork=self._fork)
        other._lent, other._is_lent = self._lent | self._ancestors, True
        return other

    @property
    def has_started_any(self) -> bool:
        """Whether it has ancestors of its own, beside those that it was lent."""
        return bool(self._ancestors)

    def is_whole(self) -> bool:
        """Return whether every ancestor that was started is still there."""
        return all(ancestor.process.poll() is None for ancestor in self._ancestors.values())

    def prepare(self, kind: Kind) -> None:
        """Start the ancestor of that kind, if it is not there, without waiting for its imports."""
        if self._fork and self._ancestor(kind) is None:
            self._ancestors[kind] = _start_ancestor(kind)

    def worker(self, kind: Kind, memory_bytes: int, printed: Callable[[bytes], None]) -> Born:
        """Return a worker that nothing of a learner's has run in; what it prints goes to `printed`.

        Errors: InternalError, when the ancestor could not start.
        """
        self._kill_resting()
        self._bury(wait=False)
        folder = self._new_folder()
        order = {"folder": folder, "memory_bytes": memory_bytes, "environment": _environment()}
        self.prepare(kind)
        if (ancestor := self._ancestor(kind)) is not None:
            born = _fork(ancestor, json.dumps(order), folder, printed)
        else:
            born = _spawn(kind, json.dumps(order), folder, printed)
        self._given.append(born)
        return born

    def end(self, born: Born) -> None:
        """Kill a worker and all that it started, if that is not done, and take the last of what it printed."""
        if born in self._given:
            born.family.kill()
            self._let_go(born)
            self._remove(born.folder)

    def dismiss(self, born: Born) -> None:
        """Have a worker killed with all that it started, and do not wait: it is looked after later, or in `close`.

        That takes the processor a while, and somebody may be waiting for the other run. A lent nursery is closed once
        the verdict is told: there it rests until then, or until there is another worker.
        """
        self._resting.append(born)
        if not self._is_lent:
            self._kill_resting()

    def close(self) -> None:
        """End the workers that were not ended, with all that they started, and the ancestors that are our own."""
        self._kill_resting()
        for born in list(self._given):
            self.end(born)
        self._bury(wait=True)
        for folder in list(self._folders):  # of a worker that an interrupt kept from being given, or from being ended
            self._remove(folder)
        for ancestor in self._ancestors.values():
            ancestor.channel.close()
        for ancestor in self._ancestors.values():
            try:
                ancestor.process.wait(0.2)
            except subprocess.TimeoutExpired:  # still importing torch for a step that did not need it in the end
                ancestor.process.kill()
                ancestor.process.wait()
            ancestor.errors.close()
        self._ancestors.clear()

    def _ancestor(self, kind: Kind) -> _Ancestor | None:
        there = self._lent | self._ancestors
        return there.get(kind) or (there.get("meta") if kind == "torch" else None)

    def _new_folder(self) -> str:
        """Make a folder that is known before it is there: an interrupt may come at any moment."""
        folder = Path(tempfile.gettempdir(), f"autograder-{secrets.token_hex(8)}")
        self._folders.add(str(folder))
        folder.mkdir(mode=0o700)
        return str(folder)

    def _remove(self, folder: str) -> None:
        remove(folder)
        self._folders.discard(folder)

    def _let_go(self, born: Born) -> None:
        self._given.remove(born)
        born.inbox.close()
        if born.stack is not None:
            born.stack.close()
        born.outbox.close()

    def _kill_resting(self) -> None:
        """Have those that rest killed with all that they started, and do not wait."""
        while self._resting:
            born = self._resting.pop()  # first: an interrupt may come at any moment
            born.family.dismiss()
            self._leaving.append(born)
            self._let_go(born)

    def _bury(self, *, wait: bool) -> None:
        """Remove the folders of the killed that have gone, or wait for all of them."""
        for born in list(self._leaving):
            if wait:
                born.family.kill()
            if wait or born.family.has_ended():
                self._leaving.remove(born)
                self._remove(born.folder)


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | _SET


def _command(kind: Kind, *rest: str) -> list[str]:
    return [sys.executable, "-P", "-s", str(_ANCESTOR), kind, *rest]


def _start_ancestor(kind: Kind) -> _Ancestor:
    ours, theirs = socket.socketpair()
    errors = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - it is closed with the ancestor
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is ours: it would end its imports
    try:
        process = subprocess.Popen(
            _command(kind, "fork", str(theirs.fileno())),
            pass_fds=[theirs.fileno()],
            env=_environment() | FORKS_QUICKLY,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return _Ancestor(process, ours, errors)


def _fork(ancestor: _Ancestor, order: str, folder: str, printed: Callable[[bytes], None]) -> Born:
    requests, replies, output, stack = os.pipe(), os.pipe(), os.pipe(), os.pipe()
    ours, theirs = socket.socketpair()
    given = [requests[0], replies[1], output[1], stack[1], theirs.fileno()]
    try:
        socket.send_fds(ancestor.channel, [order.encode()], given)
        for end in given[:-1]:
            os.close(end)
        theirs.close()
        ours.settimeout(_START_S)
        word = ours.recv(64)
    except OSError as error:
        raise _not_started(ancestor) from error
    if not word.startswith(b"pid "):
        raise _not_started(ancestor)
    first, _, rest = word.partition(b"\n")
    worker, guard = map(int, first[4:].split())
    family = Forked(worker, guard, ours, rest)
    inbox = Polled(os.fdopen(replies[0], "rb"), os.fdopen(output[0], "rb"), printed)
    return Born(family, Outbox(FileIO(requests[1], "w")), inbox, folder, Stack(stack[0]))


def _spawn(kind: Kind, order: str, folder: str, printed: Callable[[bytes], None]) -> Born:
    process = subprocess.Popen(
        _command(kind, "spawn", order),
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    requests = cast("BufferedWriter", process.stdin).detach()
    replies, output = (cast("BinaryIO", pipe) for pipe in (process.stdout, process.stderr))
    return Born(Spawned(process), Outbox(cast("FileIO", requests)), Threaded(replies, output, printed), folder)


def _not_started(ancestor: _Ancestor) -> InternalError:
    ancestor.process.kill()
    ancestor.process.wait()
    ancestor.errors.seek(0)
    last = ancestor.errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
    return InternalError("no worker could be started" + (f": {last[0]}" if last else ""))


def replay(kind: Kind, requests: bytes) -> int:
    """Have requests answered in the foreground, with the user's own terminal and no limits; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        path = Path(folder, "requests")
        path.write_bytes(requests)
        terminal = {name: os.environ[name] for name in ("TERM", "COLUMNS", "LINES", "HOME") if name in os.environ}
        return subprocess.run(
            _command(kind, "replay", str(path)), env=_environment() | terminal, check=False
        ).returncode


def remove(folder: str) -> None:
    """Remove a worker's folder and what its code left there."""
    shutil.rmtree(folder, ignore_errors=True)
