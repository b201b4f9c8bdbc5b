"""A class's bundle: a zip of the steps, their texts, the engine and the set-up, with no finished code to come upon.

What a check reads of the course's own sources (the reference, the checkers, what was recorded) travels in `pack`.
"""

from __future__ import annotations

import io
import re
import stat
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import checking, generate, pack, stubs
from autograder.console import agreed
from autograder.errors import NotDone, Stale, UsageError
from autograder.files import read_text, write_bytes
from autograder.root import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autograder.course import Course, Step

ENGINE = Path(__file__).resolve().parent
OTHERS_VERBS = (
    "gate/",
    "templates/",
    "adding.py",
    "blank.py",
    "bundle.py",
    "founding.py",
    "record.py",
)  # instructors' alone
AS_THEY_ARE = (
    MANIFEST, "constraints.txt", "LICENSE", "pixiw", "pixiw.cmd", "gpt2.py", "hugging-face-model.py",
    "playground", "models/tiny-gpt2", "models/LICENSE-PSF.txt", "book/pictures",
    ".gitignore", ".gitattributes", ".vscode", ".devcontainer", "CLAUDE.md", ".github/copilot-instructions.md",
)  # fmt: skip
_BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)  # a zip knows no earlier one; the same course gives the same bytes
_IN_PIXI_TOML = re.compile(r"\[feature\.")
_IN_PYPROJECT_TOML = re.compile(r"\[(?:project\.optional-dependencies|tool\.(?!setuptools))")


def write(course: Course, out: Path, shown: str, *, yes: bool) -> list[str]:
    """Write the bundle, whole or not at all, and return what to say of it.

    Errors: UsageError, when `out` can be no bundle; NotDone, when it was not written; Stale and CourseError, when the
    course is not fit to be given out.
    """
    _require_place(out, shown)
    steps = _ready(course)
    _require_fresh(course)
    data = zipped(folder(course), contents(course, steps))
    if out.exists() and not agreed(f"{shown} is there already. Write over it?", yes=yes):
        raise NotDone(f"nothing was written: {shown} is as it was")
    try:
        write_bytes(out, data)
    except OSError as error:
        raise NotDone(f"{shown} could not be written: {error.strerror}") from error
    count = "1 step" if len(steps) == 1 else f"{len(steps)} steps"
    return [
        f"wrote {shown}: {count} in the folder {folder(course)}/, {len(data) / 1e6:.1f} MB",
        f"Next: give it to your class. Whoever unzips it runs ./pixiw run {steps[0].task} in {folder(course)}/",
    ]


def folder(course: Course) -> str:
    """Return the name of the one folder that the bundle unzips to."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", course.name).strip(".-") or "course"


def contents(course: Course, steps: list[Step]) -> dict[str, bytes]:
    """Return the bundle's files, by their paths in its folder.

    Errors: CourseError, when a puzzle, a text or a checker is broken.
    """
    files = dict(_set_up(course))
    files |= {f"{ENGINE.name}/{name}": (ENGINE / name).read_bytes() for name in _engine()}
    for step in steps:
        checking.of_step(course, step)  # one that cannot be read would be internal for a whole class
        files[f"steps/{step.name}.py"] = generate.make(course, step).stub.encode()
        files[f"steps/{step.name}.md"] = read_text(course.root / "steps" / f"{step.name}.md").encode()
    files[stubs.PATH.as_posix()] = read_text(course.root / stubs.PATH).encode()
    files[pack.PATH.as_posix()] = pack.packed(dict(_sources(course, steps)))
    return files


def zipped(name: str, files: Mapping[str, bytes]) -> bytes:
    """Return a zip with all these files in one folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{name}/{path}", _BEGINNING_OF_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made: else no mode is kept
            # By its first line, since Windows keeps no executable bit.
            mode = 0o755 if data.startswith(b"#!") else 0o644
            entry.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(entry, data)
    return out.getvalue()


def _require_place(out: Path, shown: str) -> None:
    if out.suffix != ".zip":
        raise UsageError(f'a bundle is a zip, and "{shown}" does not end in .zip: name it, as in class.zip')
    if out.is_dir():
        raise UsageError(f"{shown} is a folder: name a file that is not there yet")
    if not out.parent.is_dir():
        raise UsageError(f"the folder of {shown} is not there: make it first, or name another")


def _ready(course: Course) -> list[Step]:
    steps = [step for step in course.steps if not course.is_planned(step)]
    if not steps:
        first = f"puzzles/{course.steps[0].slug}.py"
        raise NotDone(f"no step of the course has a puzzle yet, so there is nothing to give out: write {first} first")
    return steps


def _require_fresh(course: Course) -> None:
    """Make sure that what is generated is fresh. The steps themselves may be edited: the stubs are made anew."""
    old = [change for change in generate.plan(course) if change.kind != "keep"]
    if old:
        more = f", and so with {len(old) - 1} more" if len(old) > 1 else ""
        raise Stale(f"{old[0].path.as_posix()} {old[0].why}{more}: run {generate.COMMAND} first")


def _sources(course: Course, steps: list[Step]) -> Iterator[tuple[str, str]]:
    for step in steps:
        recorded = sorted((course.root / "puzzles" / "recorded").glob(f"{step.slug}.*"))
        for path in (course.puzzle(step), course.text(step), course.checker(step), *recorded):
            yield path.relative_to(course.root).as_posix(), course.read(path)
    for path in sorted((course.root / "puzzles" / "bugs").glob("*.md")):
        yield path.relative_to(course.root).as_posix(), course.read(path)


def _set_up(course: Course) -> Iterator[tuple[str, bytes]]:
    """Yield the files around the steps; a course need not have them all."""
    welcome = read_text(ENGINE / "templates" / "bundle.md.txt")
    task = _ready(course)[0].task
    yield "README.md", welcome.replace("{title}", course.title).replace("{task}", task).encode()
    for name in _kept(course.root, AS_THEY_ARE):
        yield name, (course.root / name).read_bytes()
    for name, change in {"pixi.toml": _pixi, "pyproject.toml": _pyproject, "AGENTS.md": _agents}.items():
        if (course.root / name).is_file():
            yield name, change(read_text(course.root / name)).encode()


def _engine() -> Iterator[str]:
    for name in _kept(ENGINE, (".",)):
        if Path(name).suffix in (".py", ".json") and not name.startswith(OTHERS_VERBS):
            yield name


def _kept(root: Path, names: tuple[str, ...]) -> list[str]:
    """Return the files of these names and in these folders: those that git tracks, and all of them where it is not."""
    command = ["git", "ls-files", "-z", "--", *names]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)
        tracked = done.stdout.decode().split("\0") if done.returncode == 0 else []
    except OSError:
        tracked = []
    if not any(tracked):
        found = [path for name in names for path in (root / name, *(root / name).rglob("*"))]
        tracked = [path.relative_to(root).as_posix() for path in found if "__pycache__" not in path.parts]
    return sorted({name for name in tracked if name and (root / name).is_file()})


def _pixi(text: str) -> str:
    """Return pixi.toml without what only an instructor runs."""
    sections = [part for part in _sections(text) if not _IN_PIXI_TOML.match(part)]
    return re.sub(r"(?m)^(?:generate = .*|\w+ = .*\bfeatures = .*)\n", "", "".join(sections))


def _pyproject(text: str) -> str:
    """Return pyproject.toml without the tools of whoever makes the course, and with the packages that are there."""
    sections = [part for part in _sections(text) if not _IN_PYPROJECT_TOML.match(part)]
    changed = "".join(sections).replace('"autograder.gate", ', "")
    return changed.replace('["templates/*.txt"]', f'["{pack.PATH.name}"]').rstrip("\n") + "\n"


def _agents(text: str) -> str:
    return text.partition("\n## With a maintainer\n")[0]


def _sections(text: str) -> list[str]:
    return re.split(r"(?m)^(?=\[)", text)
