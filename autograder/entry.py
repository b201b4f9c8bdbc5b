"""The commands `s01`, `s02`, … of an installed course: each is `autograder check` of that step."""

import re
import sys
from collections.abc import Callable


def __getattr__(name: str) -> Callable[[], int]:
    """Return the command called ``name``: what a step's number is belongs to the course, so none is written here."""
    if not re.fullmatch(r"s\d{2,}", name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def check_step() -> int:
        from autograder.__main__ import main  # at the call: until then nothing of the engine is needed

        return main(["check", name, *sys.argv[1:]])

    return check_step
