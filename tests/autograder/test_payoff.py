"""What a step is good for is shown whole, and what the learner's own files print beside it is not."""

import os
import re

import courses
import pytest
from processes import gone

from autograder import client, payoff
from autograder import course as load
from autograder.memory import Memory

TEXT = """# Step

## What You Can Now Do

```python
from steps.step_01 import double

print(double(21))
```
"""
QUIET = "def double(x):\n    return 2 * x\n\n\nif __name__ == '__main__':\n    print(double(1))\n"
LOUD = "def double(x):\n    for _ in range({times}):\n        print('\\x1b[2Jx is', x)\n    return 2 * x\n"


@pytest.fixture
def root(tmp_path):
    return courses.make(tmp_path)


def shown(root, code, capfd):
    course = load.load(root)
    step = course.steps[0]
    courses.put(root, f"puzzles/{step.slug}.md", TEXT)
    courses.put(root, f"steps/{step.name}.md", TEXT)
    courses.put(root, f"steps/{step.name}.py", code)
    ended = payoff.show(course, step)
    return ended, *capfd.readouterr()


def test_an_example_is_shown_as_it_is(root, capfd):
    assert shown(root, QUIET, capfd) == (True, "42\n", "")


def test_a_few_lines_more_are_shown_too(root, capfd):
    ended, out, err = shown(root, LOUD.format(times=39), capfd)
    assert (ended, err) == (True, "")
    assert out == "\\x1b[2Jx is 21\n" * 39 + "42\n"


def test_of_very_many_lines_the_ends_are_shown_and_where_print_is_called(root, capfd):
    ended, out, err = shown(root, LOUD.format(times=50_000), capfd)
    assert ended
    assert out.splitlines()[19:22] == ["\\x1b[2Jx is 21", "… 49,961 lines left out …", "\\x1b[2Jx is 21"]
    assert len(out.splitlines()) == 41
    assert out.endswith("\n42\n")
    assert err == (
        "\nThis printed 50,001 lines. The example prints a few, so your own code prints the rest: "
        "print is called in steps/step_01.py:3\n"
    )


def test_of_many_calls_of_print_three_places_are_named(root, capfd):
    code = "def double(x):\n" + "    print(x)\n" * 70 + "    return 2 * x\n"
    err = shown(root, code, capfd)[2]
    assert re.search(r"print is called in \S+:2 and \S+:3 and \S+:4 and 67 more places\n", err)


def test_an_example_that_fails_has_not_come_to_its_end(root, capfd):
    ended, out, err = shown(root, "def double(x):\n    print('here')\n    raise ValueError('no')\n", capfd)
    assert (ended, out) == (False, "here\n")
    assert err.endswith("ValueError: no\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no sessions")
def test_what_an_example_leaves_behind_is_ended_and_not_waited_for(root, capfd):
    code = (
        "import subprocess, sys\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(left.pid)\n\n\ndef double(x):\n    return 2 * x\n"
    )
    ended, out, err = shown(root, code, capfd)
    pid, number = map(int, out.split())
    assert (ended, number, err) == (True, 42, "")
    assert gone([pid])


@pytest.mark.parametrize(
    ("passed", "says"),
    [
        ([], ". It also uses your step 01, which has not passed: pixi run s01\n"),
        (["config"], ": run it by hand, from steps/step_02.md\n"),
    ],
)
def test_an_example_that_fails_names_the_other_files_that_it_uses(root, capfd, passed, says):
    course = load.load(root)
    first, second = course.steps[:2]
    courses.put(root, f"puzzles/{second.slug}.md", TEXT.replace("step_01", second.name))
    mine = courses.put(root, f"steps/{first.name}.py", "def half(x):\n    raise ValueError('no')\n")
    courses.put(root, f"steps/{second.name}.py", "from steps.step_01 import half\n\n\ndef double(x):\n    half(x)\n")
    memory = Memory(root)
    for slug in passed:
        memory.remember_check(slug, mine.read_bytes(), "passed", [], "91c2")
    client._pay_off(course, second, memory)  # noqa: SLF001
    assert capfd.readouterr().err.endswith(f"autograder: the example did not come to its end{says}")
