"""A step's ladder of hints: the numbered list under ``## Hints`` in its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from autograder import texts
from autograder.errors import CourseError

if TYPE_CHECKING:
    from autograder.course import Course, Step

HEADING = "## Hints"
_ITEM = re.compile(r"\d+[.)]\s+(.*)")
_INNER_ITEM = re.compile(r"(?:[-*+]|\d+[.)])\s")
_CODE = "    "  # a hint's code stands indented, so that nothing wraps it
_MARKED = re.compile(
    r"(?P<code>`[^`]*`)"
    r"|\[(?P<link>(?:`[^`]*`|[^\]`])*)\]\((?P<address>[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)"
    r"|<(?P<bare>https?://[^<>\s]+)>"
    r"|(?P<stars>\*\*?)(?P<stressed>[^\s*](?:[^*]*[^\s*])?)(?P=stars)"
)


class Hint(NamedTuple):
    text: str  # a paragraph is one line; an empty line stands between two
    line: int  # where it begins in the text's file


def ladder(course: Course, step: Step) -> list[Hint]:
    """Return the hints of a step, in order, at least one.

    Errors: CourseError, at the place where they should be.
    """
    filename = f"puzzles/{step.slug}.md"
    try:
        lines = course.read(course.text(step)).splitlines()
    except FileNotFoundError:
        raise CourseError(f"is missing: it holds the text of step {step.id}, and its hints", filename) from None
    except UnicodeDecodeError:
        raise CourseError("is not UTF-8: save it as UTF-8", filename) from None
    numbers = course.numbers()
    heading, section = _section(lines)
    if heading is None:
        raise CourseError(f'has no "{HEADING}": a numbered list under this heading is needed', filename, len(lines))
    hints = _items([(at, texts.substitute(line, filename, at, step, numbers)) for at, line in section])
    if not hints:
        raise CourseError(f'has no hint under "{HEADING}": each is an item of a numbered list', filename, heading)
    return hints


def plain(text: str) -> str:
    """Return a hint as a screen shows it: without the marks of links and of stress, and each address on a line below.

    Code keeps its marks, which tell where it begins and ends, and an address is whole, to be copied.
    """
    addresses: dict[str, None] = {}

    def shown(found: re.Match[str]) -> str:
        if found["link"] is not None:
            addresses[found["address"]] = None
        return found["code"] or found["link"] or found["bare"] or found["stressed"] or ""

    lines = [line if line.startswith(_CODE) else _MARKED.sub(shown, line) for line in text.split("\n")]
    return "\n".join([*lines, *(f"  {address}" for address in addresses)])


def _section(lines: list[str]) -> tuple[int | None, list[tuple[int, str]]]:
    """Return the heading's line and the numbered lines under it; a heading inside a block of code is none."""
    heading, section, is_code = None, [], False
    for at, line in enumerate(lines, 1):
        is_code ^= line.lstrip().startswith("```")
        if not is_code and re.match(r"##? ", line):
            if heading is not None:
                break
            heading = at if line.strip() == HEADING else None
        elif heading is not None:
            section.append((at, line.rstrip()))
    return heading, section


def _items(section: list[tuple[int, str]]) -> list[Hint]:
    hints: list[Hint] = []
    is_code = is_paragraph = False
    for at, line in section:
        found = None if is_code else _ITEM.match(line)
        text = line.strip()
        if found:
            hints.append(Hint(found[1], at))
            is_paragraph = True
        elif not hints:
            continue  # the words above the list
        elif text.startswith("```"):
            is_code, is_paragraph = not is_code, False
        elif is_code:
            hints[-1] = _add(hints[-1], "\n" + _CODE + line.removeprefix("   "))
        elif not text:
            hints[-1] = _add(hints[-1], "\n\n")
            is_paragraph = False
        else:
            joint = " " if is_paragraph and not _INNER_ITEM.match(text) else "\n"
            hints[-1] = _add(hints[-1], (joint if not hints[-1].text.endswith("\n") else "") + text)
            is_paragraph = True
    return [hint._replace(text=re.sub(r"\n{3,}", "\n\n", hint.text).strip()) for hint in hints]


def _add(hint: Hint, text: str) -> Hint:
    return hint._replace(text=hint.text + text)
