"""What is wrong with the set-up, and the command that mends it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from autograder import course as courses
from autograder import wire
from autograder.errors import AutograderError
from autograder.nursery import CAN_FORK, Nursery
from autograder.oracle import hugging_face
from autograder.student import Desk, Missing, Program, StudentRaised, student
from autograder.supervisor import Ended, Limits
from autograder.versions import installed, installing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEEDED = ("torch", "transformers", "numpy", "msgspec", "psutil", "rich", "typer")
_OLDEST = (3, 11)
PROBE = "import torch\nanswer = int((torch.ones(2) + 1).sum())\n"


class Finding(NamedTuple):
    """One thing that was looked at: whether it is well, a sentence, and the act that mends it."""

    well: bool
    sentence: str
    mend: str = ""


def examine(root: Path, road: str) -> Iterator[Finding]:
    """Yield what is found, the quick things first."""
    install = installing(road)
    yield _python(install)
    yield from _libraries(install)
    yield _course(root, road)
    yield _memory_folder(root)
    yield _console()
    yield _configuration(install)
    yield from _workers(install)


def _python(install: str) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(sys.version_info >= _OLDEST, f"Python {version} (3.11 or newer is needed)", install)


def _libraries(install: str) -> Iterator[Finding]:
    found = installed(_NEEDED)
    for name in _NEEDED:
        yield Finding(name in found, f"{name} {found.get(name, 'is not installed')}", install)


def _course(root: Path, road: str) -> Finding:
    try:
        course = courses.load(root)
    except AutograderError as error:
        return Finding(False, str(error), "git checkout course.toml")
    ready = [step for step in course.steps if not course.is_planned(step)]
    missing = [step for step in ready if not course.stub(step).exists()]
    if missing:
        name = course.stub(missing[0]).relative_to(root).as_posix()
        mend = f"{road} reset {missing[0].task}" if course.is_bundle else f"{road} generate"
        return Finding(False, f"{name} is not there", mend)
    return Finding(True, f"course.toml: {len(ready)} steps, and a file for each")


def _memory_folder(root: Path) -> Finding:
    folder = root / ".autograder"
    place = folder if folder.exists() else root
    if os.access(place, os.W_OK):
        return Finding(True, f"{place.name}/ can be written")
    return Finding(False, f"{place.name}/ cannot be written", f"make {place} writable for yourself")


def _console() -> Finding:
    encoding = sys.stdout.encoding or "unknown"
    try:
        "✅❌√".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        says = f"this console's encoding is {encoding}: words stand in place of the signs"
        return Finding(False, says, "set the environment variable PYTHONUTF8 to 1")
    return Finding(True, f"this console's encoding is {encoding}")


def _configuration(install: str) -> Finding:
    try:
        config = hugging_face.gpt2_config()
    except AutograderError as error:
        return Finding(False, str(error), install)
    return Finding(True, f"Hugging Face's GPT-2 configuration: transformers {config.version} ({config.origin})")


def _workers(install: str) -> Iterator[Finding]:
    way = "forked from a process that has imported torch" if CAN_FORK else "started anew: this system has no fork"
    module = wire.Module(["steps.step_00"], "steps/step_00.py", PROBE)
    with Nursery() as nursery:
        desk = Desk(nursery, Program([module], wire.Ban(), "torch"), Limits())
        try:
            answer = student(desk).answer
        except (AutograderError, StudentRaised, Missing) as error:
            yield Finding(False, f"a worker does not work: {error}", install)
        except Ended as ended:
            yield Finding(False, f"a worker does not work: it {ended.sentence}", install)
        else:
            says = f"a worker gives wrong answers: {answer!r} in place of 4"
            yield (
                Finding(True, f"a worker imports torch and answers; it is {way}")
                if answer == 4
                else Finding(False, says, install)
            )
        finally:
            desk.close()
