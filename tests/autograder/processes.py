"""Whether processes are there, for tests of what ends them."""

from __future__ import annotations

import time

import psutil


def gone(pids, patience_s=20.0):
    """Return whether none of the processes is left, or will be in a moment."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if not any(map(alive, pids)):
            return True
        time.sleep(0.02)
    return False


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
