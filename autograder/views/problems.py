"""What is wrong, each with a place in a file: what an editor lists, and what GitHub puts beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autograder.views.layout import printable

if TYPE_CHECKING:
    from autograder.report import CheckResult, Report


class Problem(NamedTuple):
    """A check that did not pass: its sentence and what else there is to say, each one printable line."""

    file: str
    line: int
    column: int
    sentence: str
    details: tuple[str, ...]


def problems(report: Report) -> list[Problem]:
    """Return a problem for each check that did not pass; what has no place stands on its file's first line."""
    found = [_problem(report, check) for check in report.checks if check.outcome != "passed"]
    return found + _in_the_chain(report)


def in_the_chain(report: Report) -> str:
    """Return who is with a step that is right by itself: "right by itself, but with your step 03"."""
    who = " and ".join(report.blamed or report.blocked_by) or "earlier steps"
    return f"right by itself, but with your {who}"


def details(check: CheckResult) -> tuple[str, ...]:
    """Return what is to be said under a check's sentence, each a printable line."""
    call = [f"call {check.call}"] if check.call else []
    values = [f"expected {check.expected}, got {check.got or ''}"] if check.expected is not None else []
    return tuple(filter(None, map(one_line, [*call, *values, *check.detail])))


def one_line(text: str) -> str:
    """Return the text without its line ends, and with nothing that a terminal, an editor or a runner obeys."""
    return printable(" ".join(text.split()))


def _problem(report: Report, check: CheckResult, before: str = "") -> Problem:
    where = check.where or check.near
    file, line, column = (where.file, where.line, where.column) if where is not None else (report.file, 1, 1)
    return Problem(one_line(file), max(line, 1), max(column, 1), before + one_line(check.message), details(check))


def _in_the_chain(report: Report) -> list[Problem]:
    if report.chain is None:
        return []
    before = in_the_chain(report)
    failures = [check for check in report.chain.checks if check.outcome != "passed"]
    if not failures:
        return [Problem(one_line(report.file), 1, 1, f"{before} not yet: that is still the untouched stub", ())]
    return [_problem(report, check, f"{before}: ") for check in failures]
