"""A step's two ends: the solution passes, and the untouched stub fails every check with a sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autograder import checking
from autograder.gate.proof import Fault, Proof

if TYPE_CHECKING:
    from autograder.gate.stand import Stand
    from autograder.report import CheckResult, Report

_BLANK = re.compile(r"\{\w+\}")


def prove(stand: Stand) -> Proof:
    """Prove that the solution passes, alone and in the chain, and that the stub fails each check with a sentence."""
    solution, stub = stand.judge(stand.made.solution), stand.judge(stand.made.stub)
    faults = [*_of_solution(stand, solution), *_of_stub(stand, stub)]
    faults += _of_words(stand)
    right = sum(result.outcome == "passed" for result in solution.checks)
    return Proof("checks", right, len(solution.checks), faults, seconds=stand.seconds(stand.made.solution))


def _of_solution(stand: Stand, report: Report) -> list[Fault]:
    place = stand.puzzle_file
    mend = f"Mend it, or the check in {stand.checker_file}"
    return [
        Fault(place, f"the solution does not pass: {result.message}{_because(result)}", mend)
        for result in report.checks
        if result.outcome != "passed"
    ]


def _of_stub(stand: Stand, report: Report) -> list[Fault]:
    place = stand.puzzle_file
    faults = []
    for result in report.checks:
        if result.outcome == "passed":
            mend = f"Make the check in {stand.checker_file} ask for what the stub lacks"
            faults.append(Fault(place, f"the untouched stub passes a check: {result.message}", mend))
        elif result.outcome != "failed":
            mend = "Give its STUB lines a NotImplementedError, or a None, that a check can name"
            sentence = f"the untouched stub ends in {result.outcome}: {result.message}{_because(result)}"
            faults.append(Fault(place, sentence, mend))
    return faults


def _of_words(stand: Stand) -> list[Fault]:
    place = stand.checker_file
    faults = []
    for check in stand.checker.checks:
        failed = checking.fill(check.failed, got="nothing")
        for line in (check.passed, failed) if check.declared else (failed,):
            if not line.strip():
                faults.append(Fault(place, f"{check.id} has an empty line", "Give it passed and failed in words"))
            elif blank := _BLANK.search(line):
                sentence = f'nothing fills in {blank[0]} in "{line}"'
                faults.append(Fault(place, sentence, "{got} can stand in failed, {item} in the words of check.each"))
    return faults


def _because(result: CheckResult) -> str:
    return f" ({result.detail[0]})" if result.detail else ""
