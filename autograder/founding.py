"""A new course in a folder of its own: this engine, the set-up for both roads, and one step that works.

All of it is made beside the folder first, and moved there when it has come out well. The set-up is this course's own
without what is about GPT-2, so that the two cannot drift apart.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import blank, tables
from autograder import course as courses
from autograder.errors import NotDone, UsageError
from autograder.files import read_text, write_text

if TYPE_CHECKING:
    from autograder.course import Course

SLUG, TITLE = "double", "Twice a Number"  # what the example does
_ENGINE = Path(__file__).parent
_COPIED = (".gitattributes", ".gitignore", "CONTRIBUTING.md", "LICENSE", "constraints.txt", "pixiw", "pixiw.cmd")
_OURS = re.compile(r'^[\w-]+ = \{ (?:cmd = "python (?!-m autograder )|depends-on = ).*\n', re.MULTILINE)
_TOOLS = re.compile(r"^\[feature\.dev\.(?:pypi-)?dependencies\].*\n(?:.+\n)*\n", re.MULTILINE)
_README = """# {title}

A course of puzzles with an autograder: edit `steps/step_01.py`, and run

```bash
pixi run s01
./pixiw run s01
```

The first needs [pixi](https://pixi.sh), the second Python alone: it makes an environment in `.venv`, once.

## Steps

<!-- BEGIN GENERATED: steps -->
<!-- END GENERATED: steps -->

## For those who write it

`course.toml` lists the steps. Each is three files: `puzzles/SLUG.py` (finished code, the answer fenced),
`puzzles/SLUG.md` (its text) and `tests/steps/SLUG.py` (its checker). `puzzles/double.py` is an example: look at its
three files, then add your own step and take the example's line away.

```bash
pixi run new SLUG --after double --title "Its Title"
pixi run record
pixi run record --mistakes
pixi run generate
pixi run verify
```

[CONTRIBUTING.md](CONTRIBUTING.md) is the engine's manual for authors: checkers, mistakes, laws, the gate, and one step
from nothing to merged, in a course of another kind. Keep all in git: a class's bundle is made from what git knows.
"""


def found(folder: Path, title: str) -> Course:
    """Make a course in a folder that is not there yet, or is empty, and return it.

    Errors: UsageError, when the folder or the title will not do; NotDone, when it cannot be written.
    """
    blank.require_title(title)
    source = _ENGINE.parent
    missing = next((name for name in (*_COPIED, "pixi.toml", "pyproject.toml") if not (source / name).is_file()), None)
    if missing is not None:
        raise UsageError(f"{missing} is not beside the engine: new-course runs in a checkout of it, not in a copy")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty: name another folder, nothing there is written over")
    if not folder.parent.is_dir():
        raise UsageError(f"{folder.parent} is not there: make it first")
    try:
        with tempfile.TemporaryDirectory(prefix=".autograder-", dir=folder.parent) as beside:
            stage = Path(beside) / "course"
            _lay(stage, source, _name_of(folder), title)
            blank.make(courses.load(stage), SLUG)
            if folder.is_dir():
                folder.rmdir()
            shutil.move(stage, folder)
    except OSError as error:
        raise NotDone(f"{folder} could not be made ({error.strerror}): nothing was left there") from error
    return courses.load(folder)


def _name_of(folder: Path) -> str:
    """Return a name for the package and the workspace: letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "course"


def _lay(stage: Path, source: Path, name: str, title: str) -> None:
    """Write all that is not made from the step."""
    shutil.copytree(source / "autograder", stage / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    for copied in _COPIED:
        shutil.copy(source / copied, stage / copied)
    lines = ["# The parts and the order of their steps. A line's place is the step's number.", ""]
    lines += [f'name = "{name}"', f'title = "{title}"', "", '[parts."I. The first part"]', f'{SLUG} = "{TITLE}"', ""]
    write_text(stage / "course.toml", "\n".join(lines))
    write_text(stage / "README.md", _README.format(title=title))
    described = {"name": name, "description": title}
    write_text(stage / "pixi.toml", _named(_without_ours(read_text(source / "pixi.toml")), described))
    package = read_text(source / "pyproject.toml").partition("[tool.ruff]")[0]  # what follows is about our own tests
    package = re.sub(r"^dev = \[\n(?:    .*\n)*\]", "dev = []", _without_steps(package), flags=re.MULTILINE)
    write_text(stage / "pyproject.toml", _named(package.rstrip() + "\n", described))
    blank.write(stage, SLUG, TITLE)


def _without_ours(manifest: str) -> str:
    """Return pixi.toml without the steps' tasks, what runs something else than the engine, and our own tools."""
    return _TOOLS.sub("", _OURS.sub("", _without_steps(manifest)))


def _without_steps(text: str) -> str:
    begin, end = tables.IN_TOML
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{end}{rest.partition(end)[2]}"


def _named(text: str, values: dict[str, str]) -> str:
    """Return a manifest whose first `name`, `description` … have these values."""
    for key, value in values.items():
        first = re.compile(rf'^{key} = ".*"$', re.MULTILINE).search(text)
        assert first is not None  # both manifests have both
        text = f'{text[: first.start()]}{key} = "{value}"{text[first.end() :]}'
    return text
