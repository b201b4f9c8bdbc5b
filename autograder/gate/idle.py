"""A check that rejects nothing proves nothing: each has to reject a declared mistake or a mutant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder import checking
from autograder.gate.proof import Fault, Proof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.course import Course, Step


def prove(course: Course, step: Step, proofs: Sequence[Proof]) -> Proof:
    """Prove of a step whose mistakes and mutants were tried that each check rejected one of them."""
    checker = checking.of_step(course, step)
    place = checker.path.relative_to(course.root).as_posix()
    busy = {name for proof in proofs for names in proof.kills.values() for name in names}
    faults = [
        Fault(
            place if check.run is None else f"{place}:{check.run.__code__.co_firstlineno}",
            f"the check {check.id} rejects no mistake and no mutant",
            "Declare the mistake that it is for, or take it away",
        )
        for check in checker.checks
        if check.id not in busy
    ]
    return Proof("rejections", len(checker.checks) - len(faults), len(checker.checks), faults)
