"""Every puzzle's text has its sections, gives nothing away, and says only what is true."""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fresh_python import FreshPython

ROOT = Path(__file__).parents[2]
TEXTS = sorted(ROOT.glob("puzzles/*.md"))
PICTURES = sorted(ROOT.glob("book/pictures/*.svg"))
SECTIONS = (
    r"# Step \{step\}: \{title\} \(`step_\{step\}\.py`\)$",
    r"\*\*Purpose\*\*: ",
    r"## What (is|are) .*\?$",
    r"## Why .*\?$",
    r"### Key Concepts:$",
    r"### By Hand:$",
    r"### Implementation Tasks \(`step_\{step\}\.py`\):$",
    r"\*\*Implementation\*\*:$",
    r"<!-- STUB -->$",
    r"\*\*Predict\*\*: ",
    r"<details>$",
    r"### Validation:$",
    r"<!-- FAILED -->$",
    r"<!-- PASSED -->$",
    r"## Hints$",
    r"## What You Can Now Do$",
    r"## Where to Read On$",
    r"\*\*Reference\*\*: ",
)
RUNNABLE = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")

each_text = pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)


def prose(text: str) -> str:
    """Return the text without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def section(text: str, heading: str) -> str:
    """Return what stands below the heading, up to the next heading or bold label at a line's start."""
    found = re.search(
        rf"^{re.escape(heading)}.*?\n(.*?)(?=^##+ |^\*\*Implementation\*\*|\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert found, heading
    return found[1]


def items(block: str) -> list[tuple[int, str]]:
    """Return an ordered list's items: number and text, with all lines that belong to it."""
    found = re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", block, re.MULTILINE | re.DOTALL)
    return [(int(number), text) for number, text in found]


def fences(puzzle: str) -> tuple[list[str], list[str]]:
    """Return the lines of the stub and the lines of the solution that stand in the puzzle's fences."""
    stub, solution = [], []
    for block in re.findall(r"^ *# BEGIN SOLUTION\n(.*?)^ *# END SOLUTION$", puzzle, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            target = stub if line.strip().startswith("# STUB:") else solution
            target.append(line.strip().removeprefix("# STUB:").strip())
    return stub, solution


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def gives_away(hint: str, solution: list[str]) -> list[str]:
    """Return the solution's lines that stand in the hint; `else:` and the like are nobody's secret."""
    lines = [line for line in solution if len(re.findall(r"\w", line)) > 6 and not line.startswith("#")]
    return [line for line in lines if squeezed(line) in squeezed(hint)]


def slugs() -> list[str]:
    with (ROOT / "course.toml").open("rb") as file:
        return [slug for part in tomllib.load(file)["parts"].values() for slug in part]


def tasks() -> set[str]:
    with (ROOT / "pixi.toml").open("rb") as file:
        manifest = tomllib.load(file)
    return set(manifest["tasks"]) | set(manifest["feature"]["dev"]["tasks"])


def test_there_are_texts() -> None:
    assert {"config", "layer_norm"} <= {path.stem for path in TEXTS}


def test_a_solution_line_in_a_hint_is_found() -> None:
    solution = ["mean = x.mean(dim=-1, keepdim=True)", "else:"]
    assert gives_away("Write `mean=x.mean(dim=-1,\n   keepdim=True)`.", solution) == solution[:1]
    assert gives_away("Write `x.mean(dim=____, keepdim=____)`, or else: think.", solution) == []


@each_text
def test_the_sections_are_there_in_order(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert re.match(SECTIONS[0], lines[0])
    at = 0
    for pattern in SECTIONS:
        places = [number for number, line in enumerate(lines[at:], at) if re.match(pattern, line)]
        assert places, f"{pattern} is missing, or stands too early"
        at = places[0] + 1


@each_text
def test_the_text_has_a_puzzle_and_names_it(path: Path) -> None:
    assert path.with_suffix(".py").is_file()
    assert path.read_text(encoding="utf-8").rstrip().endswith(f"**Reference**: `puzzles/{path.stem}.py`")


@each_text
def test_each_task_is_a_todo_of_the_stub(path: Path) -> None:
    stub, _ = fences(path.with_suffix(".py").read_text(encoding="utf-8"))
    todos = [int(number) for line in stub for number in re.findall(r"TODO (\d+)", line)]
    numbers = [number for number, _ in items(section(path.read_text(encoding="utf-8"), "### Implementation Tasks"))]
    assert numbers == todos == list(range(1, len(todos) + 1))


@each_text
def test_four_hints_none_of_which_is_the_solution(path: Path) -> None:
    hints = items(section(path.read_text(encoding="utf-8"), "## Hints"))
    _, solution = fences(path.with_suffix(".py").read_text(encoding="utf-8"))
    assert solution
    assert [number for number, _ in hints] == [1, 2, 3, 4]
    assert hints[0][1].rstrip().endswith("?")
    assert "____" in hints[3][1]
    for _, hint in hints:
        assert gives_away(hint, solution) == []


@each_text
def test_links_lead_somewhere(path: Path) -> None:
    for picture, words, target in LINK.findall(prose(path.read_text(encoding="utf-8"))):
        if "://" in target:
            assert target.startswith("https://"), target
        else:
            assert (path.parent / target).is_file(), target
        assert len(words) > (60 if picture else 0), f"{target} needs an alternative text that says what it shows"


def test_there_are_pictures() -> None:
    """A step may do without; the course as a whole is drawn where that says more than words."""
    drawn = [path for path in TEXTS if any(picture for picture, _, _ in LINK.findall(path.read_text(encoding="utf-8")))]
    assert len(drawn) > len(TEXTS) / 2


@each_text
def test_only_known_steps_and_commands_are_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"\{step:([^}]*)\}", text)) <= set(slugs())
    assert not re.search(r"\b[Ss]teps? \d", text), "a step's number has one home: write {step:SLUG}"
    assert set(re.findall(r"(?:pixi|\./pixiw) run ([^\s`]+)", text)) <= tasks() | {"s{step}"}


@each_text
def test_no_output_of_the_autograder_is_typed(path: Path) -> None:
    assert not re.search("[✅❌]", path.read_text(encoding="utf-8"))


@each_text
def test_the_tone(path: Path) -> None:
    assert not re.findall(r"\b(?:just|simply|obviously)\b", path.read_text(encoding="utf-8"), re.IGNORECASE)


@each_text
def test_what_you_can_now_do_is_shown_with_its_output(path: Path) -> None:
    assert RUNNABLE.search(section(path.read_text(encoding="utf-8"), "## What You Can Now Do"))


@each_text
def test_runnable_blocks_print_what_the_text_says(path: Path, fresh_python: FreshPython) -> None:
    """A python block with a text block right below it is run, the reference standing in for the learner's step."""
    for code, output in RUNNABLE.findall(path.read_text(encoding="utf-8")):
        code = re.sub(r"steps\.step_\{step:(\w+)\}", r"puzzles.\1", code).replace(
            "steps.step_{step}", f"puzzles.{path.stem}"
        )
        assert fresh_python.run(code, ROOT) == (0, output, "")


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_pictures_stand_alone_and_speak(path: Path) -> None:
    """A title and a description for screen readers, nothing fetched, nothing run, no small print."""
    text = path.read_text(encoding="utf-8")
    tree = ElementTree.fromstring(text)  # noqa: S314 our own file
    space = "{http://www.w3.org/2000/svg}"
    assert tree.findtext(f"{space}title")
    assert len(tree.findtext(f"{space}desc") or "") > 100
    assert not re.search(r"<script|<image|<foreignObject|@import|@font-face|https?://(?!www\.w3\.org/2000/svg)", text)
    assert min(float(size) for size in re.findall(r"font-size: ?([\d.]+)px", text)) >= 12
