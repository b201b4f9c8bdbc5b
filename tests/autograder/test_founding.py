"""A course of one's own: made by one command, about something that the engine knows nothing of, and graded by it."""

import json
import re
import subprocess
import sys
import tomllib

import pytest

from autograder import course as courses
from autograder import founding
from autograder.errors import NotDone, UsageError

PUZZLE = '''"""Insertion sort: each number is put where it belongs among those before it."""


def insertion_sort(numbers: list[float]) -> list[float]:
    """Return the numbers in order, smallest first, in a list of their own."""
    # BEGIN SOLUTION
    # STUB: # TODO 1: a list of your own, to which each number is added where it belongs   [6 lines]
    # STUB: raise NotImplementedError("step {step}: insertion_sort")
    found: list[float] = []
    for number in numbers:
        at = len(found)
        while at > 0 and found[at - 1] > number:
            at -= 1
        found.insert(at, number)
    return found
    # END SOLUTION
'''
CHECKER = '''"""Insertion sort is judged against Python's own `sorted`."""

from autograder.checking import check, equivalent, mistake, variant
from autograder.comparing import equal


@check(passed="the numbers come back in order", failed="the numbers do not come back in order: got {got}")
def sorts(student, draw):
    for count in (0, 1, 2, 9, 30):
        numbers = [draw.integer(1, 20) for _ in range(count)]
        equal(student.insertion_sort(numbers), sorted(numbers))


@check(passed="the list that is given stays as it was", failed="the list that is given does not stay as it was")
def leaves_its_input(student, draw):
    numbers = [draw.integer(1, 6) for _ in range(5)] + [0]
    result, (after,) = student.insertion_sort.call_keeping(numbers)
    equal(result, sorted(numbers))
    equal(after, numbers)


mistake("turned", "> number", "< number", "The largest comes first. The smallest is to come first.")
mistake(
    "in-place",
    "found: list[float] = []",
    "numbers.sort()\\n    found: list[float] = []",
    "The list that came in is sorted itself. It belongs to the caller.",
    again=[("    return found", "    numbers[:] = found\\n    return found")],
)
mistake(
    "as-it-was",
    "at > 0 and",
    "at < 0 and",
    "The numbers come back as they came. Each has to go where it belongs.",
    again=[("    return found", "    return list(numbers)")],
)
variant("sorted", "    return found", "    return sorted(numbers)")
variant("slices", "found.insert(at, number)", "found[at:at] = [number]")
equivalent("found[at - 1] > number", "found[at - 1] >= number", "Equal numbers cannot be told apart.")
'''


@pytest.fixture(scope="module")
def sorting(tmp_path_factory):
    """Return the folder of a new course."""
    folder = tmp_path_factory.mktemp("own") / "Sorting 101"
    founding.found(folder, "Sorting, one puzzle at a time")
    return folder


def run(folder, *args):
    """Run the course's own engine, as its tasks do."""
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *args],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_new_course_has_one_step_that_fails_and_its_solution_passes(sorting):
    assert run(sorting, "check", "s01")[0] == 1
    code, out = run(sorting, "check", "s01", "--tree", "solutions", "--json")
    assert (code, json.loads(out)["outcome"]) == (0, "passed")
    assert run(sorting, "generate", "--check")[0] == 0


def test_its_tasks_and_scripts_are_its_own_and_nothing_names_gpt2(sorting):
    pixi = tomllib.loads((sorting / "pixi.toml").read_text(encoding="utf-8"))
    package = tomllib.loads((sorting / "pyproject.toml").read_text(encoding="utf-8"))
    assert pixi["workspace"]["name"] == package["project"]["name"] == "sorting-101"
    assert pixi["workspace"]["description"] == "Sorting, one puzzle at a time"
    tasks = pixi["tasks"] | pixi["feature"]["dev"]["tasks"]
    assert {"s01", "check", "new", "verify", "record"} <= tasks.keys()
    assert all(task["cmd"].startswith("python -m autograder ") for task in tasks.values())
    assert set(package["project"]["scripts"]) == {"autograder", "s01", "bug1"}
    assert set(package["project"]["optional-dependencies"]) == {"dev"}
    for path in sorting.rglob("*"):
        if path.is_file() and "autograder" not in path.relative_to(sorting).parts and path.name != "CONTRIBUTING.md":
            assert not re.search("gpt.?2", path.read_text(encoding="utf-8"), re.IGNORECASE), path


def test_a_step_about_something_else_is_added_at_its_end_and_certified(sorting):
    code, out = run(sorting, "new", "insertion_sort", "--after", "double", "--title", "Insertion Sort")
    assert code == 0, out
    (sorting / "puzzles" / "insertion_sort.py").write_text(PUZZLE, encoding="utf-8")
    (sorting / "tests" / "steps" / "insertion_sort.py").write_text(CHECKER, encoding="utf-8")
    text = sorting / "puzzles" / "insertion_sort.md"
    said = text.read_text(encoding="utf-8")
    said = said.replace("`return ____ * ____`", "`while ____ and found[____] > number`").replace(
        "print(insertion_sort(1.5))", "print(insertion_sort([2, 1]))"
    )
    text.write_text(
        said.replace("One of its factors is `x`.", "Where does 2 go in 1, 3?").replace("3.0", "[1, 2]"),
        encoding="utf-8",
    )
    for verb in (["record"], ["record", "--mistakes", "insertion_sort"], ["generate"]):
        code, out = run(sorting, *verb)
        assert code == 0, out
    code, out = run(sorting, "verify")
    assert code == 0, out
    assert "2 of 2 steps hold" in out
    assert "mistakes named 3/3" in out
    assert run(sorting, "check", "s02")[0] == 1
    assert run(sorting, "check", "s02", "--tree", "solutions")[0] == 0


@pytest.mark.parametrize(
    ("name", "title", "sentence"),
    [
        ("file", "A", "is a file: name a folder"),
        ("full", "A", "is not empty: name another folder, nothing there is written over"),
        ("no/such", "A", "is not there: make it first"),
        ("new", 'a "title"', "a title is a line of text, without quotation marks and backslashes"),
        ("new", " ", "a title is a line of text"),
    ],
)
def test_what_will_not_do_is_refused_in_a_sentence(tmp_path, name, title, sentence):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=re.escape(sentence)):
        founding.found(tmp_path / name, title)
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


def test_an_engine_without_its_checkout_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(founding, "_ENGINE", tmp_path / "autograder")
    with pytest.raises(UsageError, match="is not beside the engine"):
        founding.found(tmp_path / "own", "A")


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(founding.blank, "make", full)
    with pytest.raises(NotDone, match="No space left on device"):
        founding.found(tmp_path / "own", "A")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_that_is_there_is_taken(tmp_path):
    (tmp_path / "own").mkdir()
    assert founding.found(tmp_path / "own", "A Title").title == "A Title"
    assert courses.load(tmp_path / "own").steps[0].slug == founding.SLUG
