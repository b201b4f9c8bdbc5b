"""A fork of a process of ours, which runs what it is for and nothing else of what its parent was doing."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_THP_DISABLE = 41  # as in worker/guard.py; a worker imports wire and values alone
_INTERRUPT = {signal.SIGINT}


def forked(run: Callable[[], object]) -> int:
    """Fork, have `run` called there, and return the child's number; the child ends with it, whatever it raises.

    An interrupt of the child waits until it can do no harm to what the parent was about: it raises KeyboardInterrupt
    within `run`, or does what `run` has said it does.

    Errors: OSError, when there can be no more processes.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
    try:
        child = os.fork()
        if child == 0:
            try:
                signal.signal(signal.SIGINT, signal.default_int_handler)
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                _have_small_pages()
                run()
            finally:
                os._exit(0)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return child


def _have_small_pages() -> None:
    """Have memory in small pages from here on; Linux alone has others.

    What a parent has in large ones is forked quickly. A child wants little besides, and each large page that it is
    given is two megabytes of zeros to write.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)


def has_ended(child: int) -> bool:
    """Return whether a child is no more, and reap it."""
    try:
        return os.waitpid(child, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True
