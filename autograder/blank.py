"""A blank step: the three files that its author begins from, and what is made of them."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import generate, record
from autograder.errors import UsageError
from autograder.files import read_text, write_text

if TYPE_CHECKING:
    from autograder.course import Course

_TEMPLATES = Path(__file__).parent / "templates"


def require_names(slug: str, title: str) -> None:
    """Refuse what cannot name a step.

    Errors: UsageError.
    """
    if keyword.iskeyword(slug):
        raise UsageError(f'"{slug}" cannot name a step: it is a word of Python itself')
    if not (slug.isidentifier() and slug.isascii()) or slug != slug.lower():
        raise UsageError(f'"{slug}" cannot name a step: use lower-case letters, digits and _, no digit first')
    if re.fullmatch(r"(?:step_?|s)?\d+", slug):
        raise UsageError(f'"{slug}" reads like a step\'s number: name the concept')
    require_title(title)


def require_title(title: str) -> None:
    """Refuse what is no line of text, or would not stand between quotation marks.

    Errors: UsageError.
    """
    if not title.strip() or not title.isprintable() or '"' in title or "\\" in title:
        raise UsageError("a title is a line of text, without quotation marks and backslashes")


def write(root: Path, slug: str, title: str) -> None:
    """Write a step's puzzle, text and checker: an example that works, to be written over."""
    for template, path in (
        ("step.py.txt", f"puzzles/{slug}.py"),
        ("step.md.txt", f"puzzles/{slug}.md"),
        ("checker.py.txt", f"tests/steps/{slug}.py"),
    ):
        text = read_text(_TEMPLATES / template).replace("SLUG", slug).replace("TITLE", title)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        write_text(root / path, text)


def make(course: Course, slug: str) -> None:
    """Make what is generated and recorded: code, the new step's recordings, texts and lists."""
    step = course.find(slug)
    generate.write(course, generate.plan(course, with_texts=False))
    record.write([*record.record(course, [step]), *record.mistakes(course, [step])])
    generate.write(course, generate.plan(course))
