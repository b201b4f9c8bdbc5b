"""What every test may ask for: the real course, one nursery of warm ancestors for the whole session, and a judge."""

from __future__ import annotations

import dataclasses
import functools
import gc
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fresh_python import started as fresh_pythons

from autograder import course as courses
from autograder.gate.stand import SEED, Stand
from autograder.judge import Order, judge
from autograder.nursery import Nursery
from autograder.supervisor import Limits

# What an outer runner tells its task, and GitHub its step, is not for the commands that tests start.
for _name in [name for name in os.environ if name in ("INIT_CWD", "PIXIW") or name.startswith("GITHUB_")]:
    del os.environ[_name]

# Tests start hundreds of processes of the engine: no need to compile it in each of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A check that a test starts leaves no server behind, but where servers are what is tested.
os.environ["CI"] = "true"

# A shell starts what runs in the background with Ctrl-C ignored, and that is inherited: tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
# The same limits as a learner's, but for time: what hangs on purpose need not hang for long.
LIMITS = Limits(load_s=20.0, call_s=6.0, cpu_s=1.5)


def _takes_long_numbers():
    """Return whether this Python makes a dataclass of a default that it does not print: 3.11.2 makes none."""
    try:
        dataclasses.make_dataclass("Long", [("number", int, 10**5000)])
    except ValueError:
        return False
    return True


LONG_NUMBERS_ARE_TAKEN = _takes_long_numbers()


_since_collected = itertools.count()


def pytest_runtest_setup():
    """Take the libraries, once they are there, for no rubbish: looking through them takes a part of each run."""
    if next(_since_collected) % 50 == 0:
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session")
def course():
    return courses.load(ROOT)


@pytest.fixture(scope="session")
def nursery():
    with Nursery() as ready:
        yield ready


@pytest.fixture(scope="session")
def fresh_python():
    with fresh_pythons() as ready:
        yield ready


@pytest.fixture(scope="session")
def stand(nursery):
    """Return a function that gives a step's stand, which keeps what known mistakes show as long as the texts last."""

    @functools.cache
    def made(root, slug, *texts):  # noqa: ARG001  (the texts are what it is kept by)
        course = courses.load(root)
        return Stand(course, course.find(slug), nursery)

    def of(course, step):
        return made(course.root, step.slug, *map(course.read, (course.checker(step), course.puzzle(step))))

    return of


@pytest.fixture
def judge_text(course, nursery, stand, tmp_path):
    """Return a function that judges a text as a step's file: `judge_text("layer_norm", text)` gives the report."""

    def judged(slug, text, *, seed=SEED, limits=LIMITS, name="answer.py", diagnose=True):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        step = course.find(slug)
        order = Order(step, file=path, shown=f"steps/{step.name}.py", seed=seed, diagnose=diagnose)
        if seed == SEED:
            order = order._replace(known=stand(course, step).known_with)
        return judge(course, order, nursery, limits)

    return judged


@pytest.fixture(scope="session")
def run():
    """Return a function that runs `python -m autograder …` as a process of its own, in the project's root."""

    def runs(*args, root=ROOT, env=None, **options):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
        environment |= {"PYTHONUTF8": "1", "NO_COLOR": "1"} | (env or {})
        command = [sys.executable, "-m", "autograder", *args]
        return subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, encoding="utf-8", check=False, **options
        )

    return runs
