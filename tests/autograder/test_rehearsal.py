"""What a rehearsal computes is there for the check with its seed, and it ends where somebody asks."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from autograder import course as courses
from autograder import oracle, rehearsal
from autograder.beside import Beside, Rehearsed, Wanted
from autograder.draw import Draw
from autograder.judge import Order, judge
from autograder.oracle import Oracle
from autograder.report import Printed
from autograder.run import Verdict
from autograder.supervisor import Limits

ROOT = Path(__file__).resolve().parents[2]
FOUND = Verdict([], "91c2", Printed("said", 4))
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@pytest.fixture
def made(monkeypatch):
    """Return the references that are made from now on, by name."""
    names = []
    monkeypatch.setattr(oracle, "_kept", type(oracle._kept)())  # noqa: SLF001
    real = oracle._once  # noqa: SLF001

    def once(name, make, args, draw):
        return real(name, lambda *given, draw: names.append(name) or make(*given, draw=draw), args, draw)

    monkeypatch.setattr(oracle, "_once", once)
    return names


def test_a_check_makes_no_reference_that_was_made_for_its_seed(nursery, made):
    course = courses.load(ROOT)
    rehearsal.make(ROOT, "mlp", "4242", nursery, Limits())
    rehearsed = len(made)
    order = Order(course.find("mlp"), "solutions", seed="4242")
    assert judge(course, order, nursery, Limits()).outcome == "passed"
    assert len(made) == rehearsed > 0
    assert judge(course, order._replace(seed="4243"), nursery, Limits()).outcome == "passed"
    assert len(made) > rehearsed


def test_it_ends_after_the_check_in_which_somebody_asked(nursery):
    asked = []
    rehearsal.make(ROOT, "config", "91c2", nursery, Limits(), lambda: asked.append(1) or len(asked) == 2)
    assert len(asked) == 2


def test_of_a_broken_course_nothing_is_run(nursery, tmp_path):
    (tmp_path / "course.toml").write_text("name = 1\n", encoding="utf-8")
    asked = []
    rehearsal.make(tmp_path, "config", "91c2", nursery, Limits(), lambda: asked.append(1) or False)
    assert asked == []


def test_a_reference_is_right_after_another_was_ended_while_it_took_their_module():
    values = Draw("91c2", "x").config()
    one, other = (Oracle(Draw(seed, "x")).mlp(values) for seed in ("91c2", "91c3"))
    x, y = (Draw(seed, "inputs").normal(batch=2, seq=3, n_embd=values["n_embd"]) for seed in ("1", "2"))
    expected = one(x), one(y)
    one._answers.clear()  # noqa: SLF001
    assert (one(x) == expected[0]).all()

    class Ends(list):
        def __iter__(self):
            yield from self[:1]
            raise rehearsal.Enough

    wide, other._wide = other._wide, Ends(other._wide)  # noqa: SLF001
    with pytest.raises(rehearsal.Enough):
        other(x)
    other._wide = wide  # noqa: SLF001
    assert (one(y) == expected[1]).all()


def until_ended(*_):
    time.sleep(60)


@needs_fork
@pytest.mark.parametrize("delay_s", [0.0, 0.3])
def test_a_run_beside_begins_in_the_middle_of_a_rehearsal(nursery, monkeypatch, delay_s):
    monkeypatch.setattr(rehearsal, "make", until_ended)
    monkeypatch.setattr("autograder.beside._made", lambda wanted, *_: FOUND._replace(seed=wanted.seed))
    with Beside(nursery, Limits()) as beside:
        for seed in ("91c2", "91c3"):
            beside.rehearse(Rehearsed(b"/r", "config", seed))
            assert beside.is_free
            time.sleep(delay_s)
            beside.begin(Wanted(b"/r", "config", "steps", "steps/step_01.py", b"x = 1", ["config"], seed))
            started = time.monotonic()
            assert beside.verdict() == FOUND._replace(seed=seed)
            assert time.monotonic() - started < 30


@needs_fork
def test_a_rehearsal_that_was_ended_leaves_no_handler(nursery, monkeypatch):
    """A signal that comes late finds nobody: it would end the run that was asked for."""
    monkeypatch.setattr(rehearsal, "make", lambda *_: None)
    monkeypatch.setattr("autograder.beside._made", lambda *_: time.sleep(0.5) or FOUND)
    with Beside(nursery, Limits()) as beside:
        beside.rehearse(Rehearsed(b"/r", "config", "91c2"))
        beside.begin(Wanted(b"/r", "config", "steps", "steps/step_01.py", b"x = 1", ["config"], "91c2"))
        threading.Timer(0.2, os.kill, (beside._pid, signal.SIGUSR1)).start()  # noqa: SLF001
        assert beside.verdict() == FOUND
