"""What stands on the screen while a learner's code does not come back: one line, which goes before the report comes."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, TextIO

from autograder.console import columns, is_terminal
from autograder.views.width import cells, window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograder.nursery import Nursery

PATIENCE_S = 2.0


@contextlib.contextmanager
def told(nursery: Nursery, stream: TextIO | None = None) -> Iterator[None]:
    """Tell on a terminal, standard error where none is named, when a worker of the nursery takes long."""
    stream = stream or sys.stderr
    ours, shown = os.getpid(), 0

    def tell(waited_s: float, limit_s: float) -> None:
        nonlocal shown
        if shown or waited_s < PATIENCE_S or os.getpid() != ours:  # a process that was forked from us has its own words
            return
        says, _ = window(f"still running: the limit is {limit_s:g} seconds of computing", max(columns(stream) - 1, 8))
        with contextlib.suppress(OSError, UnicodeEncodeError):
            stream.write(says)
            stream.flush()
            shown = cells(says)

    if not is_terminal(stream):
        yield
        return
    nursery.on_wait = tell
    try:
        yield
    finally:
        nursery.on_wait = None
        if shown:
            with contextlib.suppress(OSError):
                stream.write(f"\r{' ' * shown}\r")
                stream.flush()
