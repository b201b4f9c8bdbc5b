"""A learner's imports follow their steps to new numbers; what cannot follow is one sentence."""

import pytest

from autograder.renumbering import Unusual, followed

NUMBERS = {7: 8, 8: 9, 12: 13}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from steps.step_07 import A\n", "from steps.step_08 import A\n"),
        (
            "from steps.step_07 import (\n    A,\n    B as C,\n)\n",
            "from steps.step_08 import (\n    A,\n    B as C,\n)\n",
        ),
        (
            "from solutions.step_12 import A # from steps.step_12\n",
            "from solutions.step_13 import A # from steps.step_12\n",
        ),
        ("from .step_08 import A\n", "from .step_09 import A\n"),
        ("from step_08 import A\n", "from step_09 import A\n"),
        ("import steps.step_07 as attention\n", "import steps.step_08 as attention\n"),
        ("from steps import step_07 as s, step_01\n", "from steps import step_08 as s, step_01\n"),
        ("from steps import step_07\nstep_07.f()\n", "from steps import step_08 as step_07\nstep_07.f()\n"),
        ("def f():\n    from  steps.step_07  import  A\n", "def f():\n    from  steps.step_08  import  A\n"),
        (
            "é = 1; from steps.step_07 import A; from steps.step_08 import B\n",
            "é = 1; from steps.step_08 import A; from steps.step_09 import B\n",
        ),
        ("from steps.step_01 import A\r\nx = 7\r\n", "from steps.step_01 import A\r\nx = 7\r\n"),
        ("# step_07\nx = 'see step 07'\n", "# step_07\nx = 'see step 07'\n"),
        ("x = f'step_{n} of {m}'\n", "x = f'step_{n} of {m}'\n"),
        ("from steps.step_70 import A\n", "from steps.step_70 import A\n"),
    ],
)
def test_imports_follow_and_nothing_else_changes(before, after):
    assert followed(before, NUMBERS) == after


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import os\nimport steps.step_07\n", "line 2 has `import steps.step_07`: give it a name with `as`"),
        ('import importlib\nm = importlib.import_module("steps.step_07")\n', 'line 2 names "steps.step_07" in a text'),
        ("from \\\n  steps.step_07 import A\n", "line 1 imports steps.step_07 over several lines: write it on one"),
        (
            'n = 7\nm = __import__(f"steps.step_{n:02d}")\n',
            "line 2 makes a step's name of parts: import the step by its name",
        ),
        ("def f(:\n", "it is no Python ("),
    ],
)
def test_what_cannot_follow_is_said(text, sentence):
    with pytest.raises(Unusual) as raised:
        followed(text, NUMBERS)
    assert str(raised.value).startswith(sentence)


def test_an_unusual_import_of_a_step_that_stays_is_nobodys_trouble():
    text = 'import steps.step_01\nimportlib.import_module("steps.step_02")\n'
    assert followed(text, NUMBERS) == text
