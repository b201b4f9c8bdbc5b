"""The course as ``course.toml`` lays it down: its parts, and its steps in their order.

The client of every check imports this module, so it imports little: no dataclasses (they bring ``inspect``).
"""

import keyword
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from autograder import pack
from autograder.errors import CourseError, UsageError
from autograder.root import MANIFEST, find


class Step(NamedTuple):
    number: int
    slug: str
    title: str
    part: str

    @property
    def id(self) -> str:
        return f"{self.number:02d}"

    @property
    def name(self) -> str:
        return f"step_{self.id}"

    @property
    def task(self) -> str:
        return f"s{self.id}"


class Course(NamedTuple):
    root: Path
    name: str
    title: str
    parts: tuple[str, ...]
    steps: tuple[Step, ...]

    def puzzle(self, step: Step) -> Path:
        return self.root / "puzzles" / f"{step.slug}.py"

    def text(self, step: Step) -> Path:
        return self.root / "puzzles" / f"{step.slug}.md"

    def checker(self, step: Step) -> Path:
        return self.root / "tests" / "steps" / f"{step.slug}.py"

    def stub(self, step: Step, tree: str = "steps") -> Path:
        """Return the step's file in ``tree``: ``steps`` is the learner's, ``solutions`` the finished one."""
        return self.root / tree / f"{step.name}.py"

    def is_planned(self, step: Step) -> bool:
        return not self.has(self.puzzle(step))

    @property
    def is_bundle(self) -> bool:
        """Whether this is what a class is given: the course's sources are packed, and no finished code lies about."""
        return (self.root / pack.PATH).is_file()

    def has(self, path: Path) -> bool:
        """Return whether one of the course's own sources is there: a puzzle, a text, a checker, what was recorded."""
        return self._shown(path) in self._packed() if self.is_bundle else path.is_file()

    def read(self, path: Path) -> str:
        """Return the text of one of the course's own sources, wherever it lies: in its file, or in a bundle's pack.

        Errors: OSError and UnicodeDecodeError, as of a file; CourseError, when the pack is damaged.
        """
        if not self.is_bundle:
            return path.read_text(encoding="utf-8-sig")
        try:
            return self._packed()[self._shown(path)]
        except KeyError:
            raise FileNotFoundError(path) from None

    def require(self, what: str, instead: str) -> None:
        """Make sure that this is no class's bundle.

        Errors: UsageError, when it is one: `what` is not in it, and what to do `instead`.
        """
        if self.is_bundle:
            raise UsageError(f"this is a class's bundle, and {what} is not in it: {instead}")

    def _packed(self) -> Mapping[str, str]:
        try:
            return pack.unpacked(self.root / pack.PATH)
        except (OSError, ValueError):
            raise CourseError("is damaged: unzip the class's bundle again, and keep your steps/", pack.PATH) from None

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def ready_parts(self) -> dict[int, list[Step]]:
        """Return the steps of each part that is whole, by the part's number: none of its steps is planned."""
        found = {}
        for number, part in enumerate(self.parts, 1):
            steps = [step for step in self.steps if step.part == part]
            if steps and not any(map(self.is_planned, steps)):
                found[number] = steps
        return found

    def numbers(self) -> dict[str, int]:
        return {step.slug: step.number for step in self.steps}

    def find(self, name: str) -> Step:
        """Return the step that a user names: 7, 07, s07, step_07, steps/step_07.py or its slug, in any case."""
        wanted = _last_part(name)
        for step in self.steps:
            if step.slug.casefold() == wanted.replace("-", "_"):
                return step
        if match := _NUMBERED.fullmatch(wanted):
            number = int(match[1])
            if 1 <= number <= len(self.steps):
                return self.steps[number - 1]
            raise UsageError(f'there is no step "{name}": {self._extent()}')
        raise UsageError(self._near_miss(name, wanted))

    def _extent(self) -> str:
        count = len(self.steps)
        return "there is 1 step, 01" if count == 1 else f"there are {count} steps, 01 to {self.steps[-1].id}"

    def _near_miss(self, name: str, wanted: str) -> str:
        from difflib import get_close_matches  # only a mistake needs it

        if not wanted:
            last = self.steps[-1]
            return f"the name of a step is missing: its number ({last.number}) or its name in {MANIFEST} ({last.slug})"
        slugs = {step.slug.casefold(): f"{step.slug} ({step.task})" for step in self.steps}
        tasks = {spelling: step.task for step in self.steps for spelling in (step.task, step.name)}
        close = get_close_matches(wanted.replace("-", "_"), slugs, n=1, cutoff=0.5)
        close = close or get_close_matches(wanted, tasks, n=1)
        if close:
            return f'there is no step "{name}": did you mean {({**tasks, **slugs})[close[0]]}?'
        return f'there is no step "{name}": {self._extent()}, and each has a name in {MANIFEST}'


_NUMBERED = re.compile(r"(?:s|step)?[ _-]?([0-9]{1,6})")


def _last_part(name: str) -> str:
    path: PurePath = PureWindowsPath(name) if "\\" in name else PurePosixPath(name)
    return path.name.strip().casefold().removesuffix(".py").removesuffix(".md")


def find_root(start: Path) -> Path:
    """Return the nearest folder that holds a course, from ``start`` upward."""
    found = find(str(start))
    if found is None:
        where = f"{start.resolve()} or above it"
        raise CourseError(f"there is no {MANIFEST} in {where}: run this inside the course's folder")
    return Path(found)


def load(root: Path) -> Course:
    """Return the course whose ``course.toml`` lies in ``root``."""
    manifest = _Manifest(_read(root))
    steps: list[Step] = []
    parts = manifest.table.get("parts")
    if not isinstance(parts, dict) or not parts:
        raise manifest.error('there is no [parts."NAME"] with lines slug = "title" under it', "parts")
    for part, titles in parts.items():
        if not isinstance(titles, dict):
            raise manifest.error(f'"{part}" is not a part: a part is a table [parts."{part}"]', part)
        for slug, title in titles.items():
            _require_slug(manifest, slug, steps)
            if not isinstance(title, str) or not title.strip():
                raise manifest.error(f'the title of "{slug}" is not a text: write {slug} = "Title"', slug)
            steps.append(Step(len(steps) + 1, slug, title, part))
    if not steps:
        raise manifest.error('no part has a step: a step is a line slug = "title"', "parts")
    return Course(root, manifest.string("name"), manifest.string("title"), tuple(parts), tuple(steps))


def _read(root: Path) -> str:
    try:
        return (root / MANIFEST).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CourseError(f"is missing: it lists the course's parts and steps (looked in {root})", MANIFEST) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CourseError("is not UTF-8 here: save it as UTF-8", MANIFEST, line) from None
    except OSError as error:
        raise CourseError(f"cannot be read: {error.strerror}", MANIFEST) from None


def _require_slug(manifest: "_Manifest", slug: str, earlier: list[Step]) -> None:
    if not slug.isidentifier() or not slug.isascii():
        raise manifest.error(f'"{slug}" cannot name a module: use letters, digits and _, no digit first', slug)
    if keyword.iskeyword(slug):
        raise manifest.error(f'"{slug}" is a word of Python itself and cannot name a module', slug)
    if _NUMBERED.fullmatch(slug.casefold()):
        raise manifest.error(f'"{slug}" reads like a step\'s number: name the concept', slug)
    for step in earlier:
        if step.slug.casefold() == slug.casefold():
            raise manifest.error(
                f'"{slug}" is already step {step.id}: a slug stands once in the course', slug, last=True
            )


class _Manifest:
    """``course.toml`` with its lines: tomllib gives values without the places where they stand."""

    __slots__ = ("table", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _syntax_error(error, text) from None

    def string(self, key: str) -> str:
        value = self.table.get(key)
        if not isinstance(value, str):
            raise self.error(f'needs a line {key} = "…" above the parts', key)
        return value

    def error(self, message: str, key: str, *, last: bool = False) -> CourseError:
        quoted = rf"""["']?{re.escape(key)}["']?"""
        found = re.compile(rf"\s*(?:{quoted}\s*=|\[(?:.*\.)?\s*{quoted}\s*\])")
        lines = [number for number, line in enumerate(self.text.splitlines(), 1) if found.match(line)]
        return CourseError(message, MANIFEST, lines[-1 if last else 0] if lines else None)


def _syntax_error(error: tomllib.TOMLDecodeError, text: str) -> CourseError:
    message, _, place = str(error).partition(" (at ")
    found = re.match(r"line (\d+)", place)
    line = int(found[1]) if found else text.count("\n") + 1
    if "overwrite" in message:
        message = "this name stands a second time in the same table"
    return CourseError(f"is not TOML: {message}", MANIFEST, line)
