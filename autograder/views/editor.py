"""A report for an editor: a line a problem, as compilers write them, so that each lands on the learner's own line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder.views.problems import problems

if TYPE_CHECKING:
    from autograder.report import Report
    from autograder.views.problems import Problem

_LONGEST = 400  # a terminal on Windows breaks a longer line in two, and a list of problems shows no more


def lines(report: Report) -> list[str]:
    """Return `path:line:column: error: message` for each check that did not pass, in their order."""
    return [f"{each.file}:{each.line}:{each.column}: error: {_message(each)}" for each in problems(report)]


def _message(problem: Problem) -> str:
    text = ": ".join(filter(None, [problem.sentence, "; ".join(problem.details)]))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
