"""Every generic mutant of the solution is rejected, or is declared to be equivalent, with the reason."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from autograder.errors import CourseError
from autograder.gate import mutation
from autograder.gate.naming import wrongly_named
from autograder.gate.proof import Fault, Proof
from autograder.played import edited

if TYPE_CHECKING:
    from autograder.gate.stand import Stand


def prove(stand: Stand, part: int = 0, parts: int = 1) -> Proof:
    """Prove it of every `parts`-th mutant, from `part` on."""
    faults: list[Fault] = []
    equivalents, unmade = _equivalents(stand)
    origins = stand.puzzle.fenced()
    kills: dict[str, list[str]] = {}
    notes, killed, met = [], 0, set()
    made = list(mutation.mutants(stand.puzzle.finished(), origins))
    for index, mutant in enumerate(made):
        known = equivalents.get(mutant.text)
        if known is not None:
            met.add(known[0])
        if index % parts != part:
            continue
        place = f"{stand.puzzle_file}:{origins[mutant.line]}"
        text = stand.numbered(mutant.text)
        assert text is not None  # every mutant compiles
        tried = stand.tried(text)
        if tried.raised:
            sentence = f"a check raises on a mutant ({mutant.change}): {tried.raised}"
            faults.append(Fault(place, sentence, f"Mend the check in {stand.checker_file}"))
        elif tried.failed:
            killed += 1
            kills[f"{place}: {mutant.change}"] = tried.failed
            if known is not None:
                mend = f"Take the equivalent({known[1]!r}, …) away"
                faults.append(Fault(stand.at(known[0]), "what is declared equivalent is rejected by a check", mend))
            faults += wrongly_named(stand, place, f"a mutant ({mutant.change})", tried, ())
        elif known is not None:
            killed += 1
            notes.append(f"equivalent: {mutant.change}: {known[2]}")
        elif mutant.reaches:
            sentence = f"no check reaches this line: {mutant.change.partition(' → ')[0]}"
            faults.append(Fault(place, sentence, f"Write a check in {stand.checker_file} that does"))
        else:
            mend = f"Write a check in {stand.checker_file} that rejects it, or equivalent(old, new, because) there"
            faults.append(Fault(place, f"a mutant passes every check: {mutant.change}", mend))
    if not part:
        faults += unmade
        faults += [
            Fault(stand.at(line), f"equivalent({old!r}, …) is no mutant of the solution", "Take it away")
            for line, old, _ in equivalents.values()
            if line not in met
        ]
    return Proof("mutants", killed, len(range(part, len(made), parts)), faults, kills, notes)


def _equivalents(stand: Stand) -> tuple[dict[str, tuple[int, str, str]], list[Fault]]:
    """Return the declared ones by their text: their line, what they change, and why; and those that cannot be made."""
    found: dict[str, tuple[int, str, str]] = {}
    faults = []
    for declared in stand.checker.equivalents:
        try:
            code = edited(stand.puzzle.finished(), declared.other, stand.checker.path)
            text = ast.unparse(ast.parse(code))
        except CourseError as error:
            faults.append(
                Fault(stand.at(declared.other.line), error.message, "Write the lines as the solution has them")
            )
            continue
        found[text] = (declared.other.line, declared.other.edits[0][0], declared.because)
    return found, faults
