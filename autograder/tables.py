"""The lists of steps that other files hold between two marker lines: tasks, scripts, and the README's table."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from autograder.course import Course, Step
from autograder.errors import CourseError


class Markers(NamedTuple):
    begin: str
    end: str


IN_TOML = Markers("# BEGIN GENERATED: steps", "# END GENERATED: steps")
IN_MARKDOWN = Markers("<!-- BEGIN GENERATED: steps -->", "<!-- END GENERATED: steps -->")


def replace_between(text: str, markers: Markers, body: list[str], filename: str) -> str:
    """Return ``text`` with ``body`` in place of the lines between the two markers."""
    lines = text.splitlines()
    begin, end = (_only_line(lines, marker, filename) for marker in markers)
    if end < begin:
        raise CourseError(f'"{markers.end}" stands above its "{markers.begin}"', filename, end + 1)
    return "\n".join([*lines[: begin + 1], *body, *lines[end:]]) + "\n"


def tasks(steps: list[Step], parts: Iterable[int] = ()) -> list[str]:
    """Return the lines of ``pixi.toml`` that make `pixi run s01` check step 01, and `pixi run bug1` part 1's hunt."""
    rows = [
        f'{step.task} = {{ cmd = "python -m autograder check {step.task}", description = {_toml(_label(step))} }}'
        for step in steps
    ]
    says = "Find the one mistake in the finished steps of part"
    return rows + [
        f'bug{part} = {{ cmd = "python -m autograder bug {part}", description = "{says} {part}" }}' for part in parts
    ]


def scripts(steps: list[Step], parts: Iterable[int] = ()) -> list[str]:
    """Return the lines of ``pyproject.toml`` that make `s01` and `bug1` commands of an installed course."""
    return [f'{name} = "autograder.entry:{name}"' for name in [*(step.task for step in steps), *map(_bug, parts)]]


def _bug(part: int) -> str:
    return f"bug{part}"


def readme(course: Course, names: Mapping[str, list[str]]) -> list[str]:
    """Return the README's tables, one a part; ``names`` has what each finished puzzle defines, by slug."""
    lines: list[str] = [""]
    for part in course.parts:
        steps = [step for step in course.steps if step.part == part]
        ready = [step for step in steps if step.slug in names]
        planned = [f"{step.id} {step.title}" for step in steps if step.slug not in names]
        lines += [f"### {part}", ""] if steps else []
        if ready:
            lines += ["| step | title | what you write |", "| --- | --- | --- |"]
            lines += [_row(step, names[step.slug]) for step in ready]
            lines += [""]
        if planned:
            lines += [f"Planned: {' · '.join(planned)}.", ""]
    return lines


def _row(step: Step, names: list[str]) -> str:
    title = step.title.replace("|", r"\|")
    return f"| {step.id} | [{title}](steps/{step.name}.md) | {', '.join(f'`{name}`' for name in names)} |"


def _label(step: Step) -> str:
    return f"Step {step.id}: {step.title}"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML basic string


def _only_line(lines: list[str], marker: str, filename: str) -> int:
    found = [index for index, line in enumerate(lines) if line.strip() == marker]
    if not found:
        raise CourseError(f'has no line "{marker}": the list of steps is generated between two such lines', filename)
    if len(found) > 1:
        raise CourseError(f'"{marker}" stands a second time', filename, found[1] + 1)
    return found[0]
