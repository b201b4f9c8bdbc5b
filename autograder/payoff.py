"""What a step is good for, shown with the learner's own code: the example at the end of its text, run as it stands."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from typing import IO, TYPE_CHECKING, NamedTuple

from autograder.console import fitting, note, say
from autograder.errors import CourseError
from autograder.files import read_text
from autograder.source import SourceError, parse
from autograder.texts import substitute
from autograder.views.layout import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograder.course import Course, Step

HEADING = "## What You Can Now Do"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"\bsteps\.step_(\d+)\b")
_LONGEST_S = 120.0
_FIRST, _LAST = 20, 20  # lines that are shown: no example of ours prints as many
_LONGEST_LINE = 2000  # bytes
_NAMED = 3  # so many calls of print are named


class Shown(NamedTuple):
    """Whether the example came to its end, and how many lines it printed."""

    ended: bool
    lines: int

    @property
    def is_whole(self) -> bool:
        return self.lines <= _FIRST + _LAST


def example(course: Course, step: Step) -> str:
    """Return the code that the step's text ends with.

    Errors: CourseError, when the text has none.
    """
    path = course.text(step)
    shown, text = path.relative_to(course.root).as_posix(), course.read(path)
    before, heading, rest = text.partition(f"\n{HEADING}\n")
    found = _BLOCK.search(rest.partition("\n## ")[0])
    if not heading or found is None:
        raise CourseError(f'there is no python block under "{HEADING}"', shown)
    first = text[: len(before) + len(heading) + found.start(1)].count("\n") + 1
    lines = enumerate(found[1].split("\n"), first)
    return "\n".join(substitute(line, shown, number, step, course.numbers()) for number, line in lines)


def show(course: Course, step: Step) -> bool:
    """Run the example in the foreground, from the course's root; return whether it came to its end.

    Of what it prints, the first lines and the last are shown: the learner's own files may print as well.
    """
    shown = _run(example(course, step), course)
    if not shown.is_whole:
        here = " and ".join(_few(list(_prints(course, step))))
        stands = f": print is called in {here}" if here else ""
        says = "The example prints a few, so your own code prints the rest"
        note(fitting(f"\nThis printed {shown.lines:,} lines. {says}{stands}", sys.stderr))
    return shown.ended


def leans_on(course: Course, step: Step) -> list[Step]:
    """Return the other steps whose files the example runs, in order: those that it imports, and that these import."""
    found: set[int] = set()
    texts = [example(course, step)]
    while texts:
        new = set(map(int, _STEP.findall(texts.pop()))) - found
        found |= new
        for each in course.steps:
            if each.number in new:
                with contextlib.suppress(OSError, UnicodeDecodeError):
                    texts.append(read_text(course.stub(each)))
    return [each for each in course.steps if each.number in found - {step.number}]


def _run(code: str, course: Course) -> Shown:
    environment = os.environ | {"PYTHONPATH": str(course.root), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=course.root, env=environment, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        threading.Thread(target=_end_in_time, args=[process], daemon=True).start()
        try:
            lines = _pass_on(process.stdout)
            return Shown(process.wait() == 0, lines)
        finally:
            _end(process)


def _end_in_time(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process, but not for ever, and end what it leaves behind: that would hold its output open."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_LONGEST_S)
    _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and, where there are sessions, whatever it has started."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _pass_on(stream: IO[bytes]) -> int:
    """Print the first lines of a stream as they come, and at its end the last ones; return how many there were."""
    count = 0
    last: deque[str] = deque(maxlen=_LAST)
    while line := stream.readline(_LONGEST_LINE):
        text = printable(line.decode("utf-8", "replace").rstrip("\r\n"))
        count += 1
        if count <= _FIRST:
            say(text)
        else:
            last.append(text)
    if count > _FIRST + _LAST:
        say(f"… {count - _FIRST - _LAST:,} lines left out …")
    for text in last:
        say(text)
    return count


def _few(places: list[str]) -> list[str]:
    more = len(places) - _NAMED
    return [*places[:_NAMED], f"{more} more place{'s' if more > 1 else ''}"] if more > 0 else places


def _prints(course: Course, step: Step) -> Iterator[str]:
    """Yield the places where the learner's files, up to this step's, call print when they are imported or called."""
    for each in course.steps[: step.number]:
        path = course.stub(each)
        shown = path.relative_to(course.root).as_posix()
        with contextlib.suppress(OSError, SourceError):  # it is not there, or no Python
            found = parse(path.read_bytes(), shown).calls("builtins.print")
            yield from (f"{shown}:{place.line}" for place in found)
