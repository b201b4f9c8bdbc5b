"""What a proof comes to: how many of how many, and for each that does not hold where, what, and what mends it."""

from __future__ import annotations

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """What does not hold: the file and line, the sentence, and the edit or the command that mends it."""

    place: str
    sentence: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}. {self.mend}"


class Proof(msgspec.Struct, frozen=True):
    """What one room proved of one step.

    `kills` has for each program that a check rejected its name and the ids of the checks that rejected it.
    """

    room: str
    done: int
    of: int
    faults: list[Fault] = []
    kills: dict[str, list[str]] = {}
    notes: list[str] = []
    seconds: dict[str, float] = {}
