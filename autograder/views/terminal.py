"""A report on a terminal: what the plain view says, in colour, and wrapped where wrapping helps."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

from autograder.views.layout import lines
from autograder.views.plain import encodable

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.report import Report

_STYLES = {"detail": "", "code": "cyan", "output": "dim", "note": "yellow", "footer": "dim", "next": "bold"}


def write(report: Report, console: Console) -> None:
    """Write the report to a terminal. A result's line is never wrapped and never coloured."""
    for line in lines(report):
        text = encodable(line.text, console.file)  # type: ignore[arg-type]
        wrapped = [text] if line.role in ("result", "output", "code") else _wrap(text, console.width, line.hang)
        for part in wrapped:
            console.print(Text(part, style=_STYLES.get(line.role, "")), soft_wrap=True, highlight=False)


def _wrap(text: str, width: int, hang: int) -> list[str]:
    """Wrap between words; a word that is longer than the line (a path, a command) stays whole, to be copied."""
    if len(text) <= width or hang > width // 2:
        return [text]
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * hang,
        replace_whitespace=False,
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )
