"""How a file fails the checks of several steps: the symptom at its end, or all of it; and what was changed in it."""

from __future__ import annotations

import textwrap
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from autograder.views.layout import Line, Told, below, printed, title

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autograder.report import CheckResult, Printed


class Failing(NamedTuple):
    """A step whose checks do not all pass."""

    label: str
    checks: Sequence[CheckResult]
    output: Printed


def failures(steps: Sequence[Failing], others: int, untried: int, more: str, *, in_full: bool) -> list[Line]:
    """Return what is shown of the steps that fail.

    Args:
        steps: those that are shown, the last one with what the code printed.
        others: how many more fail, before these.
        untried: how many were not asked, since the code did not come back.
        more: the command that shows all.
        in_full: say what every check got; else what the first one did that has more to say than its line.
    """
    made: list[Line] = []
    for step in steps:
        told = Told()
        detailed = False
        made.append(Line("result", step.label))
        for result in step.checks:
            if result.outcome != "passed":
                made.append(title(result))
                told_of = [] if detailed and not in_full else below(result, told)
                detailed = detailed or bool(told_of)
                made += told_of
        made.append(Line("blank", ""))
    made += [*printed(steps[-1].output)[1:], Line("blank", "")] if steps[-1].output.bytes else []
    if others:
        whose = "checks of 1 earlier step fail" if others == 1 else f"checks of {others} earlier steps fail"
        first = "" if others == 1 else ", and the first of them is nearest to its cause"
        made.append(Line("note", f"The {whose} too: {more} shows them{first}."))
    if untried:
        made.append(Line("note", f"{_steps(untried)} not tried: the code did not come back from this one."))
    return made


def passing(count: int) -> str:
    return f"All checks of {'1 other step' if count == 1 else f'the {count} other steps'} pass."


def changes(before: str, after: str) -> Iterator[Line]:
    """Yield the lines that differ between two texts, each place with its line's number in the first."""
    old, new = before.splitlines(), after.splitlines()
    for kind, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        both = textwrap.dedent("\n".join([*old[start:end], *new[first:last]])).split("\n")
        yield Line("detail", f"   line {start + 1}")
        for index, line in enumerate(both):
            yield Line("code", f"     {'wrong' if index < end - start else 'right'}  {line}".rstrip())


def _steps(count: int) -> str:
    return "1 step was" if count == 1 else f"{count} steps were"
