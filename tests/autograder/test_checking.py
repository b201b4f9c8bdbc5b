"""A checker's words: what they declare, how they fail, and that a fault of the course is never a pass."""

import courses
import pytest
import torch

from autograder import course as loading
from autograder.checking import fill, read_checker
from autograder.comparing import Failed, close, equal, fail, holds, load
from autograder.errors import CourseError
from autograder.judge import Order, judge
from autograder.report import EXIT_CODES
from autograder.student import StudentRaised
from autograder.wire import Raised

IMPORTS = """\
from autograder.checking import check, forbids
from autograder.comparing import close, equal, fail, holds

"""
PLAIN = '@check(passed="yes", failed="no, got {got}")\n'


@pytest.fixture
def checks(tmp_path):
    """Return a function that reads a checker with this text."""

    def read(text):
        return read_checker(courses.put(tmp_path, "tests/steps/config.py", IMPORTS + text)).checks

    return read


@pytest.fixture
def report(tmp_path, nursery):
    """Return a function that judges a learner's text as step 01 of a small course with this checker."""

    def judged(checker, text="answer = 1\n"):
        root = courses.make(tmp_path)
        courses.put(root, "tests/steps/config.py", IMPORTS + checker)
        if "torch" in text:  # then a worker has it from its ancestor
            courses.put(root, "puzzles/config.py", f"import torch\n{courses.CONFIG}")
        course = loading.load(root)
        file = courses.put(root, "answer.py", text)
        return judge(course, Order(course.steps[0], file=file, shown="steps/step_01.py", seed="1"), nursery)

    return judged


def broken(checks, text):
    with pytest.raises(CourseError) as caught:
        checks(text)
    return caught.value.line, caught.value.message


# ------------------------------------------------------------------------------------------------------- declarations


def test_a_check_is_a_line_with_its_words_and_wants(checks):
    (one,) = checks(f"{PLAIN}def first(student, draw):\n    pass\n")
    assert (one.id, one.passed, one.failed, one.wants) == ("first", "yes", "no, got {got}", ("student", "draw"))
    assert one.declared
    assert not one.static


def test_each_is_a_line_an_item_in_order(checks):
    words = 'passed="{item} is right", failed="{item} is {got}"'
    made = checks(f'@check.each(["b", "a"], {words})\ndef all_of(item, source):\n    pass\n')
    assert [(one.id, one.passed, one.failed, one.item) for one in made] == [
        ("all_of[b]", "b is right", "b is {got}", "b"),
        ("all_of[a]", "a is right", "a is {got}", "a"),
    ]
    assert all(one.static for one in made)


def test_an_undeclared_check_has_no_line_of_its_own(checks):
    first, second = checks(f'@check.undeclared(failed="no")\ndef a(student):\n    pass\n\n{PLAIN}def b():\n    pass\n')
    assert (first.declared, second.declared) == (False, True)


def test_forbids_is_a_line_and_a_ban(checks):
    (one,) = checks('forbids("torch.x", "torch.y", within=["f"], operators=["aten.x"], passed="own", failed="{got}")\n')
    assert (one.id, one.forbids.names, one.forbids.within) == ("forbids", ("torch.x", "torch.y"), ("f",))
    assert (one.forbids.ban.names, one.forbids.ban.operators) == (["torch.x", "torch.y"], ["aten.x"])
    assert not one.static


@pytest.mark.parametrize(
    ("code", "on_meta"),
    [
        ('x.to("meta")', True),
        ("def at():\n        return x.to('meta')\n    at()", True),
        ("'device=\"meta\"'", False),
        ("x.metadata", False),
    ],
)
def test_a_checker_that_goes_to_the_device_meta_is_known(tmp_path, code, on_meta):
    path = courses.put(tmp_path, "checker.py", f"{IMPORTS}{PLAIN}def first(student):\n    x = student\n    {code}\n")
    assert read_checker(path).on_meta == on_meta


def test_reading_one_checker_inside_another_keeps_them_apart(checks, tmp_path):
    other = courses.put(tmp_path, "other.py", f"{IMPORTS}{PLAIN}def inner():\n    pass\n")
    text = (
        f"from pathlib import Path\nfrom autograder.checking import read_checker\nread_checker(Path({str(other)!r}))\n"
    )
    assert [one.id for one in checks(f"{text}\n{PLAIN}def outer():\n    pass\n")] == ["outer"]


# The line is counted from the top of the file: IMPORTS takes three.
BROKEN = {
    "raises": ("x = 1\nraise KeyError('k')\n", 5, "the checker raises KeyError: 'k'"),
    "raises below": (
        "def f():\n    return 1 / 0\n\n\nf()\n",
        5,
        "the checker raises ZeroDivisionError: division by zero",
    ),
    "exits": ("raise SystemExit(0)\n", 4, "the checker raises SystemExit: 0"),
    "no Python": ("def f(:\n", 4, "the checker raises SyntaxError: invalid syntax (config.py, line 4)"),
    "unknown resource": (
        f"x = 1\n\n\n{PLAIN}def f(students):\n    pass\n",
        *(7, "f asks for students: a check can ask for student, oracle, draw, source and item"),
    ),
    "nothing": ("x = 1\n", None, "the checker declares no check"),
    "undeclared only": (
        '@check.undeclared(failed="no")\ndef f():\n    pass\n',
        *(None, "the checker declares no check"),
    ),
    "no items": (
        '@check.each([], passed="", failed="")\ndef f(item):\n    pass\n',
        None,
        "the checker declares no check",
    ),
    "two of a name": (f"{PLAIN}def f():\n    pass\n\n\n{PLAIN}def f():\n    pass\n", 9, "two checks are called f"),
    "two of an item": (
        '@check.each("aa", passed="", failed="")\ndef f(item):\n    pass\n',
        *(4, "two checks are called f[a]"),
    ),
    "a word missing": (
        '@check(passed="yes")\ndef f():\n    pass\n',
        *(4, "the checker raises TypeError: _CheckWord.__call__() missing 1 required keyword-only argument: 'failed'"),
    ),
}


@pytest.mark.parametrize(("text", "line", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_checker_is_named_with_its_line(checks, text, line, message):
    assert broken(checks, text) == (line, message)


def test_a_broken_checkers_path_and_line_make_a_link(checks, tmp_path):
    with pytest.raises(CourseError) as caught:
        checks("x = 1 / 0\n")
    path = (tmp_path / "tests/steps/config.py").as_posix()
    assert str(caught.value) == f"{path}:4: the checker raises ZeroDivisionError: division by zero"
    assert caught.value.exit_code == 3


def test_a_missing_checker_is_named(tmp_path):
    with pytest.raises(CourseError, match="the checker is missing"):
        read_checker(tmp_path / "none.py")


# ---------------------------------------------------------------------------------------------------------- the words


def failure(word, *args, **options):
    with pytest.raises(Failed) as caught:
        word(*args, **options)
    return caught.value


def test_equal_and_close_say_what_was_compared_below_what_differs():
    failed = failure(equal, 12.0, 12, says="this is n_layer")
    assert failed.found.detail == ("a float, where an int is asked for", "this is n_layer")
    failed = failure(close, torch.zeros(2), torch.ones(2), says="this is the weight")
    assert failed.found.detail[-1] == "this is the weight"
    assert failed.compared


def test_holds_fails_on_none_and_false_alone():
    for truth in (0, "", [], 0.0, True, torch.zeros(2)):
        holds(truth)
    for lie in (None, False):
        failed = failure(holds, lie, "why", expected="a", got="b")
        assert (failed.found.expected, failed.found.got, failed.found.detail) == ("a", "b", ("why",))
        assert not failed.compared
    assert failure(fail, "because").found.detail == ("because",)


class Module:
    def __init__(self, **state):
        self.state = state
        self.loaded = None

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        if {name: value.shape for name, value in state.items()} != {n: v.shape for n, v in self.state.items()}:
            raise StudentRaised(Raised("RuntimeError", "RuntimeError", "Error(s) in loading", []), "load_state_dict")
        self.loaded = state


def test_load_gives_the_weights_or_says_which_names_and_shapes_differ():
    state = {"weight": torch.ones(3), "bias": torch.zeros(3)}
    mine = Module(weight=torch.zeros(3), bias=torch.zeros(3))
    assert load(mine, state) is mine
    assert mine.loaded is state
    found = failure(load, Module(weight=torch.zeros(3), gain=torch.zeros(3)), state).found
    missing, extra = found.detail
    assert missing.startswith("its state dict lacks bias")
    assert extra.startswith("its state dict has gain")
    assert (found.expected, found.got) == ("bias", "gain")
    assert failure(load, Module(), state).found.got == "nothing"
    found = failure(load, Module(weight=torch.zeros(4), bias=torch.zeros(3)), state).found
    assert (found.expected, found.got, found.detail) == ("[3]", "[4]", ("weight has another shape",))


def test_load_lets_the_check_say_first_why_nothing_loads_and_hides_no_exception():
    state = {"weight": torch.ones(3)}
    assert failure(load, Module(), state, told=lambda: fail(got="no layers")).found.got == "no layers"
    mine = Module(weight=torch.zeros(3))
    mine.load_state_dict = Module().load_state_dict  # raises, whatever it is given
    with pytest.raises(StudentRaised, match="in loading"):
        load(mine, state)


def test_fill_leaves_other_braces_and_what_was_filled_in_alone():
    assert fill("{got} of {item}, {} {a b}", got="{item}") == "{item} of {item}, {} {a b}"


# --------------------------------------------------------------------------------------- a fault of the course, judged

FAULTS = {
    "raises": ("raise RuntimeError('oops')", "config.py:6: RuntimeError: oops"),
    "a failed assertion": ("assert 1 == 2", "config.py:6: AssertionError: "),
    "exits": ("raise SystemExit(0)", "config.py:6: SystemExit: 0"),
    "an oracle that is not finite": (
        "import torch; close(torch.ones(1), torch.ones(1) / 0)",
        "config.py:6: ValueError: the oracle's numbers are not finite",
    ),
    "an oracle of nothing": ("import torch; close(torch.ones(1), None)", "config.py:6: TypeError: "),
    "a value that cannot be sent": ("student.id(open)", "config.py:6: TypeError: a builtin_function_or_method cannot"),
}


@pytest.mark.parametrize(("body", "says"), FAULTS.values(), ids=FAULTS)
def test_a_check_that_raises_of_its_own_is_internal_and_says_where(report, body, says):
    made = report(f"{PLAIN}def first(student):\n    {body}\n\n\n{PLAIN}def second():\n    pass\n", "id = id\n")
    assert [one.outcome for one in made.checks] == ["internal", "passed"]
    assert made.outcome == "internal"
    assert EXIT_CODES[made.outcome] == 3
    (detail,) = made.checks[0].detail
    assert detail.startswith(f"the course itself is at fault, not your code: {says}")
    assert made.next == "pixi run doctor"


def test_an_undeclared_check_that_raises_is_internal_too(report):
    made = report(f'@check.undeclared(failed="no")\ndef a():\n    1 / 0\n\n\n{PLAIN}def b():\n    pass\n')
    assert [(one.id, one.outcome) for one in made.checks] == [("b", "passed"), ("a", "internal")]
    assert made.outcome == "internal"


def test_a_check_without_a_verdict_is_internal(report, monkeypatch):
    monkeypatch.setattr("autograder.run.Run._check", lambda *_: None)
    made = report(f"{PLAIN}def first():\n    pass\n")
    assert [(one.id, one.outcome, one.detail) for one in made.checks] == [
        ("first", "internal", ["no verdict was given"])
    ]
    assert EXIT_CODES[made.outcome] == 3


COMPARES = f"{PLAIN}def first(student):\n    import torch\n    close(student.answer(), torch.ones(3))\n"
RIGHT = "import torch\n\ndef answer():\n    return torch.ones(3)\n"


def test_a_comparison_that_is_broken_is_not_hidden(report, monkeypatch):
    assert report(COMPARES, RIGHT).outcome == "passed"

    def broken(*_, **__):
        raise ArithmeticError("broken on purpose")

    monkeypatch.setattr("autograder.difference.near", broken)
    made = report(COMPARES, RIGHT)
    assert made.outcome == "internal"
    assert "config.py:7: ArithmeticError: broken on purpose" in made.checks[0].detail[0]


def test_a_comparison_that_always_differs_fails_right_code(report, monkeypatch):
    from autograder.difference import Difference

    monkeypatch.setattr("autograder.difference.near", lambda *_, **__: Difference("a", "b"))
    made = report(COMPARES, RIGHT)
    assert (made.outcome, made.checks[0].got) == ("failed", "b")


def test_what_a_learner_returned_in_place_of_a_tensor_is_told(report):
    made = report(COMPARES, "def answer():\n    pass\n")
    assert made.outcome == "failed"
    assert made.checks[0].detail == ["nothing was returned: is a `return` missing?"]
    assert (made.checks[0].expected, made.checks[0].call) == (None, "answer()")


def test_a_number_too_long_to_print_is_a_wrong_number(report):
    made = report(f"{PLAIN}def first(student):\n    equal(student.answer, 1)\n", "answer = 10**5000\n")
    assert (made.outcome, made.checks[0].message) == ("failed", "no, got an int too long to print")
