"""A check that is made before it is asked for, and its report, which holds while nothing that it reads has changed."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from autograder import client, judge, snapshot
from autograder import course as courses
from autograder.errors import AutograderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from autograder.client import Warmth
    from autograder.judge import Judged, Order
    from autograder.snapshot import Contents

# Not a limit that was reached: the machine's other work may have been behind that.
_LASTING = {"passed", "failed", "error", "blocked", "bad_input"}


class Ahead(NamedTuple):
    """What was judged, what it was made of, and what came of it."""

    order: Order
    root: Path
    contents: Contents
    environment: Mapping[str, str]
    found: Judged

    @property
    def lasts(self) -> bool:
        """Whether the same check would end in the same way whenever it is made."""
        chain = self.found.report.chain
        return {self.found.report.outcome, chain.outcome if chain else "passed"} <= _LASTING

    def answer(self, order: Order) -> Judged | None:
        """Return what was found, where an order made now would find the same but for its inputs; else None."""
        if order._replace(started=0.0) != self.order or dict(os.environ) != self.environment:
            return None
        now = snapshot.contents(self.root, self.contents)
        return self.found if now.files == self.contents.files else None


def made(argv: list[str], warmth: Warmth, before: Ahead | None = None) -> Ahead | None:
    """Make the check that these arguments ask for; None where it gives no verdict, or is of another file.

    `before` is the one that was made last, whose files need not be read again.
    """
    with contextlib.suppress(AutograderError, SystemExit):
        root = courses.find_root(client.here())
        known = before.contents if before is not None and before.root == root else None
        contents = snapshot.contents(root, known)  # before anything is read
        asked = client.asked(argv)
        if asked.step is None:
            return None
        order = client.order(asked.step, asked.options, 0.0)
        if order.file is not None or order.seed is not None:
            return None
        found = judge.judged(asked.course, warmth.order(order), warmth.nursery, warmth.limits)
        if found.report.outcome != "internal":
            return Ahead(order, root, contents, dict(os.environ), found)
    return None
