"""`check --debug`: the first failing call once more, with the same inputs, in the user's own terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder import nursery, wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.student import Program


def replay(program: Program, verbs: Sequence[wire.Verb]) -> int:
    """Load the program and make the calls; `breakpoint()` in the learner's file stops there. Return the exit code."""
    load = wire.Load(list(program.modules), wire.Ban(), seed=0)
    frames = [wire.encode(wire.Request(number, verb)) for number, verb in enumerate([load, *verbs])]
    return nursery.replay(program.kind, b"".join(frames))
