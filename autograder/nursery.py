"""Where workers come from: one ancestor a kind (torch imported, or nothing), which forks a worker each time."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, Self, cast

from autograder.errors import InternalError
from autograder.family import Forked, Spawned

if TYPE_CHECKING:
    from autograder.family import Family

Kind = Literal["plain", "torch"]
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
    """A new worker: its family, and the judge's ends of its three pipes."""

    family: Family
    requests: BinaryIO
    replies: BinaryIO
    output: BinaryIO
    folder: str


class _Ancestor(NamedTuple):
    process: subprocess.Popen[bytes]
    channel: socket.socket
    errors: BinaryIO


class Nursery:
    """Starts ancestors, and asks them for workers. Close it, and every process that came of it ends."""

    def __init__(self, *, fork: bool = CAN_FORK) -> None:
        self._fork = fork
        self._ancestors: dict[Kind, _Ancestor] = {}
        self._given: list[Born] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def prepare(self, kind: Kind) -> None:
        """Start the ancestor of that kind, if it is not there, without waiting for its imports."""
        if self._fork and kind not in self._ancestors:
            self._ancestors[kind] = _start_ancestor(kind)

    def worker(self, kind: Kind, memory_bytes: int) -> Born:
        """Return a worker that nothing of a learner's has run in.

        Errors: InternalError, when the ancestor could not start.
        """
        folder = tempfile.mkdtemp(prefix="autograder-")
        order = json.dumps({"folder": folder, "memory_bytes": memory_bytes})
        self.prepare(kind)
        born = _fork(self._ancestors[kind], order, folder) if self._fork else _spawn(kind, order, folder)
        self._given = [one for one in self._given if not one.requests.closed] + [born]
        return born

    def close(self) -> None:
        """End the workers that were not closed, with all that they started, and the ancestors."""
        for born in self._given:
            if not born.requests.closed:
                born.family.kill()
                remove(born.folder)
        self._given.clear()
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


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | _SET


def _command(kind: Kind, *rest: str) -> list[str]:
    return [sys.executable, "-P", "-s", str(_ANCESTOR), kind, *rest]


def _start_ancestor(kind: Kind) -> _Ancestor:
    ours, theirs = socket.socketpair()
    errors = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - it is closed with the ancestor
    process = subprocess.Popen(
        _command(kind, "fork", str(theirs.fileno())),
        pass_fds=[theirs.fileno()],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
    )
    theirs.close()
    return _Ancestor(process, ours, errors)


def _fork(ancestor: _Ancestor, order: str, folder: str) -> Born:
    requests, replies, output = os.pipe(), os.pipe(), os.pipe()
    ours, theirs = socket.socketpair()
    given = [requests[0], replies[1], output[1], theirs.fileno()]
    try:
        socket.send_fds(ancestor.channel, [order.encode()], given)
        for end in given[:3]:
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
    pipes = os.fdopen(requests[1], "wb"), os.fdopen(replies[0], "rb"), os.fdopen(output[0], "rb")
    return Born(family, *pipes, folder)


def _spawn(kind: Kind, order: str, folder: str) -> Born:
    process = subprocess.Popen(
        _command(kind, "spawn", order),
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    requests, replies, output = (cast("BinaryIO", pipe) for pipe in (process.stdin, process.stdout, process.stderr))
    return Born(Spawned(process), requests, replies, output, folder)


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
