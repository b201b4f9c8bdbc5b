"""What a step is good for, shown with the learner's own code: the example at the end of its text, run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from autograder.errors import CourseError
from autograder.texts import substitute

if TYPE_CHECKING:
    from autograder.course import Course, Step

HEADING = "## What You Can Now Do"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LONGEST_S = 120.0


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
    """Run the example in the foreground, from the course's root; return whether it came to its end."""
    command = [sys.executable, "-c", example(course, step)]
    environment = os.environ | {"PYTHONPATH": str(course.root), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=course.root, env=environment, timeout=_LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
