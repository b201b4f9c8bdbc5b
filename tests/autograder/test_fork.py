"""A fork runs what it is for, and nothing of what its parent was about."""

import os
import signal
import time

import pytest

from autograder.beside import Beside
from autograder.report import Printed
from autograder.run import Verdict

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def test_a_child_that_raises_ends_there(tmp_path):
    from autograder.fork import forked

    def fail():
        (tmp_path / "child").touch()
        raise ValueError

    child = None
    try:
        child = forked(fail)
    finally:
        (tmp_path / f"{os.getpid()}").touch()
    assert os.waitpid(child, 0) == (child, 0)
    assert {path.name for path in tmp_path.iterdir()} == {"child", str(os.getpid())}


def test_an_interrupt_of_a_child_waits_for_its_own_handler(tmp_path):
    """The parent's handler is not the child's, however soon the interrupt comes."""
    from autograder.fork import forked

    before = signal.signal(signal.SIGINT, lambda *_: (tmp_path / f"{os.getpid()}").touch())
    try:
        children = []
        for _ in range(20):
            children.append(forked(lambda: time.sleep(60)))
            os.kill(children[-1], signal.SIGINT)
        for child in children:
            assert os.waitpid(child, 0) == (child, 0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert list(tmp_path.iterdir()) == []


def test_what_another_process_made_comes_back_once(nursery):
    found = Verdict([], "91c2", Printed("said", 4), frozenset({"config"}))
    with Beside(nursery, lambda _: found) as beside:
        assert beside.verdict() == found
        assert beside.verdict() is None


def test_a_process_that_comes_back_without_a_verdict_gives_none(nursery):
    def fail(_):
        raise ValueError

    with Beside(nursery, fail) as beside:
        assert beside.verdict() is None


def test_a_process_that_nobody_waits_for_is_ended(nursery):
    started = time.monotonic()
    with Beside(nursery, lambda _: time.sleep(60)):
        pass
    assert time.monotonic() - started < 30
