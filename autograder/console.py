"""What a verb says to its user and asks of them: results go to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from autograder.errors import AutograderError, UsageError
from autograder.views.layout import printable
from autograder.views.plain import encodable

if TYPE_CHECKING:
    from collections.abc import Callable

INTERRUPTED = 130


def ended(verb: Callable[[], int]) -> int:
    """Run a verb; return its exit code. What is wrong is one sentence on standard error."""
    try:
        return verb()
    except AutograderError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return interrupted()
    except BrokenPipeError:
        with contextlib.suppress(OSError):  # whoever read our output has gone; nothing is left to say to them
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def interrupted() -> int:
    """Say that a verb was interrupted; return its exit code."""
    complain("interrupted")
    return INTERRUPTED


def say(text: str) -> None:
    print(encodable(text, sys.stdout), flush=True)


def complain(sentence: str) -> None:
    print(encodable(f"autograder: {sentence}", sys.stderr), file=sys.stderr, flush=True)


def note(text: str) -> None:
    """Say what is no part of a result, where the result itself may be on its way into a file."""
    print(encodable(text, sys.stderr), file=sys.stderr, flush=True)


def is_terminal() -> bool:
    """Return whether standard output is a screen that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def pour(data: bytes) -> None:
    """Print a file: the same bytes into a pipe, and nothing that a terminal would obey onto a screen."""
    if sys.stdout.isatty():
        say("\n".join(map(printable, data.decode("utf-8", "replace").splitlines())))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def wrapped(text: str, hang: int = 0) -> str:
    """Return the text wrapped to the terminal's width, as it is where there is none; indented lines stay whole."""
    if not is_terminal():
        return text
    import shutil

    width = shutil.get_terminal_size().columns
    return "\n".join(line if line.startswith("    ") else _wrap(line, width, hang) for line in text.split("\n"))


def _wrap(line: str, width: int, hang: int) -> str:
    if len(line) <= width or hang > width // 2:
        return line
    import textwrap

    return textwrap.fill(
        line, width, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False, tabsize=4
    )


def agreed(question: str, *, yes: bool) -> bool:
    """Return whether the user says yes; with ``yes`` they have said so already.

    Errors: UsageError, where nobody can be asked.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f'"{question}" is asked first, and there is no terminal to ask on: add --yes to agree')
    try:
        print(encodable(f"{question} [y/N] ", sys.stderr), end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        print(file=sys.stderr)  # what follows stands on a line of its own, not after the question
        raise
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    return answer.strip().casefold() in ("y", "yes")
