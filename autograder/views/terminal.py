"""A report on a terminal: what the plain view says, in colour, and made to fit its width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from autograder.views.layout import fitted, lines
from autograder.views.plain import encodable

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.report import Report

_STYLES = {"detail": "", "code": "cyan", "caret": "cyan", "output": "dim", "note": "yellow", "footer": "dim"}
_STYLES |= {"next": "bold"}


def write(report: Report, console: Console) -> None:
    """Write the report to a terminal. A result's line is never wrapped and never coloured."""
    said = [line._replace(text=encodable(line.text, console.file)) for line in lines(report)]  # type: ignore[arg-type]
    for line in fitted(said, console.width):
        text = encodable(line.text, console.file)  # type: ignore[arg-type]
        console.print(Text(text, style=_STYLES.get(line.role, "")), soft_wrap=True, highlight=False)
