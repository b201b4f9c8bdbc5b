"""course.toml, and the names that a step goes by."""

import subprocess
import sys
from contextlib import suppress

import courses
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import errors
from autograder.course import Course, Step, find_root, load


@pytest.fixture
def course(tmp_path):
    return load(courses.make(tmp_path))


def broken(tmp_path, text):
    courses.put(tmp_path, "course.toml", text)
    with pytest.raises(errors.CourseError) as caught:
        load(tmp_path)
    return str(caught.value)


def test_a_place_in_the_list_is_the_number(course):
    assert [(step.number, step.slug) for step in course.steps] == [(1, "config"), (2, "mask"), (3, "attention")]
    assert course.steps[0] == Step(1, "config", "Create Model Configuration", "I. Model")
    assert (course.name, course.title, course.parts) == ("c", "C", ("I. Model",))
    assert course.numbers() == {"config": 1, "mask": 2, "attention": 3}


def test_numbers_go_on_from_part_to_part(tmp_path):
    text = courses.toml({"a": "A"}) + '[parts."II"]\nb = "B"\n'
    courses.put(tmp_path, "course.toml", text)
    course = load(tmp_path)
    assert [(step.number, step.part) for step in course.steps] == [(1, "I. Model"), (2, "II")]


def test_a_step_has_three_names_and_five_places(course):
    step = course.steps[1]
    assert (step.id, step.name, step.task) == ("02", "step_02", "s02")
    places = [course.puzzle(step), course.text(step), course.checker(step)]
    places += [course.stub(step), course.stub(step, "solutions")]
    assert [path.relative_to(course.root).as_posix() for path in places] == [
        "puzzles/mask.py",
        "puzzles/mask.md",
        "tests/steps/mask.py",
        "steps/step_02.py",
        "solutions/step_02.py",
    ]


def test_a_step_without_a_puzzle_is_planned_and_still_found(course):
    assert [course.is_planned(step) for step in course.steps] == [False, False, True]
    assert course.find("attention").number == 3


@pytest.mark.parametrize(
    "name",
    [
        *("2", "02", " 2 ", "s02", "S2", "s2", "step_02", "Step_2", "step-02", "mask", "MASK", "puzzles/mask.py"),
        *("step_02.py", "steps/step_02.py", "solutions/step_02.py", r"steps\step_02.py", "./steps/step_02.md"),
    ],
)
def test_every_spelling_finds_the_step(course, name):
    assert course.find(name).slug == "mask"


def test_a_hyphen_stands_for_an_underscore():
    course = Course(None, "c", "C", ("p",), (Step(1, "layer_norm", "t", "p"),))
    assert course.find("layer-norm").number == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("s77", 'there is no step "s77": there are 3 steps, 01 to 03'),
        ("0", 'there is no step "0": there are 3 steps, 01 to 03'),
        ("attentoin", 'there is no step "attentoin": did you mean attention (s03)?'),
        ("Msk", 'there is no step "Msk": did you mean mask (s02)?'),
        ("stp_02", 'there is no step "stp_02": did you mean s02?'),
        ("zzz", 'there is no step "zzz": there are 3 steps, 01 to 03, and each has a name in course.toml'),
        ("", "the name of a step is missing: its number (3) or its name in course.toml (attention)"),
    ],
)
def test_a_wrong_name_is_wrong_usage_and_hears_the_nearest(course, name, sentence):
    with pytest.raises(errors.UsageError) as caught:
        course.find(name)
    assert (str(caught.value), caught.value.exit_code) == (sentence, 2)


def test_a_course_of_one_step_says_so():
    with pytest.raises(errors.UsageError, match=r'^there is no step "2": there is 1 step, 01$'):
        Course(None, "c", "C", ("p",), (Step(1, "a", "t", "p"),)).find("2")


@given(
    number=st.integers(1, 200), zeros=st.integers(0, 2), prefix=st.sampled_from(["", "s", "S", "step_", "steps/step_"])
)
def test_any_number_of_the_course_finds_its_step(number, zeros, prefix):
    course = Course(None, "c", "C", ("p",), tuple(Step(n, f"slug{n}", "t", "p") for n in range(1, 201)))
    assert course.find(prefix + "0" * zeros + str(number)).number == number


@given(st.text(max_size=12))
def test_no_name_whatever_gives_anything_but_a_step_or_wrong_usage(name):
    course = Course(None, "c", "C", ("p",), (Step(1, "config", "t", "p"), Step(2, "mask", "t", "p")))
    with suppress(errors.UsageError):
        assert course.find(name) in course.steps


HEAD = 'name = "c"\ntitle = "C"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD + "[parts.x\n", "course.toml:3: is not TOML: Expected ']' at the end of a table declaration"),
        (
            HEAD + '[parts.x]\na = "A"\na = "B"\n',
            "course.toml:5: is not TOML: this name stands a second time in the same table",
        ),
        (HEAD, 'course.toml: there is no [parts."NAME"] with lines slug = "title" under it'),
        (HEAD + "parts = 3\n", 'course.toml:3: there is no [parts."NAME"] with lines slug = "title" under it'),
        (HEAD + '[parts]\na = "A"\n', 'course.toml:4: "a" is not a part: a part is a table [parts."a"]'),
        (HEAD + "[parts.x]\n", 'course.toml: no part has a step: a step is a line slug = "title"'),
        (HEAD + "[parts.x]\na = 3\n", 'course.toml:4: the title of "a" is not a text: write a = "Title"'),
        (HEAD + '[parts.x]\na = " "\n', 'course.toml:4: the title of "a" is not a text: write a = "Title"'),
        (
            HEAD + '[parts.x]\n"layer-norm" = "A"\n',
            'course.toml:4: "layer-norm" cannot name a module: use letters, digits and _, no digit first',
        ),
        (
            HEAD + '[parts.x]\nlambda = "A"\n',
            'course.toml:4: "lambda" is a word of Python itself and cannot name a module',
        ),
        (HEAD + '[parts.x]\ns07 = "A"\n', 'course.toml:4: "s07" reads like a step\'s number: name the concept'),
        (
            HEAD + '[parts.x]\na = "A"\n[parts.y]\nb = "B"\na = "A"\n',
            'course.toml:7: "a" is already step 01: a slug stands once in the course',
        ),
        (
            HEAD + '[parts.x]\na = "A"\nA = "A"\n',
            'course.toml:5: "A" is already step 01: a slug stands once in the course',
        ),
        ('title = "C"\n[parts.x]\na = "A"\n', 'course.toml: needs a line name = "…" above the parts'),
        ('name = 3\ntitle = "C"\n[parts.x]\na = "A"\n', 'course.toml:1: needs a line name = "…" above the parts'),
    ],
)
def test_a_broken_course_names_the_line(tmp_path, text, sentence):
    assert broken(tmp_path, text) == sentence


def test_a_missing_course_is_named(tmp_path):
    with pytest.raises(errors.CourseError) as caught:
        load(tmp_path)
    expected = f"course.toml: is missing: it lists the course's parts and steps (looked in {tmp_path})"
    assert (str(caught.value), caught.value.exit_code) == (expected, 3)


def test_another_encoding_is_named(tmp_path):
    (tmp_path / "course.toml").write_bytes(b'name = "c"\ntitle = "\xe9"\n')
    with pytest.raises(errors.CourseError, match=r"^course\.toml:2: is not UTF-8 here: save it as UTF-8$"):
        load(tmp_path)


def test_the_root_is_the_nearest_folder_upward(course):
    inner = course.root / "steps" / "deep"
    inner.mkdir(parents=True)
    assert find_root(inner) == find_root(course.root) == course.root.resolve()
    courses.put(inner, "course.toml", "")
    assert find_root(inner) == inner.resolve()


def test_outside_a_course_the_sentence_says_where_it_looked(tmp_path):
    with pytest.raises(errors.CourseError, match=r"^there is no course\.toml in .* or above it: run this inside the"):
        find_root(tmp_path)


def test_loading_the_course_brings_no_heavy_module():
    code = (
        "import sys, autograder.course; print(*{'dataclasses', 'inspect', 'ast', 'difflib', 'json'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_every_error_that_ends_a_command_owns_its_exit_code():
    codes = {"UsageError": 2, "CourseError": 3, "InternalError": 3, "Stale": 1}
    assert {name: getattr(errors, name).exit_code for name in codes} == codes
    assert str(errors.CourseError("message")) == "message"
