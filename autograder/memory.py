"""What the engine remembers of a learner, in ``.autograder/`` at the course's root.

steps/SLUG.jsonl    what happened with a step, a line each: checks, hints, resets
versions/SHA256.py  the learner's file as it was then

Both are keyed by slug or content, so a renumbering loses nothing. A verdict never hangs on any of it: what goes wrong
here becomes a sentence in ``troubles``, which the caller prints to standard error.
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar, cast, get_args

from autograder import journal
from autograder.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FOLDER = ".autograder"
VERSIONS_PER_STEP = 200
BYTES_PER_STEP = 8 * 1024 * 1024
BYTES_PER_VERSION = 256 * 1024  # a checked file that is larger has its line and no version
_NO_TRY = ("internal", "bad_input")  # the course's fault, or a file that could not be judged: nothing was tried
T = TypeVar("T")


class Check(NamedTuple):
    when: str  # ISO 8601, UTC
    sha256: str  # of the file's bytes: names the version
    text: str  # of the bytes with plain newlines: tells whether the file says the same
    outcome: str
    failed: tuple[str, ...]
    seed: str
    blocked_by: tuple[str, ...]  # slugs
    unfinished: bool = False  # a part of the stub was still to be done, and says so when it is called

    @property
    def is_try(self) -> bool:
        return self.outcome not in _NO_TRY


KeepVerb: TypeAlias = Literal["reset", "undo", "renumber"]


class Kept(NamedTuple):
    """A file that a reset or an undo replaced, or a renumbering moved."""

    when: str
    sha256: str
    text: str
    verb: KeepVerb


class Hint(NamedTuple):
    number: int


Event: TypeAlias = Check | Kept | Hint


class State(NamedTuple):
    """How a learner stands with a step."""

    attempts: int  # checks that came to a verdict about the learner's code
    last: Check | None  # the last of these
    passed_sha: str | None  # the text (see ``text_sha256``) that passed last
    passed_when: str | None
    hints: int  # taken so far
    verdicts: dict[str, Check]  # by text, the last one

    @property
    def has_passed(self) -> bool:
        return self.passed_sha is not None

    def verdict(self, text: str | None) -> Check | None:
        """Return the last check of the file as it is now, whose ``text_sha256`` this is."""
        return self.verdicts.get(text) if text else None


class Memory:
    """What is remembered under one root. No folder has to be there; it is made when something is remembered."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.archive = Archive(root / FOLDER / "versions")
        self.troubles: list[str] = []

    # Remembering

    def remember_check(
        self,
        slug: str,
        data: bytes,
        outcome: str,
        failed: Iterable[str],
        seed: str,
        blocked_by: Iterable[str] = (),
        *,
        unfinished: bool = False,
    ) -> None:
        """Remember a check of the file that had the bytes ``data``. Never raises for the disk's sake: see troubles."""
        entry: dict[str, object] = {"kind": "check", "when": _now(), **_hashes(data), "outcome": outcome}
        entry |= {"failed": list(failed), "seed": seed, "blocked_by": list(blocked_by)}
        entry |= {"unfinished": True} if unfinished else {}
        lost: OSError | None = None
        try:
            if len(data) <= BYTES_PER_VERSION:
                self.archive.put(data)
        except OSError as error:
            lost = error
        if self._remember(slug, entry):
            if lost is not None:
                self._trouble("this version of the file could not be kept", lost)
            self._prune(slug)

    def take_hint(self, slug: str, total: int) -> int:
        """Return the number of the next hint of ``total``, and remember that it was taken; after the last, the last."""
        taken = self.state(slug).hints
        if taken < total:
            self._remember(slug, {"kind": "hint", "when": _now(), "number": taken + 1})
        return min(taken + 1, total)

    def keep(self, slug: str, data: bytes, verb: KeepVerb) -> str:
        """Keep a file that is about to be replaced, for `undo`, and return its version's hash.

        Errors: OSError: it is not kept, and must not be replaced.
        """
        sha256 = self.archive.put(data, durable=True)
        journal.append(self.journal(slug), {"kind": verb, "when": _now(), **_hashes(data)})
        self._prune(slug)
        return sha256

    # What is remembered

    def state(self, slug: str) -> State:
        return _state(self.events(slug))

    def checks(self, slug: str) -> list[Check]:
        return [event for event in self.events(slug) if isinstance(event, Check)]

    def last_kept(self, slug: str) -> Kept | None:
        """Return the file that `undo` brings back."""
        kept = [event for event in self.events(slug) if isinstance(event, Kept) and event.verb != "renumber"]
        return kept[-1] if kept else None

    def version(self, sha256: str) -> bytes | None:
        """Return the bytes of a version, None where it is not kept (any more)."""
        return self.archive.get(sha256)

    def same_failure_count(self, slug: str) -> int:
        """Return how often in a row, up to now, a changed file has failed in the same way; an unchanged one is one.

        A file that is not finished yet is on its way: it counts for nothing, and whatever comes after it is the first.
        """
        tries = [check for check in self.checks(slug) if check.is_try]
        if not tries or tries[-1].outcome in ("passed", "blocked"):
            return 0
        count, text = 0, ""
        for check in reversed(tries):
            if check.unfinished or (check.outcome, check.failed) != (tries[-1].outcome, tries[-1].failed):
                break
            count += check.text != text
            text = check.text
        return count

    def slugs(self) -> list[str]:
        """Return the slugs that something is remembered of."""
        try:
            return sorted(path.stem for path in (self.root / FOLDER / "steps").glob("*.jsonl"))
        except OSError:
            return []

    def journal(self, slug: str) -> Path:
        return self.root / FOLDER / "steps" / f"{slug}.jsonl"

    def events(self, slug: str) -> list[Event]:
        """Return all that is remembered of a step, oldest first. A damaged file is set aside, its good lines kept."""
        path = self.journal(slug)
        try:
            found, damaged = journal.read(path, _parse)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._trouble("what is remembered cannot be read", error)
            return []
        events = [event for event in found if event is not None]
        if damaged:
            self._set_aside(path, damaged)
        return events

    # What goes wrong

    def _set_aside(self, path: Path, damaged: int) -> None:
        lines = "1 line is" if damaged == 1 else f"{damaged} lines are"
        try:
            where = self._shown(journal.set_aside(path, _parse))
        except OSError as error:
            where = f"it could not be set aside ({error.strerror})"
        else:
            where = f"it is set aside as {where}"
        self._trouble(f"{self._shown(path)} was damaged: {lines} unreadable, every other line counts, and {where}")

    def _remember(self, slug: str, entry: dict[str, object]) -> bool:
        try:
            journal.append(self.journal(slug), entry)
        except OSError as error:
            self._trouble("nothing could be remembered of this", error)
            return False
        return True

    def _trouble(self, sentence: str, error: OSError | None = None) -> None:
        """Keep a sentence, unless its reason has been told: a folder that is no folder cannot be read nor written."""
        reason = f": {FOLDER}/: {error.strerror or error}" if error else ""
        if not any(told.endswith(reason or sentence) for told in self.troubles):
            self.troubles.append(sentence + reason)

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    # Forgetting

    def _prune(self, slug: str) -> None:
        """Drop the oldest versions of a step beyond the caps; none that `undo`, or another step, may still ask for."""
        events = self.events(slug)
        needed = self._needed(events)
        old = {sha for sha in _versions(events) if sha not in needed and self.archive.is_old(sha)}
        if old:
            for other in self.slugs():
                old -= self._needed(self.events(other))
        for sha in old:
            self.archive.drop(sha)

    def _needed(self, events: Sequence[Event]) -> set[str]:
        kept = [event.sha256 for event in events if isinstance(event, Kept)]
        needed, size_bytes = set(kept[-1:]), 0
        for sha256 in _versions(events)[:VERSIONS_PER_STEP]:
            size_bytes += self.archive.size_bytes(sha256)
            if size_bytes > BYTES_PER_STEP:
                break
            needed.add(sha256)
        return needed


def text_sha256(data: bytes) -> str:
    """Return the hash of what a file says, whichever newlines it is saved with."""
    plain = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return hashlib.sha256(plain).hexdigest()


def _hashes(data: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "text": text_sha256(data)}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _versions(events: Sequence[Event]) -> list[str]:
    """Return the versions that the events name, the newest first, each once."""
    return list(dict.fromkeys(event.sha256 for event in reversed(events) if not isinstance(event, Hint)))


def _state(events: Sequence[Event]) -> State:
    tries = [event for event in events if isinstance(event, Check) and event.is_try]
    passed = next((check for check in reversed(tries) if check.outcome == "passed"), None)
    return State(
        attempts=len(tries),
        last=tries[-1] if tries else None,
        passed_sha=passed.text if passed else None,
        passed_when=passed.when if passed else None,
        hints=max((event.number for event in events if isinstance(event, Hint)), default=0),
        verdicts={check.text: check for check in tries},
    )


def _parse(entry: Any) -> Event | None:
    """Return the event of a line, None for a kind that a later version of the course may have written.

    Errors: ValueError, when the line is damaged.
    """
    kind = _of(str, entry, "kind") if isinstance(entry, dict) else ""
    if not kind:
        raise ValueError(entry)
    if kind == "hint":
        return Hint(_of(int, entry, "number"))
    if kind not in ("check", *get_args(KeepVerb)):
        return None
    when, sha256, text = (_of(str, entry, key) for key in ("when", "sha256", "text"))
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):  # it becomes a file's name
        raise ValueError(sha256)
    if kind == "check":
        failed, blocked_by = (tuple(map(str, _of(list, entry, key))) for key in ("failed", "blocked_by"))
        outcome, seed = _of(str, entry, "outcome"), _of(str, entry, "seed")
        return Check(when, sha256, text, outcome, failed, seed, blocked_by, entry.get("unfinished") is True)
    return Kept(when, sha256, text, cast("KeepVerb", kind))


def _of(kind: type[T], entry: dict[str, Any], key: str) -> T:
    value = entry.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(key)
    return value
