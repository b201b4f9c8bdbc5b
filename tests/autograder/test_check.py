"""`autograder check` as a learner, an editor and CI call it: what is remembered, offered, written and run again."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import course as courses
from autograder import generate
from autograder.memory import Memory

ROOT = Path(__file__).resolve().parents[2]
UNFINISHED = "def more():\n    raise NotImplementedError('step 01: more of it')\n\n\nmore()\n"
WRONG = "from dataclasses import dataclass\n\n\n@dataclass\nclass GPT2Config:\n    vocab_size: int = {value}\n"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Return a course of the first step alone, with this engine, and its file untouched."""
    root = tmp_path_factory.mktemp("desk")
    for name in ("puzzles/config.py", "puzzles/config.md", "tests/steps/config.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    for folder in ("steps", "solutions"):
        (root / folder).mkdir()
    (root / "course.toml").write_text('name = "c"\ntitle = "C"\n[parts.One]\nconfig = "Config"\n', encoding="utf-8")
    course = courses.load(root)
    made = generate.make(course, course.find("1"))
    course.stub(made.step, "solutions").write_text(made.solution, encoding="utf-8")
    return course, made


@pytest.fixture
def check(desk):
    """Return a function that checks a text as the learner's file, in a process of its own."""
    course, _ = desk

    def checked(text, *options, env=None, **more):
        if text is not None:
            course.stub(course.find("1")).write_text(text, encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
        environment |= {"INIT_CWD": str(course.root), "PYTHONUTF8": "1"} | (env or {})
        command = [sys.executable, "-m", "autograder", "check", *options]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", check=False, **more
        )

    return checked


def test_what_a_step_is_good_for_is_promised_where_it_does_not_pass(check):
    says = "\nWhat the step is good for is shown when it passes.\n"
    done = check(WRONG.format(value=1), "1", "--payoff")
    assert (done.returncode, done.stderr) == (1, says)
    assert says not in check(WRONG.format(value=1), "1").stderr


def test_one_todo_after_the_other_is_no_same_failure(desk, check):
    course, made = desk
    for comment in range(4):
        done = check(f"{UNFINISHED}# {comment}\n", "1")
        assert "not done yet: step 01: more of it\n" in done.stdout
        assert "the same checks failed" not in done.stdout
    assert Memory(course.root).same_failure_count(made.step.slug) == 0


def test_the_third_same_failure_offers_the_next_hint(desk, check):
    course, _ = desk
    for value in (1, 2):
        done = check(WRONG.format(value=value), "1")
        assert done.stdout.endswith("Next: edit steps/step_01.py, then pixi run s01; or pixi run hint s01\n")
        assert "the same checks failed" not in done.stdout
    done = check(WRONG.format(value=3), "1")
    assert done.returncode == 1
    assert "Note: the same checks failed 3 times or more: hint 1 of 4 is there for you\n" in done.stdout
    assert done.stdout.endswith("Next: pixi run hint s01\n")
    assert Memory(course.root).same_failure_count("config") == 3


def test_without_a_step_the_next_one_that_has_not_passed_is_checked(desk, check):
    _, made = desk
    done = check(made.stub, "--plain")
    assert done.stdout.startswith("Running tests for Step 01: Config...\n")
    check(made.solution, "1")
    done = check(None)
    assert (done.returncode, done.stdout) == (0, "Every step has passed: all there is, you have written.\n")


def test_another_file_and_the_solutions_are_not_remembered(desk, check):
    course, made = desk
    before = len(Memory(course.root).checks("config"))
    assert check(made.stub, "1", "--file", "solutions/step_01.py").returncode == 0
    assert check(made.stub, "1", "--tree", "solutions").returncode == 0
    assert len(Memory(course.root).checks("config")) == before


def test_the_bytes_that_were_judged_are_the_ones_that_are_remembered(desk, check):
    """A file that replaces itself while it is checked does not get the verdict of what it replaced."""
    course, made = desk
    path = course.stub(course.find("1"))
    sly = f"import pathlib\npathlib.Path({str(path)!r}).write_text('x = 1')\n{made.solution}"
    assert check(sly, "1").returncode == 0
    assert path.read_text(encoding="utf-8") == "x = 1"
    last = Memory(course.root).checks("config")[-1]
    assert Memory(course.root).version(last.sha256) == sly.encode()


def test_junit_is_written_beside_the_report(desk, check):
    course, made = desk
    done = check(made.stub, "1", "--junit", "out.xml")
    assert done.returncode == 1
    text = (course.root / "out.xml").read_text(encoding="utf-8")
    assert text.count("<testcase ") == 9
    assert text.count("<failure ") == 9
    done = check(None, "1", "--junit", "steps")
    assert done.returncode == 2
    assert "steps" in done.stderr


def test_an_editor_gets_a_line_a_failure_at_the_learners_own_line(desk, check):
    _, made = desk
    done = check(made.stub, "1", "--editor")
    lines = [line for line in done.stderr.splitlines() if "vocab_size" in line]
    number = made.stub.splitlines().index("    vocab_size: int = None") + 1
    says = "vocab_size is incorrect: expected match with Hugging Face model configuration, got None"
    assert lines == [f"steps/step_01.py:{number}:5: error: {says}"]


def test_github_gets_annotations_and_obeys_nothing_that_a_learner_prints(desk, check):
    _, made = desk
    text = f"print('::error::forged')\n{made.stub}"
    done = check(text, "1", env={"GITHUB_ACTIONS": "true"})
    before, token, rest = re.split(r"^::stop-commands::(\w+)$", done.stdout, maxsplit=1, flags=re.MULTILINE)
    assert len(re.findall(r"^::error file=\S*steps/step_01\.py,line=\d+", before, re.MULTILINE)) == 9
    assert "│ ::error::forged" in rest.partition(f"::{token}::")[0]


def test_debug_stops_at_a_breakpoint_in_the_first_failing_call(check):
    text = "def __getattr__(name):\n    breakpoint()\n    secret = 41\n    raise ValueError(name)\n"
    done = check(text, "1", "--debug", input="n\np secret + 1\nc\n")
    assert done.returncode == 1
    assert "once more, in the foreground: " in done.stderr
    assert "42" in done.stdout
    assert "ValueError: GPT2Config" in done.stdout


def test_a_breakpoint_without_debug_is_told_so(check):
    done = check("def __getattr__(name):\n    breakpoint()\n    raise ValueError(name)\n", "1")
    assert done.returncode == 1
    assert "a breakpoint() has nobody to talk to here: run the check with --debug" in done.stdout


def test_debug_has_nothing_to_do_when_all_passes(desk, check):
    _, made = desk
    done = check(made.solution, "1", "--debug")
    assert done.returncode == 0
    assert done.stderr == "autograder: no call has failed, so there is none to make again\n"


def test_a_memory_that_cannot_be_written_costs_no_verdict(desk, check):
    course, made = desk
    folder = course.root / ".autograder"
    folder.mkdir(exist_ok=True)
    aside = folder.rename(course.root / "aside")
    folder.write_text("a file in its place", encoding="utf-8")
    try:
        done = check(made.solution, "1", "--json")
    finally:
        folder.unlink()
        aside.rename(folder)
    assert done.returncode == 0
    assert json.loads(done.stdout)["outcome"] == "passed"
    assert "nothing could be remembered of this: .autograder/: " in done.stderr
