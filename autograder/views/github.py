"""A report for GitHub Actions: workflow commands that put each problem beside the line of code in a pull request.

A runner obeys commands wherever they stand in what a step prints, so nothing of a learner's may look like one: here it
is escaped, and what the other views print goes between two lines that make the runner deaf.
"""

from __future__ import annotations

import contextlib
import secrets
from pathlib import PurePath
from typing import TYPE_CHECKING, TextIO

from autograder.views.problems import one_line, problems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autograder.report import Report


def lines(report: Report, folder: Path | None = None) -> list[str]:
    """Return an `::error …::message` for each check that did not pass.

    Args:
        folder: where the report's paths start, when that is not the repository's root; the runner makes an absolute
            path relative to its repository.
    """
    title = one_line(f"Step {report.step.number:02d}: {report.step.title}")
    made = []
    for problem in problems(report):
        file = PurePath(folder or "", problem.file).as_posix()
        places = {"file": file, "line": str(problem.line), "col": str(problem.column), "title": title}
        properties = ",".join(f"{name}={_property(value)}" for name, value in places.items())
        message = "\n".join([problem.sentence, *problem.details])
        made.append(f"::error {properties}::{_data(message)}")
    return made


@contextlib.contextmanager
def silenced(stream: TextIO) -> Iterator[None]:
    """Let the runner obey nothing that is written to the stream meanwhile; the last line of it has to be a whole one.

    The token is drawn here, after the learner's code has run: nobody can print it before.
    """
    token = secrets.token_hex(16)
    stream.write(f"::stop-commands::{token}\n")
    try:
        yield
    finally:
        stream.write(f"::{token}::\n")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
