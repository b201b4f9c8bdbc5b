"""Twenty seeds agree: what is right passes and what is wrong fails, the solution on each, the others in turn.

A mistake is tried on two further seeds in its own room, a variant on one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder.errors import CourseError
from autograder.gate.proof import Fault, Proof

if TYPE_CHECKING:
    from autograder.gate.stand import Stand

_TURNS = 6  # a declared program is tried on every sixth seed
SEEDS = tuple(f"{number:04x}" for number in range(1, 21))


def prove(stand: Stand, part: int = 0, parts: int = 1) -> Proof:
    """Prove it of every `parts`-th seed, from `part` on."""
    faults = []
    agreed = 0
    right, wrong = _programs(stand)
    by_name = {mistake.name: mistake for mistake in stand.mistakes}

    def rejected_by(name: str) -> list[str]:
        """Return one check that rejects a mistake: a run that begins with it is a short one."""
        return list(stand.known(by_name[name]).first)[:1]

    mine = SEEDS[part::parts]
    for turn, seed in enumerate(mine, part):
        found = [
            Fault(
                place,
                f"{name} fails with the seed {seed}, at {check}",
                f"pixi run check {stand.step.slug} --seed {seed}",
            )
            for name, place, text in [right[0], *right[1 + turn % _TURNS :: _TURNS]]
            if (check := stand.fails(text, seed)) is not None
        ]
        found += [
            Fault(place, f"{name} passes with the seed {seed}", "Draw more, or measure the tolerance again")
            for name, place, text in wrong[turn % _TURNS :: _TURNS]
            if stand.fails(text, seed, rejected_by(name)) is None
        ]
        faults += found
        agreed += not found
    return Proof("seeds", agreed, len(mine), faults)


def _programs(stand: Stand) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Return the right programs and the wrong ones: name, place and text. What cannot be made is another room's."""
    right = [("the solution", stand.puzzle_file, stand.made.solution)]
    wrong: list[tuple[str, str, str]] = []
    declared = [(other, right) for other in stand.checker.variants]
    declared += [(mistake.other, wrong) for mistake in stand.checker.mistakes]
    for other, kind in declared:
        try:
            kind.append((other.name, stand.at(other.line), stand.text(other)))
        except CourseError:
            continue
    return right, wrong
