"""A step's text: what stands in ``puzzles/SLUG.md``, with numbers, stub and recorded outputs in their places.

{step} {title} {step:SLUG}     this step's number and title, another step's number
<!-- STUB -->                  the stub, as a block of Python
<!-- FAILED -->  <!-- PASSED -->  what a failed and a passed run printed, as `autograder record` kept it
"""

import re
from collections.abc import Mapping

from autograder.course import Step
from autograder.errors import CourseError

_MARKER = re.compile(r"<!--\s*(\w+)\s*-->")


def render(text: str, filename: str, step: Step, numbers: Mapping[str, int], blocks: Mapping[str, str]) -> str:
    """Return the finished text; ``blocks`` has what goes in place of each marker's name."""
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        name = _marker(line, filename, number)
        if name is None:
            lines.append(substitute(line, filename, number, step, numbers))
        elif name in blocks:
            lines.append(blocks[name])
        else:
            missing = f"puzzles/recorded/{step.slug}.{name.lower()}.txt"
            raise CourseError(f"{missing} is missing: pixi run record makes it", filename, number)
    return "\n".join(lines).strip("\n") + "\n"


def numbered(text: str, filename: str, step: Step, numbers: Mapping[str, int]) -> str:
    """Return a whole text, an output that was recorded, with the numbers and the title in their places."""
    lines = text.split("\n")
    return "\n".join(substitute(line, filename, at, step, numbers) for at, line in enumerate(lines, 1))


def block(content: str, language: str) -> str:
    """Return ``content`` as a fenced block, with a fence that nothing inside closes."""
    runs = [len(run) for run in re.findall(r"`{3,}", content)]
    fence = "`" * max([3, *(length + 1 for length in runs)])
    return f"{fence}{language}\n{content.rstrip()}\n{fence}"


def _marker(line: str, filename: str, number: int) -> str | None:
    found = _MARKER.search(line)
    if not found or found[1].upper() not in ("STUB", "FAILED", "PASSED"):
        return None
    name = found[1].upper()
    if line.strip() != f"<!-- {name} -->":
        raise CourseError(f"this marker is written <!-- {name} -->, alone on its line", filename, number)
    return name


def substitute(line: str, filename: str, number: int, step: Step, numbers: Mapping[str, int]) -> str:
    """Return a line with the numbers and the title in their places."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "{title}":
            return step.title
        slug = match[1]
        if slug is None:
            return step.id
        if slug not in numbers:
            raise CourseError(f"{match[0]}: course.toml has no step {slug}", filename, number)
        return f"{numbers[slug]:02d}"

    return re.sub(r"\{title\}|\{step(?::(\w+))?\}", value, line)
