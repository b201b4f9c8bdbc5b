"""Which checks reject each known mistake, as recorded: so that only those that may be a learner's are played."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from autograder.course import Course, Step

Sets = list[list[str]]  # the checks that rejected it, sorted: one list a seed, each different one once


def path(course: Course, step: Step) -> Path:
    return course.root / "puzzles" / "recorded" / f"{step.slug}.mistakes.json"


def read(course: Course, step: Step) -> dict[str, Sets]:
    """Return what was recorded, by the mistakes' names; nothing where there is none: then every mistake is played."""
    try:
        found = json.loads(course.read(path(course, step)))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def to_json(rejected: Mapping[str, Sets]) -> str:
    lines = (f" {json.dumps(name)}: {json.dumps(sets)}" for name, sets in rejected.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def may_be(recorded: Mapping[str, Sets], name: str, failed: Sequence[str]) -> bool:
    """Return whether a program that these checks rejected may be that mistake."""
    return name not in recorded or sorted(failed) in recorded[name]
