"""The versions of a learner's file: each that was checked, or kept when something replaced it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from autograder.memory import Check, Hint, Kept, text_sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.memory import Event


class Version(NamedTuple):
    number: int  # from 1, the oldest: a version's number never changes
    when: str
    sha256: str
    words: str  # what became of it
    is_present: bool  # the file says the same now


def versions(events: Sequence[Event], present: bytes | None) -> list[Version]:
    """Return the versions, newest first; a file that was checked twice in a row, unchanged, is one."""
    now = None if present is None else text_sha256(present)
    found: list[Version] = []
    for event in events:
        if isinstance(event, Hint):
            continue
        number = len(found) + 1
        if found and found[-1].sha256 == event.sha256:
            number = found.pop().number
        found.append(Version(number, event.when, event.sha256, _words(event), event.text == now))
    return found[::-1]


def _words(event: Check | Kept) -> str:
    if isinstance(event, Kept):
        return f"kept by {event.verb}"
    if not event.failed or event.outcome == "passed":
        return event.outcome
    return f"{event.outcome}, {len(event.failed)} check{'s' if len(event.failed) > 1 else ''}"


def local_time(when: str) -> str:
    """Return a moment as the learner's clock shows it."""
    try:
        return datetime.fromisoformat(when).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return when


def difference(old: bytes, new: bytes, names: tuple[str, str]) -> list[str]:
    """Return the lines that turn a version into the present file, as `diff -u` writes them; none for the same text."""
    from difflib import unified_diff  # the list does without

    before, after = (data.decode("utf-8-sig", "replace").splitlines() for data in (old, new))
    return list(unified_diff(before, after, *names, lineterm=""))
