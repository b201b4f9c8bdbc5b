"""The exceptions of the engine. A learner's mistake is a result, not an exception; these end a command.

AutograderError       what a command may end with; the class owns the exit code
├── UsageError     2  the command's own arguments are wrong
├── CourseError    3  the course itself is broken: a file of it, and the line
├── InternalError  3  the engine found itself in a state that it rules out
├── NotDone        1  what was asked for could not be done, and nothing was changed
└── Stale          1  something generated is not fresh
"""

from pathlib import PurePath


class AutograderError(Exception):
    exit_code = 3


class UsageError(AutograderError):
    exit_code = 2


class CourseError(AutograderError):
    """Reads as ``path:line: message``, which editors make a link of."""

    exit_code = 3

    def __init__(self, message: str, path: PurePath | str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path.as_posix() if isinstance(path, PurePath) else path
        self.line = line

    def __str__(self) -> str:
        place = [self.path or "", "" if self.line is None else str(self.line)]
        return ": ".join(filter(None, [":".join(filter(None, place)), self.message]))


class InternalError(AutograderError):
    exit_code = 3


class NotDone(AutograderError):
    exit_code = 1


class Stale(AutograderError):  # a state of the files, found on purpose; nothing went wrong
    exit_code = 1
