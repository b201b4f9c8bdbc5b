"""The record of one run: what was asked, what came of it. Terminal, plain text and JSON are views of it."""

from __future__ import annotations

from typing import Literal

import msgspec

Outcome = Literal["passed", "failed", "error", "timeout", "crash", "limit", "bad_input", "blocked", "internal"]
QUOTED = 1000  # characters of a learner's line that a report holds
# A step's outcome is its worst check's, in this order.
_BY_GRAVITY: tuple[Outcome, ...] = (
    "passed",
    "blocked",
    "failed",
    "error",
    "timeout",
    "limit",
    "crash",
    "bad_input",
    "internal",
)
EXIT_CODES: dict[Outcome, int] = dict.fromkeys(_BY_GRAVITY, 1) | {"passed": 0, "internal": 3}


class StepName(msgspec.Struct, frozen=True):
    number: int
    slug: str
    title: str


class Where(msgspec.Struct, frozen=True):
    """A place in a learner's file; line and column from 1."""

    file: str
    line: int
    column: int
    text: str = ""


class Mistake(msgspec.Struct, frozen=True):
    id: str
    says: str


class CheckResult(msgspec.Struct, frozen=True):
    """One check: its line, and below it what was called, expected and got, where, and what else there is to say."""

    id: str
    outcome: Outcome
    message: str
    expected: str | None = None
    got: str | None = None
    where: Where | None = None
    mistake: Mistake | None = None
    detail: list[str] = []
    call: str | None = None
    near: Where | None = None  # where the checked name is defined, for an editor, when no place is known to be wrong
    declared: bool = True


class InTheChain(msgspec.Struct, frozen=True):
    """What the step gave with the learner's own earlier steps, where only that run failed."""

    outcome: Outcome
    checks: list[CheckResult]


class Printed(msgspec.Struct, frozen=True):
    """What the learner's code printed, its middle left out where it was long, and how much it was."""

    text: str
    bytes: int


class Timing(msgspec.Struct, frozen=True):
    ms: int
    worker: Literal["cold", "warm", "ahead"]  # ahead: warm, and made before it was asked for


class Report(msgspec.Struct, frozen=True):
    step: StepName
    outcome: Outcome
    tree: str
    file: str
    seed: str
    checks: list[CheckResult]
    output: Printed
    next: str
    versions: dict[str, str]
    timing: Timing
    notes: list[str] = []
    blocked_by: list[str] = []
    blamed: list[str] = []  # the same in words: "step 03"
    chain: InTheChain | None = None
    schema: int = 1


def worst(outcomes: list[Outcome]) -> Outcome:
    """Return the gravest of the outcomes; `internal` when there is none, since a missing verdict is never a pass."""
    return max(outcomes, key=_BY_GRAVITY.index, default="internal")
