"""A report as one JSON document, schema 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from autograder.report import Report


def encode(report: Report) -> str:
    """Return the document, indented, with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode("utf-8") + "\n"
