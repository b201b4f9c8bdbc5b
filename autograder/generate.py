"""What is made from ``puzzles/``: stubs, solutions, texts, and the lists of steps in other files.

The learner's work is sacred: a file ``steps/step_NN.py`` is written or removed only while it is a stub as generated.
``steps/.generated.json`` (tracked) keeps the stubs' hashes for that, of text with plain newlines.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import unified_diff
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

from autograder import fence, stubs, tables, texts
from autograder.course import Course, Step
from autograder.errors import CourseError
from autograder.files import read_text, write_text

COMMAND = "pixi run generate"
DIFF_LINES = 20
GENERATED = re.compile(r"(#|<!--) Generated from puzzles/")


class Change(NamedTuple):
    path: Path  # from the course's root
    kind: Literal["write", "remove", "keep"]  # keep: the learner's own, left alone
    why: str  # follows the path in a sentence
    text: str | None  # what the file should hold


class Difference(NamedTuple):
    path: Path
    sentence: str
    diff: tuple[str, ...]  # at most DIFF_LINES lines


class Made(NamedTuple):
    """What one puzzle gives."""

    step: Step
    stub: str
    solution: str
    names: list[str]


def plan(course: Course, *, with_texts: bool = True) -> list[Change]:
    """Return what has to change on disk, nothing when all is fresh.

    Without texts, nothing recorded is needed: `record` makes the code first, runs it, and then the texts.
    """
    made = [make(course, step) for step in course.steps if not course.is_planned(step)]
    generated: dict[Path, tuple[str, str]] = {}  # path: text and source
    for each in made:
        generated[Path("solutions", f"{each.step.name}.py")] = (each.solution, f"puzzles/{each.step.slug}.py")
        if with_texts:
            source = f"puzzles/{each.step.slug}.md"
            generated[Path("steps", f"{each.step.name}.md")] = (_page(course, each, source), source)
    generated |= {path: (text, "course.toml") for path, text in _lists(course, made)}
    record = stubs.read(course.root)
    changes = chain(
        _stub_changes(course, made, record),
        _text_changes(course, generated),
        _left_over(course, [each.step for each in made], record),
        _text_changes(course, {stubs.PATH: (_record(made).to_json(), "puzzles/")}),  # last: till then the old one holds
    )
    return list(changes)


def write(course: Course, changes: list[Change]) -> list[str]:
    """Carry out ``changes`` and return a line on each."""
    lines = []
    for change in changes:
        if change.kind == "write" and change.text is not None:
            write_text(course.root / change.path, change.text)
            lines.append(f"wrote {change.path.as_posix()}")
        elif change.kind == "remove":
            (course.root / change.path).unlink(missing_ok=True)
            lines.append(f"removed {change.path.as_posix()}: it {change.why}")
        else:
            lines.append(f"left {change.path.as_posix()} alone: it {change.why}")
    return lines or ["Nothing to do: everything that is generated is fresh."]


def check(course: Course) -> list[Difference]:
    """Return how the files on disk differ from what the puzzles give; an edited step is a difference too."""
    return [Difference(change.path, _sentence(change), _diff(course, change)) for change in plan(course)]


def make(course: Course, step: Step) -> Made:
    """Return what the puzzle of ``step`` gives: this reads no generated file."""
    filename = f"puzzles/{step.slug}.py"
    text = _read_source(course.read, course.puzzle(step), filename)
    puzzle = fence.split(text, filename)
    mark = f"# Generated from {filename} by `{COMMAND}`: edit that file, not this one.\n"
    solution = puzzle.solution(step.number, course.numbers())
    return Made(step, puzzle.stub(step.number, course.numbers()), mark + solution, fence.public_names(text))


def _stub_changes(course: Course, made: list[Made], record: stubs.Record) -> Iterator[Change]:
    for each in made:
        path = Path("steps", f"{each.step.name}.py")
        current = stubs.current(course.root / path)
        if current == each.stub:
            continue
        if not (course.root / path).exists():
            yield Change(path, "write", "is missing", each.stub)
        elif current is not None and record.has(current):
            yield Change(path, "write", f"is not the stub that puzzles/{each.step.slug}.py gives", each.stub)
        else:
            yield Change(path, "keep", "has been edited" + _moved(course, each.step, record), each.stub)


def _moved(course: Course, step: Step, record: stubs.Record) -> str:
    slug = record.slug_at(step.number)
    if slug in (None, step.slug):
        return ""
    now = next((f"step {other.id}" for other in course.steps if other.slug == slug), "no step")
    return f" and was made for {slug}, which is now {now}"


def _text_changes(course: Course, generated: Mapping[Path, tuple[str, str]]) -> Iterator[Change]:
    for path, (text, source) in generated.items():
        current = stubs.current(course.root / path)
        if current != text:
            why = f"differs from what {source} gives" if (course.root / path).exists() else "is missing"
            yield Change(path, "write", why, text)


def _left_over(course: Course, steps: list[Step], record: stubs.Record) -> Iterator[Change]:
    """Yield the generated files whose number has no puzzle any more."""
    names = {step.name for step in steps}
    for pattern in ("steps/step_*.py", "steps/step_*.md", "solutions/step_*.py"):
        for found in sorted(course.root.glob(pattern)):
            if found.stem in names or not re.fullmatch(r"step_\d{2,}", found.stem):
                continue
            path, text = found.relative_to(course.root), stubs.current(found) or ""
            is_desk = pattern == "steps/step_*.py"
            if record.has(text) if is_desk else GENERATED.match(text):
                yield Change(path, "remove", "belongs to no step", None)
            elif is_desk:
                yield Change(path, "keep", "has been edited and belongs to no step", None)


def _record(made: list[Made]) -> stubs.Record:
    return stubs.Record({each.step.slug: stubs.Entry(each.step.number, stubs.sha256(each.stub)) for each in made})


def _page(course: Course, made: Made, source: str) -> str:
    step = made.step
    blocks = {"STUB": texts.block(made.stub, "python")}
    for name in ("failed", "passed"):
        recorded = course.root / "puzzles" / "recorded" / f"{step.slug}.{name}.txt"
        if course.has(recorded):
            output = texts.numbered(course.read(recorded), recorded.name, step, course.numbers())
            blocks[name.upper()] = texts.block(output, "text")
    mark = f"<!-- Generated from {source} by `{COMMAND}`: edit that file, not this one. -->\n\n"
    text = _read_source(course.read, course.text(step), source)
    return mark + texts.render(text, source, step, course.numbers(), blocks)


def _lists(course: Course, made: list[Made]) -> Iterator[tuple[Path, str]]:
    steps = [each.step for each in made]
    parts = list(course.ready_parts())
    for name, lines in (("pixi.toml", tables.tasks(steps, parts)), ("pyproject.toml", tables.scripts(steps, parts))):
        text = _read_source(read_text, course.root / name, name)
        yield Path(name), tables.replace_between(text, tables.IN_TOML, lines, name)
    if (course.root / "README.md").exists():
        lines = tables.readme(course, {each.step.slug: each.names for each in made})
        text = _read_source(read_text, course.root / "README.md", "README.md")
        yield Path("README.md"), tables.replace_between(text, tables.IN_MARKDOWN, lines, "README.md")


def _sentence(change: Change) -> str:
    place = f"{change.path.as_posix()} {change.why}"
    if change.kind != "keep":
        return f"{place}: {COMMAND} mends it"
    mend = "move the learner's work elsewhere and delete it"
    if change.text is not None:
        mend = f"pixi run reset {change.path.stem.replace('step_', 's')} brings the stub back"
    return f"{place}: generate --check is the maintainer's, whose steps are as generated; {mend}"


def _diff(course: Course, change: Change) -> tuple[str, ...]:
    current = stubs.current(course.root / change.path)
    if current is None or change.text is None:
        return ()
    path = change.path.as_posix()
    lines = list(
        unified_diff(current.splitlines(), change.text.splitlines(), path, f"{path} (generated)", "", "", 2, "")
    )
    if len(lines) > DIFF_LINES:
        lines[DIFF_LINES - 1 :] = [f"… {len(lines) - DIFF_LINES + 1} more lines"]
    return tuple(lines)


def _read_source(read: Callable[[Path], str], path: Path, filename: str) -> str:
    try:
        return read(path)
    except FileNotFoundError:
        raise CourseError("is missing", filename) from None
    except UnicodeDecodeError:
        raise CourseError("is not UTF-8: save it as UTF-8", filename) from None
