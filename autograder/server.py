"""Starts the warm server of one checkout: a process that has imported the libraries of the oracle, and forks judges."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import address, fingerprint
from autograder.errors import AutograderError

if TYPE_CHECKING:
    from autograder.address import Request
    from autograder.nursery import Nursery


def _asked_before() -> Request | None:
    """Return the check whose process has started us, which writes it to our standard input; None when it is none."""
    if sys.stdin is None or sys.stdin.isatty():
        return None
    try:
        return address.read(sys.stdin.buffer.read())
    except (OSError, ValueError):
        return None


def _prepare(nursery: Nursery, root: str) -> None:
    """Start the ancestors that the course's steps need: their imports go on beside our own."""
    from autograder import course as courses
    from autograder.kinds import kinds_of

    with contextlib.suppress(AutograderError):  # of a course that is broken now; each check says so itself
        course = courses.load(Path(root))
        for kind in kinds_of(course, [step for step in course.steps if not course.is_planned(step)]):
            nursery.prepare(kind)


def start(root: str) -> int:
    """Serve a checkout until the end; at once, when another server does."""
    last = _asked_before()
    path = address.socket_path(root)
    if path is None:
        return 1
    folder = Path(path).parent
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not address.is_ours(path):
        return 1
    with Path(address.lock_path(path)).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0
        made_of = fingerprint.made_of()
        from autograder.nursery import Nursery

        with Nursery() as nursery:
            _prepare(nursery, root)
            from autograder import served
            from autograder.client import Warmth
            from autograder.loop import Loop

            warmth = Warmth(nursery, served.prepare(root, nursery))
            gc.collect()
            gc.freeze()
            ready = Path(path).with_suffix(".new")
            ready.unlink(missing_ok=True)  # of a server that was killed
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(ready))
                ready.chmod(0o600)
                listener.listen(64)
                ready.rename(path)  # who finds it is heard
                Loop(root, Path(path), listener, warmth, made_of, last).serve()
    return 0


if __name__ == "__main__":
    sys.exit(start(sys.argv[1]))
