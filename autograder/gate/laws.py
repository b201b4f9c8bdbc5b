"""The laws that a checker names hold of every right program, and what they are tried on can break one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder import counterexample
from autograder.gate.proof import Fault, Proof
from autograder.gate.stand import SEED
from autograder.law import Sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.gate.stand import Stand

_SIZES = (Sizes(batch=2, seq=3, at=1), Sizes(batch=3, seq=6, at=4))  # what one of many programs is tried on


def prove(stand: Stand) -> Proof:
    """Prove it of the solution and of every variant, and with mistakes of each subject that laws are tried on."""
    laws = stand.checker.laws
    if not laws:
        return Proof("laws", 0, 0, [])
    faults = []
    right: list[tuple[str, str, str, Sequence[Sizes]]]
    right = [("the solution", stand.puzzle_file, stand.made.solution, ())]
    right += [
        (other.name, stand.at(other.line), stand.text(other), _SIZES)
        for other in stand.checker.variants
        if stand.can_be_made(other)
    ]
    for name, place, text, sizes in right:
        found = counterexample.search(stand.bench(text), SEED, sizes=sizes)
        if found.notes:
            return Proof("laws", 0, len(laws), [Fault(stand.checker_file, found.notes[0], "Mend the law's Subject")])
        for broken, sentence in found.broken.items():
            mend = f"Say in {stand.checker_file} what law.{broken} is tried on, or take it away"
            faults.append(Fault(place, f"{name} is right, and breaks the law {broken}: {sentence}", mend))
    idle = {law.make.__name__: law.make.__code__.co_firstlineno for law in laws}
    for mistake in stand.mistakes:
        if not idle:
            break
        asked = [law for law in laws if law.make.__name__ in idle]
        met = counterexample.search(stand.bench(stand.text(mistake.other)), SEED, asked, _SIZES).broken
        for law in asked:
            if law.name in met:
                idle.pop(law.make.__name__, None)
    faults += [
        Fault(stand.at(line), f"no mistake breaks a law of {name}", "Declare one that does, or take the laws away")
        for name, line in idle.items()
    ]
    return Proof("laws", max(0, len(laws) - len(faults)), len(laws), faults)
