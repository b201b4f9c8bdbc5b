"""How far a learner is, as a screen shows it, in plain words, and as JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from autograder.views.layout import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.course import Course, Step
    from autograder.progress import Standing

_BAR_WIDTH = 30
_TITLE_WIDTH = 28
HANG = _TITLE_WIDTH + 7  # where the words of a step begin


def drawn(course: Course, standings: Sequence[Standing]) -> list[str]:
    """Return the lines for a screen: the parts with their steps in columns, and a bar."""
    lines = []
    for part in course.parts:
        inside = [each for each in standings if each.step.part == part]
        lines += [f"{printable(part)}: {_total(inside)}"]
        for each in inside:
            title = printable(each.step.title).ljust(_TITLE_WIDTH)
            lines.append(f"  {each.step.id} {title}  {each.words(course)}{_hints(each)}")
        lines.append("")
    passed, ready = _count(standings)
    filled = _BAR_WIDTH * passed // max(ready, 1)
    full, empty = _signs()
    return [*lines, f"{full * filled}{empty * (_BAR_WIDTH - filled)}  {_total(standings)}"]


def plain(course: Course, standings: Sequence[Standing]) -> list[str]:
    """Return the same facts in sentences."""
    lines = []
    for part in course.parts:
        inside = [each for each in standings if each.step.part == part]
        lines.append(f"{printable(part)}: {_total(inside)}")
        lines += [
            f"step {each.step.id}, {printable(each.step.title)}: {each.words(course)}{_hints(each)}" for each in inside
        ]
    return [*lines, f"In all: {_total(standings)}"]


def document(
    course: Course, standings: Sequence[Standing], unknown: Sequence[str], following: Step | None, road: str
) -> str:
    """Return one JSON document, in letters that every console has."""
    steps = [
        {
            "number": each.step.number,
            "slug": each.step.slug,
            "title": each.step.title,
            "part": each.step.part,
            "state": each.kind,
            "words": each.words(course),
            "attempts": each.state.attempts,
            "hints": each.state.hints,
            "passed_when": each.state.passed_when,
            "blocked_by": list(each.blocked_by),
        }
        for each in standings
    ]
    passed, ready = _count(standings)
    total = {"passed": passed, "ready": ready, "planned": len(standings) - ready}
    upcoming = f"{road} {following.task}" if following else None
    return json.dumps({"schema": 1, "total": total, "steps": steps, "unknown": list(unknown), "next": upcoming})


def _count(standings: Sequence[Standing]) -> tuple[int, int]:
    ready = [each for each in standings if each.kind != "planned"]
    return sum(each.kind == "passed" for each in ready), len(ready)


def _total(standings: Sequence[Standing]) -> str:
    passed, ready = _count(standings)
    planned = len(standings) - ready
    if not ready:
        return f"{planned} planned"
    return f"{passed} of {ready} passed" + (f", {planned} planned" if planned else "")


def _hints(standing: Standing) -> str:
    hints = standing.state.hints
    if not hints or standing.kind == "planned":
        return ""
    return ", 1 hint" if hints == 1 else f", {hints} hints"


def _signs() -> tuple[str, str]:
    try:
        "█░".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return "#", "-"
    return "█", "░"
