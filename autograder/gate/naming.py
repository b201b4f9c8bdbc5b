"""Each mistake is rejected and told by its own name, in other words too; nothing else is told a wrong name."""

from __future__ import annotations

import random
from itertools import combinations
from typing import TYPE_CHECKING

from autograder.errors import CourseError
from autograder.evidence import matches
from autograder.gate.proof import Fault, Proof
from autograder.gate.stand import SEED
from autograder.played import applies, edited

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from autograder.checking import Mistake
    from autograder.gate.stand import Stand, Tried

PAIRS = 60
_FURTHER_SEEDS = ("5eed", "face", "0dd5")
_MEND_EDIT = "Write the lines as the solution has them"


def prove(stand: Stand) -> Proof:
    """Prove that every mistake fails, and is told by its own name, in the solution's words and in others."""
    faults: list[Fault] = []
    kills = {}
    named = 0
    for mistake in stand.checker.mistakes:
        found = list(_faults_of(stand, mistake))
        faults += found
        named += not found
        if stand.can_be_made(mistake.other):
            kills[mistake.name] = sorted(stand.known(mistake))
    return Proof("mistakes", named, len(stand.checker.mistakes), faults, kills)


def _faults_of(stand: Stand, mistake: Mistake) -> Iterator[Fault]:
    place = stand.at(mistake.other.line)
    try:
        stand.text(mistake.other)
    except CourseError as error:
        yield Fault(place, error.message, _MEND_EDIT)
        return
    shown = stand.known(mistake)
    if not shown:
        mend = f"Write a check in {stand.checker_file} that sees it, or take it away"
        yield Fault(place, f"{mistake.name} is rejected by no check: it passes", mend)
        return
    for name, evidence in shown.items():
        if evidence.outcome == "internal":
            yield Fault(place, f"the check {name} raises on {mistake.name}: {evidence.words[-1]}", "Mend the check")
    others = [each.name for each in stand.alike(mistake)]
    if others:
        sentence = f"no check can tell {mistake.name} from {' and '.join(others)}"
        yield Fault(place, sentence, "Draw inputs that tell them apart, or make them one")
    yield from _in_other_words(stand, mistake)


def _in_other_words(stand: Stand, mistake: Mistake) -> Iterator[Fault]:
    """Play the mistake in other words than the solution's: its own `again`, or a variant's."""
    place = stand.at(mistake.other.line)
    try:
        texts = list(_other_words(stand, mistake))
    except CourseError as error:
        yield Fault(place, error.message, _MEND_EDIT)
        return
    told = False
    for words, text in texts:
        tried = stand.tried(text, mistake)
        wrong = list(wrongly_named(stand, place, f"{mistake.name} in the words of {words}", tried, (mistake.name,)))
        yield from wrong
        told = told or [each.name for each in tried.named] == [mistake.name]
        if told or wrong:
            break
    if not told:
        tried_words = ", ".join(words for words, _ in texts) or "no variant"
        sentence = f"{mistake.name} is told by its name in no other words than the solution's ({tried_words})"
        yield Fault(place, sentence, "Give it again=[(old, new)], the same mistake in other words")


def _other_words(stand: Stand, mistake: Mistake) -> Iterator[tuple[str, str]]:
    if mistake.again is not None:
        yield "its again", stand.text(mistake.again)
        return
    finished = stand.puzzle.finished()
    for variant in stand.checker.variants:
        if not stand.can_be_made(variant):
            continue
        code = variant.whole or edited(finished, variant, stand.checker.path)
        if applies(code, mistake.other):
            text = stand.numbered(edited(code, mistake.other, stand.checker.path))
            if text is not None:
                yield variant.name, text


def prove_pairs(stand: Stand) -> Proof:
    """Prove that a learner who made two mistakes at once is told of one of them, or of none.

    Where there are more than PAIRS, it is proved of that many, drawn from all of them.
    """
    faults: list[Fault] = []
    finished, tried_pairs = stand.puzzle.finished(), 0
    pairs = list(combinations([each for each in stand.mistakes if each.other.edits], 2))
    for one, other in random.Random(SEED).sample(pairs, min(PAIRS, len(pairs))):  # noqa: S311 - a sample, no secret
        code = edited(finished, one.other, stand.checker.path)
        if not applies(code, other.other):
            continue
        text = stand.numbered(edited(code, other.other, stand.checker.path))
        if text is None:
            continue
        tried_pairs += 1
        what = f"{one.name} and {other.name} at once"
        faults += wrongly_named(
            stand, stand.at(other.other.line), what, stand.tried(text, one, other), (one.name, other.name)
        )
    return Proof("pairs", tried_pairs - len(faults), tried_pairs, faults)


def prove_variants(stand: Stand) -> Proof:
    """Prove that every variant passes, alone: in the chain of the finished steps it is the same program."""
    faults: list[Fault] = []
    for variant in stand.checker.variants:
        place = stand.at(variant.line)
        try:
            text = stand.text(variant)
        except CourseError as error:
            faults.append(Fault(place, error.message, _MEND_EDIT))
            continue
        wrong = next((result for result in stand.verdict(text).checks if result.outcome != "passed"), None)
        if wrong is not None:
            why = f" ({wrong.detail[0]})" if wrong.detail else ""
            sentence = f"the variant {variant.name} does not pass: {wrong.message}{why}"
            faults.append(Fault(place, sentence, f"Mend it, or the check {wrong.id} in {stand.checker_file}"))
    count = len(stand.checker.variants)
    return Proof("variants", count - len(faults), count, faults)


def wrongly_named(stand: Stand, place: str, what: str, tried: Tried, allowed: Collection[str]) -> list[Fault]:
    """Return a fault for each name that is told and is not true: on further seeds, the mistake gives something else."""
    faults = []
    for mistake in tried.named:
        shown = (stand.shows(text, _FURTHER_SEEDS) for text in (tried.text, stand.text(mistake.other)))
        if mistake.name not in allowed and not all(map(matches, *shown)):
            sentence = f"{what} is told to be {mistake.name}, and is not"
            faults.append(Fault(place, sentence, "Draw more in the checks, so that the two differ on every seed"))
    return faults
