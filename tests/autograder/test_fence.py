"""A puzzle's fences: which lines the solution has, which the stub, and every way to get a fence wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import CourseError
from autograder.fence import public_names, split

NUMBERS = {"config": 1, "mask": 3, "attention": 12, "mlp": 2, "mlp2": 4}
FENCE = "# BEGIN SOLUTION\nx = 1\n# END SOLUTION\n"
ROOT = Path(__file__).resolve().parents[2]


def solution(text, number=20):
    return split(text, "p.py").solution(number, NUMBERS)


def stub(text, number=20):
    return split(text, "p.py").stub(number, NUMBERS)


def problem(text, number=20):
    with pytest.raises(CourseError) as caught:
        (solution(text, number), stub(text, number))
    return str(caught.value)


FUNCTION = """\
def f(x):
    # BEGIN SOLUTION
    # STUB: # TODO 1: double it   [1 line]
    # STUB:
    # STUB: raise NotImplementedError("step {step}: f")
    return 2 * x
    # END SOLUTION


def g():
    return "{step}"
"""


def test_the_solution_is_the_file_without_fences_and_stub_lines():
    assert solution(FUNCTION) == 'def f(x):\n    return 2 * x\n\n\ndef g():\n    return "{step}"\n'


def test_the_stub_has_the_stub_lines_at_the_fence_s_indentation():
    assert stub(FUNCTION, 7) == (
        "def f(x):\n    # TODO 1: double it   [1 line]\n\n"
        '    raise NotImplementedError("step 07: f")\n\n\ndef g():\n    return "{step}"\n'
    )


def test_only_one_space_after_the_colon_is_taken_away():
    text = "# BEGIN SOLUTION\n# STUB: if True:\n# STUB:     x = None\nx = 1\n# END SOLUTION\n"
    assert stub(text) == "if True:\n    x = None\n"


def test_windows_line_ends_read_as_plain_ones():
    assert split(FUNCTION.replace("\n", "\r\n"), "p.py") == split(FUNCTION, "p.py")


def test_a_fence_inside_a_string_is_the_string_s_own():
    text = 's = """\n# BEGIN SOLUTION\n\n\n\n# STUB: x\n"""\n# BEGIN SOLUTION\n# STUB: x = 0\nx = 1\n# END SOLUTION\n'
    assert solution(text) == 's = """\n# BEGIN SOLUTION\n\n\n\n# STUB: x\n"""\nx = 1\n'


def test_blank_lines_inside_a_string_stay_and_others_are_at_most_two():
    text = 'f"""a\n\n\n\n{1}\n\n\n\nb"""\nx = 1\n\n\n\n\n# BEGIN SOLUTION\n\n\n\ny = 1\n# END SOLUTION\n\n\n\n\n'
    assert solution(text) == 'f"""a\n\n\n\n{1}\n\n\n\nb"""\nx = 1\n\n\ny = 1\n'
    assert stub(text) == 'f"""a\n\n\n\n{1}\n\n\n\nb"""\nx = 1\n'


def test_a_fence_leaves_one_blank_line_between_methods_and_none_after_a_heading():
    text = """\
class A:
    # BEGIN SOLUTION
    # STUB: # TODO 1: a method

    def f(self):
        return 1

    # END SOLUTION

    def g(self):
        return 2
"""
    assert solution(text) == ("class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n")
    assert stub(text) == "class A:\n    # TODO 1: a method\n\n    def g(self):\n        return 2\n"


@pytest.mark.parametrize(
    ("written", "in_solution"),
    [
        ("from puzzles.config import A, B", "from solutions.step_01 import A, B"),
        ("import puzzles.attention as a", "import solutions.step_12 as a"),
        ("import puzzles.mlp as a, puzzles.mlp2 as b", "import solutions.step_02 as a, solutions.step_04 as b"),
        ("from puzzles.config import A  # puzzles.config", "from solutions.step_01 import A  # puzzles.config"),
        ("import torch.puzzles", "import torch.puzzles"),
        ('x = "from puzzles.config import A"', 'x = "from puzzles.config import A"'),
        ("# from puzzles.config import A", "# from puzzles.config import A"),
        ("from puzzles.config import (\n    A,\n    B,\n)", "from solutions.step_01 import (\n    A,\n    B,\n)"),
    ],
)
def test_an_import_of_a_puzzle_becomes_one_of_a_step(written, in_solution):
    assert solution(f"{written}\n{FENCE}") == f"{in_solution}\nx = 1\n"
    assert stub(f"{written}\n{FENCE}") == in_solution.replace("solutions.", "steps.") + "\n"


def test_an_import_in_a_stub_line_and_inside_a_function_is_rewritten_too():
    lines = ("# BEGIN SOLUTION", "# STUB: import puzzles.mlp as m", "from puzzles.mask import A", "# END SOLUTION")
    text = "def f():\n" + "".join(f"    {line}\n" for line in lines)
    assert solution(text) == "def f():\n    from solutions.step_03 import A\n"
    assert stub(text) == "def f():\n    import steps.step_02 as m\n"


def test_neighbouring_imports_come_in_the_steps_order():
    names = ("attention", "config", "mask")
    text = (
        "\n".join(f"from puzzles.{slug} import A" for slug in names) + "\n\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION\n"
    )
    assert stub(text) == "".join(f"from steps.step_{n} import A\n" for n in ("01", "03", "12"))


def test_imports_of_different_depth_are_not_exchanged():
    text = "if 1:\n    from puzzles.attention import A\nfrom puzzles.config import B\n" + FENCE
    assert stub(text) == "if 1:\n    from steps.step_12 import A\nfrom steps.step_01 import B\n"


FORM = "an import of a step is written from puzzles.SLUG import NAME, or import puzzles.SLUG as NAME, on one line"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# BEGIN SOLUTION\n" + FENCE, "p.py:2: # BEGIN SOLUTION inside the fence of line 1: fences do not nest"),
        ("x = 1\n# END SOLUTION\n", "p.py:2: # END SOLUTION without # BEGIN SOLUTION above it"),
        (
            "x = 1\n# BEGIN SOLUTION\ny = 1\n",
            "p.py:2: # BEGIN SOLUTION is never closed: add # END SOLUTION after the solution's lines",
        ),
        ("# STUB: x\n" + FENCE, "p.py:1: # STUB: outside a fence: it belongs right after a # BEGIN SOLUTION"),
        (
            "# BEGIN SOLUTION\nx = 1\n# STUB: x\n# END SOLUTION\n",
            "p.py:3: # STUB: after the solution has begun: STUB lines come first in a fence",
        ),
        (
            "if 1:\n    # BEGIN SOLUTION\n# STUB: x\n    x = 1\n    # END SOLUTION\n",
            "p.py:3: # STUB: is indented by 0, its # BEGIN SOLUTION in line 2 by 4",
        ),
        (
            "# BEGIN SOLUTION\n# STUB: x = 0\n\n# END SOLUTION\n",
            "p.py:4: the fence of line 1 has no solution: put the finished lines between the STUB lines and END",
        ),
        (
            "if 1:\n    # BEGIN SOLUTION\n    x = 1\n# END SOLUTION\n",
            "p.py:4: # END SOLUTION is indented by 0, its # BEGIN SOLUTION in line 2 by 4",
        ),
        ("x = 1\n", "p.py: has no # BEGIN SOLUTION: a step without a fence leaves the learner nothing to write"),
        ("if 1:\n\tx = 1\n" + FENCE, r"p.py:2: has a tab: indent with spaces, and write \t in a string"),
        ("x = (\n" + FENCE, "p.py:1: the puzzle does not compile: '(' was never closed"),
        ("def f():\n    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION\n\n\nf()\n", None),
        (
            "# BEGIN SOLUTION\n# STUB:\n# STUB: x = (\nx = 1\n# END SOLUTION\n",
            "p.py:3: the stub does not compile: '(' was never closed",
        ),
        (FENCE + "from puzzles.confg import A\n", "p.py:4: imports puzzles.confg: did you mean puzzles.config?"),
        (FENCE + "from puzzles.zzz import A\n", "p.py:4: imports puzzles.zzz: course.toml has no such slug"),
        (FENCE + "import puzzles.config\n", f"p.py:4: {FORM}"),
        (FENCE + "from puzzles import config\n", f"p.py:4: {FORM}"),
        (FENCE + "from puzzles import config  # puzzles.config\n", f"p.py:4: {FORM}"),
        (FENCE + "from .config import A\n", f"p.py:4: {FORM}"),
        (FENCE + "from steps.step_01 import A\n", f"p.py:4: {FORM}"),
        (FENCE + "from \\\n    puzzles.config import A\n", f"p.py:4: {FORM}"),
    ],
)
def test_a_broken_puzzle_names_the_line(text, sentence):
    found = problem(text) if sentence else problem(text, 1)
    assert sentence is None or found == sentence
    if sentence is None:  # a body of nothing: Python's own words differ from release to release
        assert found.startswith("p.py:7: the stub does not compile: expected an indented block")


@pytest.mark.parametrize(
    ("number", "which"), [(12, "step 12, and this is step 12"), (5, "step 12, and this is step 05")]
)
def test_a_puzzle_imports_earlier_steps_only(number, which):
    text = FENCE + "from puzzles.attention import A\n"
    assert problem(text, number) == f"p.py:4: puzzles.attention is {which}: import earlier steps only"
    assert "step_12" in solution(text, 13)


@pytest.mark.parametrize(
    ("comment", "meant"),
    [
        ("#BEGIN SOLUTION", "# BEGIN SOLUTION"),
        ("# begin solution", "# BEGIN SOLUTION"),
        ("# BEGIN SOLUTIONS", "# BEGIN SOLUTION"),
        ("## BEGIN SOLUTION", "# BEGIN SOLUTION"),
        ("# BEGIN_SOLUTION", "# BEGIN SOLUTION"),
        ("# BEGIN SOULTION:", "# BEGIN SOLUTION"),
        ("# ENDSOLUTION", "# END SOLUTION"),
        ("# End Solution", "# END SOLUTION"),
        ("#STUB: x", "# STUB:"),
        ("# Stub: x", "# STUB:"),
        ("# STUB x", "# STUB:"),
    ],
)
def test_a_misspelt_fence_is_named_with_what_is_meant(comment, meant):
    assert problem(f"y = 0\n{comment}\n{FENCE}") == f'p.py:2: "{comment}" looks like a fence: write {meant}'


def test_a_fence_behind_code_is_named():
    expected = 'p.py:1: "# BEGIN SOLUTION" looks like a fence: write # BEGIN SOLUTION on a line of its own'
    assert problem("x = 1  # BEGIN SOLUTION\n" + FENCE) == expected


@pytest.mark.parametrize("comment", ["# the solution is short", "# stub out the cache", "# the end", "# solution"])
def test_prose_is_no_fence(comment):
    assert comment in solution(f"{comment}\n{FENCE}")


def test_the_public_names_are_the_functions_and_classes_at_the_top():
    text = "X = 1\ndef f(): ...\nclass A:\n    def g(self): ...\ndef _h(): ...\nasync def k(): ...\ndef f(): ...\n"
    assert public_names(text) == ["f", "A", "k"]


statements = st.sampled_from(["x = 1", "y = x", "def f():\n    return 1", "# a word", "", "", "z = '''\n\n\n\n'''"])
blocks = st.lists(statements, max_size=4).map(lambda lines: "\n".join(lines))
fences = st.tuples(blocks, st.lists(st.sampled_from(["x = None", "", "# TODO 1"]), max_size=3))


def meaning(text):
    return [line for line in text.split("\n") if line.strip()]


@given(st.lists(st.tuples(blocks, fences), min_size=1, max_size=4), blocks)
def test_the_sides_are_the_lines_less_the_fences_in_their_order(pieces, tail):
    text, whole, left = "", [], []
    for before, (inside, stubs) in pieces:
        marks = "".join(f"# STUB: {line}\n" for line in stubs)
        text += f"{before}\n# BEGIN SOLUTION\n{marks}v = 1\n{inside}\n# END SOLUTION\n"
        whole += meaning(f"{before}\nv = 1\n{inside}")
        left += meaning("\n".join([before, *stubs]))
    puzzle = split(text + tail, "p.py")
    for made, lines in ((puzzle.solution(1, {}), whole), (puzzle.stub(1, {}), left)):
        assert meaning(made) == [*lines, *meaning(tail)]
        assert "\n\n\n\n" not in made.replace("'''\n\n\n\n'''", "")
        assert made == "" or (made.endswith("\n") and not made.endswith("\n\n"))


def formatted(texts):
    """Return the texts as `ruff format` leaves them, in one process."""
    seam = "\n\n\nseam_of_files = 0\n\n\n"
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "-"]
    done = subprocess.run(command, input=seam.join(texts), capture_output=True, text=True, encoding="utf-8", check=True)
    return [part.strip("\n") + "\n" for part in done.stdout.split(seam.strip("\n") + "\n")]


def test_what_the_course_s_puzzles_give_is_as_the_formatter_leaves_it():
    puzzles = sorted((ROOT / "puzzles").glob("*.py"))
    numbers = {path.stem: number for number, path in enumerate(puzzles)}
    texts = []
    for path in puzzles:
        puzzle = split(path.read_text(encoding="utf-8"), path.name)
        texts += [puzzle.solution(99, numbers), puzzle.stub(99, numbers)]
    assert formatted(texts) == texts
