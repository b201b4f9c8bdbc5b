"""A step's text: its sections in order, hints that give nothing away, commands, steps, links that exist."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from autograder import hints
from autograder.files import read_text
from autograder.gate.proof import Fault, Proof

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograder.gate.stand import Stand

SECTIONS = (
    ("# Step {step}: {title}", re.compile(r"# Step \{step\}: \{title\}")),
    ("**Purpose**", re.compile(r"\*\*Purpose\*\*: ")),
    ("## What is …?", re.compile(r"## What (is|are) .*\?$")),
    ("## Why …?", re.compile(r"## Why .*\?$")),
    ("### Key Concepts:", re.compile(r"### Key Concepts:$")),
    ("### Implementation Tasks", re.compile(r"### Implementation Tasks ")),
    ("<!-- STUB -->", re.compile(r"<!-- STUB -->$")),
    ("### Validation:", re.compile(r"### Validation:$")),
    ("<!-- FAILED -->", re.compile(r"<!-- FAILED -->$")),
    ("<!-- PASSED -->", re.compile(r"<!-- PASSED -->$")),
    (hints.HEADING, re.compile(rf"{hints.HEADING}$")),
    ("**Reference**", re.compile(r"\*\*Reference\*\*: ")),
)
_COMMAND = re.compile(r"(?:pixi|\./pixiw) run ([^\s`]+)")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_STEP = re.compile(r"\{step:([^}]*)\}")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_SECRET = 6  # so many letters make a line of the solution one that a hint must not hold: `else:` is nobody's secret


def prove(stand: Stand) -> Proof:
    """Prove that the step's text is whole, gives nothing away, and names only what exists."""
    found = [list(proof(stand)) for proof in (_sections, _leaks, _commands, _links)]
    faults = [fault for each in found for fault in each]
    return Proof("words", sum(not each for each in found), len(found), faults)


def _sections(stand: Stand) -> Iterator[Fault]:
    lines, at = _lines(stand), 0
    for name, pattern in SECTIONS:
        place = next((number for number, line in enumerate(lines[at:], at) if pattern.match(line)), None)
        if place is None:
            yield Fault(
                f"{_file(stand)}:{at + 1}", f'"{name}" is missing, or stands too early', "Put it after this line"
            )
        else:
            at = place + 1


def _leaks(stand: Stand) -> Iterator[Fault]:
    code = stand.puzzle.finished().splitlines()
    secret = [code[line - 1].strip() for line in stand.puzzle.fenced()]
    for hint in hints.ladder(stand.course, stand.step):
        for line in secret:
            if len(re.findall(r"\w", line)) > _SECRET and not line.startswith("#") and _bare(line) in _bare(hint.text):
                sentence = f"this hint holds a line of the solution: {line}"
                yield Fault(f"{_file(stand)}:{hint.line}", sentence, "Blank what the learner has to find: ____")


def _commands(stand: Stand) -> Iterator[Fault]:
    known, slugs = _tasks(stand), stand.course.numbers()
    for number, line in enumerate(_lines(stand), 1):
        for name in _COMMAND.findall(line):
            if name not in known and not name.startswith("s{step"):
                yield Fault(
                    f"{_file(stand)}:{number}", f"there is no command `pixi run {name}`", "pixi.toml lists them"
                )
        for slug in _STEP.findall(line):
            if slug not in slugs:
                yield Fault(f"{_file(stand)}:{number}", f"there is no step {slug}", "course.toml lists them")


def _links(stand: Stand) -> Iterator[Fault]:
    path = stand.course.text(stand.step)
    whole = stand.course.read(path)
    prose = _FENCE.sub(lambda found: "\n" * found[0].count("\n"), whole)
    for number, line in enumerate(prose.splitlines(), 1):
        for target in _LINK.findall(line):
            if "://" not in target and not (path.parent / target.partition("#")[0]).is_file():
                yield Fault(
                    f"{_file(stand)}:{number}", f"the link leads nowhere: {target}", "Mend the path, or the file"
                )
            elif "://" in target and not target.startswith("https://"):
                yield Fault(f"{_file(stand)}:{number}", f"the link is not https: {target}", "Write https://")


def _tasks(stand: Stand) -> set[str]:
    path = stand.course.root / "pixi.toml"
    if not path.is_file():
        return set()
    manifest = tomllib.loads(read_text(path))
    tables = [manifest, *manifest.get("feature", {}).values()]
    return {name for table in tables for name in table.get("tasks", {})}


def _lines(stand: Stand) -> list[str]:
    return stand.course.read(stand.course.text(stand.step)).splitlines()


def _file(stand: Stand) -> str:
    return stand.relative(stand.course.text(stand.step))


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)
