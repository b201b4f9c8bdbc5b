"""Part I's bug: its steps are right in one file, and what is hidden there is a mistake that runs."""

import ast
from collections import Counter
from itertools import islice

import pytest

from autograder import hunt, judge, source
from autograder.culprit import reach
from autograder.submission import Submission
from autograder.supervisor import Limits
from autograder.trial import Trial

SHOWN = "steps/bug_1.py"


@pytest.fixture
def part(course):
    return hunt.part_called(course, "1")


@pytest.fixture
def trial(course, part, nursery):
    return Trial(course, part.steps, nursery, Limits())


def test_without_the_mistake_every_step_s_checks_pass_on_the_one_file(part, trial):
    data = part.suspects().right().encode()
    found = trial.verdicts(Submission(SHOWN, source.parse(data, SHOWN), data), "91c2")
    outcomes = {step.slug: verdict.outcome for step, verdict in found}
    assert outcomes == dict.fromkeys([step.slug for step in part.steps], "passed")


def test_what_a_seed_gives_runs_and_fails(part, trial):
    """And not at its own step alone, as it is drawn."""
    first = islice(part.suspects().ordered("91c2"), 12)
    assert any(reach(trial, culprit, SHOWN, "91c2") for culprit in first)


def test_there_is_enough_to_draw_from(part):
    """From most steps, each program another one: a file names its mistake."""
    found = list(part.suspects().ordered("91c2"))
    steps = Counter(culprit.step.slug for culprit in found)
    assert len(found) > 200
    assert len(steps) > 8
    assert "config" not in steps  # a wrong number there is read, not hunted
    assert len({culprit.sha256 for culprit in found}) == len(found)


def test_what_the_docstrings_promise_is_right(part):
    """As the file says at its top, of every mistake that may be drawn."""
    suspects = part.suspects()
    right = docstrings(suspects.right())
    wrong = [culprit.mistake.name for culprit in suspects.ordered("91c2") if docstrings(culprit.text) - right]
    assert wrong == []


def test_no_comment_of_the_file_is_the_mistakes_own(part):
    """A comment that only the wrong code has would give it away."""
    suspects = part.suspects()
    right = comments(suspects.right())
    assert [culprit.mistake.name for culprit in suspects.ordered("91c2") if comments(culprit.text) - right] == []


def test_the_advice_is_short_and_of_this_part(part):
    advice = (part.course.root / "puzzles" / "bugs" / f"{part.name}.md").read_text(encoding="utf-8")
    assert advice.startswith("How others find such bugs:\n")
    assert len(advice.split()) < 250


def docstrings(text):
    kinds = (ast.Module, ast.FunctionDef, ast.ClassDef)
    return {ast.get_docstring(node) for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)}


def comments(text):
    return {line.partition("# ")[2] for line in text.splitlines() if "# " in line}


def test_whoever_passes_the_last_step_of_the_part_is_offered_it(course):
    last = course.find("generate")
    said = judge._next(course, judge.Order(last, road="./pixiw run"), "passed", "", None)  # noqa: SLF001
    assert said == "./pixiw run bug1: all of it with one mistake, for you to find"
    before = course.find("load_weights")
    assert judge._next(course, judge.Order(before), "passed", "", None) == f"pixi run {last.task}"  # noqa: SLF001
