"""A report as plain text: for pipes, files, screen readers and consoles that can do no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from autograder.views.layout import lines

if TYPE_CHECKING:
    from autograder.report import Report

_WORDS = {"✅": "[passed]", "❌": "[failed]", "│": "|", "·": "-", "…": "...", "√": "sqrt ", "×": "x"}


def write(report: Report, stream: TextIO) -> None:
    """Write the report to a stream, unwrapped, with words for what its encoding lacks."""
    stream.writelines(encodable(line.text, stream) + "\n" for line in lines(report))


def encodable(text: str, stream: TextIO) -> str:
    """Return the text as the stream's encoding can say it: the same bytes wherever that is possible."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for sign, word in _WORDS.items():
            text = text.replace(sign, word)
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text
