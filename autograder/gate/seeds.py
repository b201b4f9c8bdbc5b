"""Twenty seeds agree: what is right passes and what is wrong fails, the solution on each, the others in turn.

A mistake is tried on a further seed in its own room, as a variant is. One worker runs a program on all of its
seeds; what it says against the program is asked of a new one, for a program may keep what it computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autograder.gate.proof import Fault, Proof

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograder.gate.stand import Stand

_TURNS = 10  # a declared program is tried on every tenth seed
SEEDS = tuple(f"{number:04x}" for number in range(1, 21))


class _Program(NamedTuple):
    name: str
    place: str
    text: str
    seeds: tuple[str, ...]
    rejected_by: tuple[str, ...] = ()  # one of the checks that reject a mistake: a run that begins with it is short


def prove(stand: Stand) -> Proof:
    """Prove it of the solution, of every variant and of every mistake."""
    found = [each for right in _right(stand) for each in _rejected(stand, right)]
    found += [each for wrong in _wrong(stand) for each in _accepted(stand, wrong)]
    agreed = len(SEEDS) - len({seed for seed, _ in found})
    return Proof("seeds", agreed, len(SEEDS), [fault for _, fault in found])


def _rejected(stand: Stand, right: _Program) -> Iterator[tuple[str, Fault]]:
    """Yield the seeds with which a right program fails."""
    for seed, once in stand.fails_with(right.text, right.seeds).items():
        check = once and stand.fails(right.text, seed)
        if check:
            sentence = f"{right.name} fails with the seed {seed}, at {check}"
            yield seed, Fault(right.place, sentence, f"pixi run check {stand.step.slug} --seed {seed}")


def _accepted(stand: Stand, wrong: _Program) -> Iterator[tuple[str, Fault]]:
    """Yield the seeds with which a wrong program passes."""
    for seed, once in stand.fails_with(wrong.text, wrong.seeds, wrong.rejected_by).items():
        if not once and not stand.fails(wrong.text, seed, wrong.rejected_by):
            sentence = f"{wrong.name} passes with the seed {seed}"
            yield seed, Fault(wrong.place, sentence, "Draw more, or measure the tolerance again")


def _right(stand: Stand) -> Iterator[_Program]:
    """Yield the solution and the variants; what cannot be made is another room's."""
    yield _Program("the solution", stand.puzzle_file, stand.made.solution, SEEDS)
    for index, other in enumerate(stand.checker.variants):
        if stand.can_be_made(other):
            yield _Program(other.name, stand.at(other.line), stand.text(other), _turns(index))


def _wrong(stand: Stand) -> Iterator[_Program]:
    for index, mistake in enumerate(stand.mistakes):
        other, rejected_by = mistake.other, tuple(stand.known(mistake))[:1]
        yield _Program(other.name, stand.at(other.line), stand.text(other), _turns(index), rejected_by)


def _turns(index: int) -> tuple[str, ...]:
    return SEEDS[index % _TURNS :: _TURNS]
