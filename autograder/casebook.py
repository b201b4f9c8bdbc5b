"""What is remembered of a hunt for a bug, in ``.autograder/bugs/``.

NAME.jsonl   what was drawn, and what was tried: the seed of a draw, and never the mistake that it gave
NAME.N.py    the files that another draw replaced

Nothing hangs on it but the name at the end: what goes wrong here becomes a sentence in ``troubles``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from autograder import journal
from autograder.memory import FOLDER, text_sha256

if TYPE_CHECKING:
    from pathlib import Path


class Drawn(NamedTuple):
    seed: str
    text: str  # the hash of the file as it was written, of plain newlines


class Tried(NamedTuple):
    text: str
    outcome: str


Entry: TypeAlias = Drawn | Tried


class Casebook:
    """The hunts of one part's bug."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._name = name
        self._folder = root / FOLDER / "bugs"
        self._path = self._folder / f"{name}.jsonl"
        self.troubles: list[str] = []

    def draws(self) -> list[Drawn]:
        """Return what was drawn, oldest first."""
        return [entry for entry in self._entries() if isinstance(entry, Drawn)]

    def hunted(self) -> Drawn | None:
        """Return the last draw, or an earlier one whose file was tried since, as it had been written.

        A file that another draw replaced is kept, and may be brought back. None where nothing was drawn.
        """
        found: Drawn | None = None
        written: dict[str, Drawn] = {}
        for entry in self._entries():
            if isinstance(entry, Drawn):
                found = written[entry.text] = entry
            else:  # of what was edited nothing tells whose it is: two mended files may be the same
                found = written.get(entry.text, found)
        return found

    def attempts(self) -> int:
        """Return how many different texts were tried since the last draw, until one passed.

        The file as it was written is not among them.
        """
        texts: set[str] = set()
        drawn, mended = "", False
        for entry in self._entries():
            if isinstance(entry, Drawn):
                texts, drawn, mended = set(), entry.text, False
            elif entry.text != drawn and not mended:
                texts.add(entry.text)
                mended = entry.outcome == "passed"
        return len(texts)

    def has_passed(self, text: str) -> bool:
        """Return whether a file that says this has passed since the last draw."""
        passed = False
        for entry in self._entries():
            passed = isinstance(entry, Tried) and (passed or (entry.text == text and entry.outcome == "passed"))
        return passed

    def remember_draw(self, seed: str, text: str) -> None:
        self._remember({"kind": "drawn", "seed": seed, "text": text})

    def remember_try(self, data: bytes, outcome: str) -> None:
        self._remember({"kind": "tried", "text": text_sha256(data), "outcome": outcome})

    def keep(self, data: bytes) -> str:
        """Keep a file that is about to be replaced; return where, from the root.

        Errors: OSError: it is not kept, and must not be replaced.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = self._folder / f"{self._name}.{number}.py"
            try:
                with path.open("xb") as file:
                    file.write(data)
            except FileExistsError:
                number += 1
            else:
                return path.relative_to(self._root).as_posix()

    def _remember(self, entry: dict[str, object]) -> None:
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            journal.append(self._path, {"when": when, **entry})
        except OSError as error:
            self._trouble(f"nothing could be remembered of this: {FOLDER}/: {error.strerror or error}")

    def _entries(self) -> list[Entry]:
        """Return all that is remembered; a damaged line is passed over: no work of the learner's is in it."""
        try:
            found, _ = journal.read(self._path, _parse)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._trouble(f"what is remembered cannot be read: {FOLDER}/: {error.strerror or error}")
            return []
        return [entry for entry in found if entry is not None]

    def _trouble(self, sentence: str) -> None:
        if sentence not in self.troubles:
            self.troubles.append(sentence)


def _parse(entry: Any) -> Entry | None:
    """Return what a line says, None for a kind that a later version may have written.

    Errors: ValueError, when the line is damaged.
    """
    if not isinstance(entry, dict):
        raise ValueError(entry)
    names = {"drawn": ("seed", "text"), "tried": ("text", "outcome")}.get(str(entry.get("kind")))
    if names is None:
        return None
    words = [entry.get(name) for name in names]
    if not all(isinstance(word, str) for word in words):
        raise ValueError(entry)
    made = [str(word) for word in words]
    return Drawn(*made) if entry["kind"] == "drawn" else Tried(*made)
