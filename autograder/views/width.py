"""How wide a text is on a screen, and how it is made to fit: prose is wrapped between words, code is cut."""

from __future__ import annotations

import itertools
import re
import unicodedata

_WORD = re.compile(r"\s*\S+")
_SMALL_HANG = 3


def cells(text: str) -> int:
    """Return how many columns a printable text takes: a sign or a letter of the East takes two."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def wrap(text: str, width: int, hang: int = 0) -> list[str]:
    """Wrap between words; a word that is longer than the line (a path, a command) stays whole, to be copied.

    Args:
        hang: how far the second line and those after it are indented, where there is room for that.
    """
    if cells(text) <= width:
        return [text]
    indent = " " * (hang if hang <= width // 2 else _SMALL_HANG)
    first, *words = _WORD.findall(text) or [""]
    made = [first]
    for word in words:
        if cells(made[-1]) + cells(word) <= width:
            made[-1] += word
        else:
            made.append(indent + word.lstrip())
    return made


def window(text: str, width: int, at: int | None = None) -> tuple[str, int | None]:
    """Return a line of code cut to a width, with … where it was cut, and the column of what stood at `at`.

    Args:
        at: the index of what has to be in sight, the end among them; its column is counted in cells.
    """
    at = at if at is not None and at <= len(text) else None
    start = 0
    if cells(text) > width and at is not None and cells(text[: at + 1]) > width - 2:
        start = at + 1 - _fitting(text[at::-1], max(width * 2 // 3, 1))
    before = "…" if start else ""
    shown = before + text[start:]
    if cells(shown) > width:
        shown = shown[: _fitting(shown, width - 1)] + "…"
    return shown, None if at is None else cells(before + text[start:at])


def _fitting(text: str, width: int) -> int:
    """Return how many characters of a text fit into a width."""
    ends = itertools.accumulate(map(_cells, text))
    return next((count for count, end in enumerate(ends) if end > width), len(text))


def _cells(character: str) -> int:
    if unicodedata.combining(character) or character in "\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
