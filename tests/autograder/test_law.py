"""A law that a failing file breaks is told in words, on the smallest input that shows it; one that holds is silent."""

import courses
import pytest
import torch

from autograder import counterexample, law
from autograder import course as loading
from autograder.checking import read_checker
from autograder.draw import Draw
from autograder.gate import laws
from autograder.gate.stand import Stand
from autograder.judge import Order, judge

CHECKER = """
from autograder import law
from autograder.checking import check
from autograder.comparing import close


@check(passed="it doubles", failed="it does not double")
def doubles(student, draw):
    x = draw.normal(batch=2, seq=4, width=3)
    close(student.double(x), 2 * x)


{laws}
def double(student, draw):
    return law.Subject(student.double, lambda draw, batch, seq: (draw.normal(batch=batch, seq=seq, width=3),))
"""
PUZZLE = '''"""Twice."""

import torch


def double(x):
    # BEGIN SOLUTION
    # STUB: raise NotImplementedError
    return 2 * x
    # END SOLUTION
'''


@pytest.fixture
def told(tmp_path, nursery):
    """Return a function that judges a body of `double` under some laws, and returns the first line's further words."""

    def judged(body, *names, seed="91c2"):
        declared = CHECKER.format(laws="\n".join(f"@law.{name}" for name in names))
        root = courses.one_step(tmp_path, checker=declared, puzzle=PUZZLE.replace("double", "double"))
        course = loading.load(root)
        path = tmp_path / "answer.py"
        path.write_text(f"import torch\n\n\ndef double(x):\n    {body}\n", encoding="utf-8")
        report = judge(course, Order(course.steps[0], file=path, shown="steps/step_01.py", seed=seed), nursery)
        return report.outcome, report.checks[0].detail

    return judged


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("causal", "return 2 * x + x.sum(1, keepdim=True)", "of 2 tokens, changing token 1 moves position 0, from "),
        ("causal", "return 2 * x.flip(1)", "of 2 tokens, changing token 1 moves position 0, from "),
        ("tokens_apart", "return x.cumsum(1)", "of 2 tokens, changing token 0 moves position 1, from "),
        ("rows_apart", "return 2 * x + x.mean(0)", "in a batch of 2, changing row 0 moves row 1, from "),
        ("same_twice", "return 2 * x + torch.rand(1)", "the same call a second time moves position 0, from "),
        ("inputs_kept", "return x.mul_(3)", "the call changes its own input, from "),
        ("unmoved_by_a_shift", "return x", "adding 1 to all numbers of a row moves its output, from "),
        ("is_identity", "return 3 * x", "with its output projections zero it turns "),
    ],
)
def test_a_law_that_is_broken_is_told_on_the_smallest_input(told, name, body, says):
    outcome, detail = told(body, name)
    assert outcome == "failed"
    found = [line for line in detail if line.startswith(f"law: {says}")]
    assert len(found) == 1, detail
    assert ": " in found[0]  # what it says is followed by what holds
    assert told(body, name)[1] == detail  # the same seed, the same words


@pytest.mark.parametrize("name", ["causal", "tokens_apart", "rows_apart", "same_twice", "inputs_kept"])
@pytest.mark.parametrize(
    "body",
    [
        "return 3 * x",  # wrong, and no law of these is broken
        "return None",
        "return x[:, 0]",
        "return x.sum()",
        "return x[:, :1].expand_as(x).sum(-1) if len(x) > 9 else x.tolist()",
        "raise ValueError('no')",
        "return x if x.shape[1] == 4 else 1 / 0",
        "import os; os._exit(3)",
    ],
)
def test_a_law_that_holds_or_cannot_be_asked_is_silent(told, name, body):
    outcome, detail = told(body, name)
    assert outcome != "passed"
    assert not any(words in line for line in detail for words in ("changing", "a second time", "its own input"))


def test_nothing_is_searched_for_what_passes(told, monkeypatch):
    monkeypatch.setattr(counterexample, "search", lambda *_: pytest.fail("there is nothing to explain"))
    assert told("return x + x", "causal", "same_twice")[0] == "passed"


def test_laws_of_weights_and_of_one_parameter_under_two_names():
    sizes, draw = law.Sizes(1, 2, 0), Draw("91c2", "law")
    checker = read_with("rows_sum_to_one", "tied")
    sums, tied = (each.broken for each in checker.laws)

    def average(scale):
        def attend(query, key, value):
            return scale * torch.softmax(query @ key.transpose(-2, -1), -1) @ value

        def inputs(draw, batch, seq):
            return tuple(draw.normal(batch, seq + at, 4) for at in (0, 1, 1))

        return law.Subject(attend, inputs)

    assert sums(average(1.0), sizes, draw) is None
    told = sums(average(0.5), sizes, draw)
    assert told == "with values that are all 1, a query gets 0.5: its weights add up to that, not to 1"
    table = law.Subject(lambda table: table, lambda draw, *_: (draw.normal(3, 2),))
    assert tied(table, sizes, draw) is None
    other = tied(table._replace(call=torch.zeros_like), sizes, draw)
    assert other.startswith("where ")
    assert other.endswith("was written into the table, the head has 0: one parameter under two names")


def read_with(*names):
    """Return a checker with these laws."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "double.py"
        path.write_text(CHECKER.format(laws="\n".join(f"@law.{name}" for name in names)), encoding="utf-8")
        return read_checker(path)


MISTAKE = '\n\nfrom autograder.checking import mistake\nmistake("added-up", "2 * x", "{new}", "It is added up.")\n'


@pytest.mark.parametrize(
    ("names", "new", "sentences"),
    [
        (("tokens_apart",), "2 * x.cumsum(1)", []),
        (("tokens_apart",), "3 * x", ["no mistake breaks a law of double"]),
        (("unmoved_by_a_shift",), "3 * x", ["the solution is right, and breaks the law unmoved_by_a_shift"]),
    ],
)
def test_the_gate_tries_laws_on_what_is_right_and_on_a_mistake(tmp_path, nursery, names, new, sentences):
    declared = CHECKER.format(laws="\n".join(f"@law.{name}" for name in names)) + MISTAKE.format(new=new)
    course = loading.load(courses.one_step(tmp_path, checker=declared, puzzle=PUZZLE))
    proof = laws.prove(Stand(course, course.steps[0], nursery))
    assert [fault.sentence.partition(":")[0] for fault in proof.faults] == sentences
    assert (proof.done == proof.of) == (not sentences)


def test_the_search_leaves_nothing_in_the_folder(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told("return x.cumsum(1)", "tokens_apart")
    assert not (tmp_path / ".hypothesis").exists()


BARE = """


@law.inputs_kept
def bare(student, draw):
    return law.Subject(lambda x: student.double(x), lambda draw, batch, seq: (draw.normal(batch, seq, 3),))
"""


def test_a_law_that_raises_is_the_courses_fault_and_costs_no_learner_a_line(tmp_path, nursery):
    root = courses.one_step(tmp_path, checker=CHECKER.format(laws="@law.same_twice") + BARE, puzzle=PUZZLE)
    course = loading.load(root)
    path = tmp_path / "answer.py"
    path.write_text("def double(x):\n    return 3 * x\n", encoding="utf-8")
    report = judge(course, Order(course.steps[0], file=path, shown="steps/step_01.py", seed="91c2"), nursery)
    assert (report.outcome, len(report.checks)) == ("failed", 1)
    (note,) = report.notes
    assert "mean.py:" in note
    assert "the law inputs_kept raises TypeError: Subject's call has to be the learner's own here" in note
    proof = laws.prove(Stand(course, course.steps[0], nursery))
    assert [fault.sentence.partition(" raises ")[0].partition(": ")[2] for fault in proof.faults] == [
        "the law inputs_kept"
    ]
