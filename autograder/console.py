"""What a verb says to its user and asks of them: results go to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING, TextIO

from autograder.errors import AutograderError, InternalError, UsageError
from autograder.views.layout import printable
from autograder.views.plain import encodable
from autograder.views.width import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

INTERRUPTED = 130
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def ended(verb: Callable[[], int]) -> int:
    """Run a verb; return its exit code. What is wrong is one sentence on standard error."""
    try:
        return verb()
    except AutograderError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return interrupted()
    except BrokenPipeError:  # whoever read our output has gone; nothing is left to say to them
        _write_no_more()
        return 1
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        _write_no_more()
        complain(f"the output could not be written to its end: {error.strerror}")
        return InternalError.exit_code


def _write_no_more() -> None:
    """Let go of what is still to be written: else the end of the process would try it once more."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def interrupted() -> int:
    """Say that a verb was interrupted; return its exit code.

    Python ends by the signal, whatever the exit code, once an interrupt has come out of a text that was executed, as
    each named tuple that an import makes is; the next text that is executed makes it forget that.
    """
    complain("interrupted")
    exec("")  # noqa: S102 - the next text
    return INTERRUPTED


def say(text: str) -> None:
    print(encodable(text, sys.stdout), flush=True)


def complain(sentence: str) -> None:
    text = encodable(f"autograder: {sentence}", sys.stderr)
    print(fitting(text, sys.stderr, 3), file=sys.stderr, flush=True)


def say_next(act: str) -> None:
    """Say what to do now: the last line of a verb."""
    say(wrapped(f"Next: {act}", 6))


def note(text: str) -> None:
    """Say what is no part of a result, where the result itself may be on its way into a file."""
    print(encodable(text, sys.stderr), file=sys.stderr, flush=True)


def is_terminal(stream: TextIO | None = None) -> bool:
    """Return whether a stream, standard output where none is named, is a screen that can be drawn on."""
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


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
    return fitting(text, sys.stdout, hang)


def fitting(text: str, stream: TextIO, hang: int = 0) -> str:
    """Return the text as `wrapped` does, for another stream than standard output."""
    if not is_terminal(stream):
        return text
    width = columns(stream)
    made = ([line] if line.startswith("    ") else wrap(line, width, hang) for line in text.split("\n"))
    return "\n".join(part for parts in made for part in parts)


def columns(stream: TextIO) -> int:
    """Return the width of the terminal that a stream writes to."""
    import shutil

    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        size = shutil.get_terminal_size()
    given = os.environ.get("COLUMNS", "")
    return (int(given) if given.isdecimal() else 0) or size.columns or 80


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
