"""A failure is told its known mistake: by what the code gives, not by how it is written; what fits none is silence."""

import ast

import courses
import pytest
import torch

from autograder import course as loading
from autograder import locate
from autograder.evidence import Evidence, same
from autograder.judge import Order, judge

HEAD = '"""The mean."""\n\n\ndef mean(numbers):\n'


@pytest.fixture
def told(tmp_path, nursery):
    """Return a function that judges a body of `mean`, and returns the report's one check, and the whole report."""

    def judged(body, *, checker=courses.MEAN_CHECKER, seed="91c2", diagnose=True):
        course = loading.load(courses.one_step(tmp_path, checker=checker))
        path = tmp_path / "answer.py"
        path.write_text(HEAD + body, encoding="utf-8")
        order = Order(course.find("mean"), file=path, shown="steps/step_01.py", seed=seed, diagnose=diagnose)
        report = judge(course, order, nursery)
        return report.checks[0], report

    return judged


@pytest.mark.parametrize(
    ("body", "name", "line"),
    [
        ("    total = sum(numbers)\n    return total / max(len(numbers) - 1, 1)\n", "one-too-few", 6),
        (
            "    n = len(numbers)\n    n = n - 1 if n > 1 else n\n    return sum(x / n for x in numbers)\n",
            "one-too-few",
            7,
        ),
        ("    total = sum(numbers)\n    return total\n", "sum-alone", 6),
        (
            "    result = 0.0\n    for each in numbers:\n        result = result + each\n    return result\n",
            "sum-alone",
            8,
        ),
    ],
)
def test_the_same_mistake_in_any_words_gets_its_name_and_a_line(told, body, name, line):
    check, report = told(body)
    assert check.mistake.id == name
    assert (
        check.mistake.says
        == {"one-too-few": "It is divided by one too few.", "sum-alone": "The sum is not divided."}[name]
    )
    assert (check.where.file, check.where.line) == ("steps/step_01.py", line)
    assert report.notes == []


@pytest.mark.parametrize(
    "body",
    [
        "    return max(numbers)\n",
        "    return sum(numbers) / len(numbers) + 1\n",
        "    return None\n",
        "    raise NotImplementedError\n",
        "    raise ValueError('no')\n",
        "    return sum(numbers) if len(numbers) < 3 else 0.0\n",
    ],
)
def test_what_fits_no_mistake_is_silence(told, body):
    check, report = told(body)
    assert report.outcome in ("failed", "error")
    assert check.mistake is None
    assert not any("either" in text for text in check.detail)


def test_what_fits_on_one_seed_alone_is_silence(told):
    """The sum on this seed's numbers, and something else on the next one's."""
    first, _ = told("    print(sum(numbers))\n    return sum(numbers)\n")
    assert first.mistake.id == "sum-alone"
    printed = told("    print(sum(numbers))\n    return sum(numbers)\n", diagnose=False)[1].output.text.split()
    known = ", ".join(printed)
    check, _ = told(f"    total = sum(numbers)\n    return total if total in ({known}) else 0.0\n")
    assert check.mistake is None


def test_mistakes_that_both_fit_make_a_list(told):
    checker = (
        courses.MEAN_CHECKER + '\nmistake("sum-only", "total / len(numbers)", "1 * total", "Nothing is divided.")\n'
    )
    check, _ = told("    return sum(numbers)\n", checker=checker)
    assert check.mistake is None
    assert check.detail[:2] == ["either: The sum is not divided.", "or: Nothing is divided."]


def test_a_mistake_that_cannot_be_played_is_said_and_changes_no_verdict(told):
    checker = courses.MEAN_CHECKER + '\nmistake("gone", "averages", "x", "Says.")\n'
    check, report = told("    return sum(numbers)\n", checker=checker)
    assert check.mistake.id == "sum-alone"
    (said,) = set(report.notes)
    assert said.startswith("a known mistake could not be compared with yours: ")
    assert 'gone: "averages" does not stand in the finished code' in said


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("    raise ValueError('in other words')\n", "refused"),
        ("    raise ValueError\n", "refused"),
        ("    raise TypeError('too few')\n", None),
        ("    assert not numbers, 'in other words'\n", "asserted"),
        ("    return int('too few')\n", None),  # a ValueError too, and not the author's will
    ],
)
def test_the_words_of_a_raise_are_its_authors(told, body, name):
    old = "total / len(numbers)"
    checker = courses.MEAN_CHECKER + (
        f'\nmistake("refused", "return {old}", "raise ValueError(\'too few\')", "All is refused.")\n'
        f'\nmistake("asserted", "return {old}", "assert not numbers, total", "All is refused by assert.")\n'
    )
    check, _ = told(body, checker=checker)
    assert (check.mistake and check.mistake.id) == name


def test_a_pass_is_not_diagnosed_and_diagnosis_can_be_left_out(told):
    assert told("    return sum(numbers) / len(numbers)\n")[1].outcome == "passed"
    assert told("    return sum(numbers)\n", diagnose=False)[0].mistake is None


# ------------------------------------------------------------------------------------------------------------ evidence


def shown(mine, right=None, words=("e", "g")):
    values = None if mine is None else (mine, torch.zeros(4) if right is None else right)
    return Evidence("failed", words, values)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (None, None, True),
        (None, shown(None), False),
        (shown(None), shown(None), True),
        (shown(None), shown(None, words=("e", "h")), False),
        (shown(None), Evidence("error", ("e", "g")), False),
        (shown(torch.ones(4)), shown(torch.ones(4) * 1.001), True),
        (shown(torch.ones(4)), shown(torch.ones(4) * 1.2), False),
        (shown(torch.ones(4)), shown(torch.ones(4).double(), right=torch.zeros(4)), False),
        (shown(torch.ones(4)), shown(torch.ones(4), right=torch.ones(4) / 2), False),
        (shown(torch.ones(5)), shown(torch.ones(5)), True),  # of another shape than what is asked for
        (shown(torch.ones(5)), shown(torch.ones(5) * 1.001), False),
        (shown(torch.tensor([1, NAN, 1, INF])), shown(torch.tensor([1, NAN, 1, INF])), True),
        (shown(torch.tensor([1, NAN, 1, INF])), shown(torch.tensor([1, NAN, 1, -INF])), False),
        (shown(torch.full((4,), NAN)), shown(torch.full((4,), NAN)), True),
        (shown(3, right=4), shown(3, right=4), True),
        (shown(3, right=4), shown(3.0, right=4), False),
        (shown(torch.ones(2), right=4), shown(torch.ones(2), right=4), True),
        (shown(torch.ones(2), right=4), shown(None, right=4), False),
        (shown([torch.ones(2), 1], right=4), shown([torch.ones(2), 1], right=4), True),
        (shown([torch.ones(2), 1], right=4), shown([torch.ones(2), 2], right=4), False),
    ],
)
def test_two_programs_show_a_check_the_same(one, other, is_same):
    assert same(one, other) is is_same
    assert same(other, one) is is_same


# -------------------------------------------------------------------------------------------------------------- locate

RIGHT = "class A:\n    def f(self, x):\n        y = x + 1\n        return y * 2\n\n\ndef g(x):\n    return x\n"


@pytest.mark.parametrize(
    ("learner", "mistaken", "line"),
    [
        (RIGHT.replace("x + 1", "x - 1"), RIGHT.replace("x + 1", "x - 1"), 3),
        (RIGHT.replace("x + 1", "x + (-1)"), RIGHT.replace("x + 1", "x - 1"), 3),  # the same name is made
        ("\n\n" + RIGHT.replace("y * 2", "y + y - y"), RIGHT.replace("y * 2", "y"), 6),  # a return
        (RIGHT.replace("y = x + 1\n        return y * 2", "raise ValueError"), RIGHT.replace("x + 1", "x - 1"), 2),
        (RIGHT, RIGHT.replace("return x", "return 2 * x"), 8),
        ("def g(x):\n    pass\n", RIGHT.replace("x + 1", "x - 1"), None),
        (RIGHT, RIGHT, None),
    ],
)
def test_the_line_of_a_known_mistake(learner, mistaken, line):
    found = locate.place(ast.parse(learner), mistaken, RIGHT)
    assert (found and found.line) == line
