"""While a learner's code does not come back, a terminal says so, in a line that goes again; a pipe gets nothing."""

import io
import os

import pytest

from autograder import waiting
from autograder.nursery import Nursery
from autograder.supervisor import Limits

pty = pytest.importorskip("pty")
SAYS = "still running: the limit is 10 seconds of computing"
LOOP = "def causal_mask(sequence_length, num_tokens=0, *, dtype=None, device=None):\n    while True: pass\n"


@pytest.fixture
def screen(monkeypatch):
    """Return a terminal's two ends: a stream to write to, and a function that gives what was written."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield stream, lambda: os.read(ours, 10_000).decode()
    os.close(ours)


def test_what_takes_long_is_told_once_and_the_line_is_erased(screen):
    stream, written = screen
    nursery = Nursery()
    with waiting.told(nursery, stream):
        for waited_s in (0.1, 1.9, 2.0, 5.0):
            nursery.on_wait(waited_s, 10.0)
        assert written() == SAYS
    assert written() == f"\r{' ' * len(SAYS)}\r"
    assert nursery.on_wait is None


def test_a_narrow_screen_gets_what_fits_on_one_line(screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    stream, written = screen
    nursery = Nursery()
    with waiting.told(nursery, stream):
        nursery.on_wait(3.0, 10.0)
        assert written() == "still running: the limit is 10 seconds…"


def test_what_comes_back_soon_is_not_told(screen):
    stream, written = screen
    nursery = Nursery()
    with waiting.told(nursery, stream):
        nursery.on_wait(1.0, 10.0)
    stream.write("end")
    stream.flush()
    assert written() == "end"


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_pipe_and_a_screen_that_cannot_go_back_get_nothing(screen, monkeypatch, term):
    monkeypatch.setenv("TERM", term)
    nursery = Nursery()
    with waiting.told(nursery, screen[0] if term == "dumb" else io.StringIO()):
        assert nursery.on_wait is None


def test_a_worker_that_does_not_come_back_is_noticed(judge_text, nursery):
    heard = []
    nursery.on_wait = lambda waited_s, limit_s: heard.append((waited_s, limit_s))
    try:
        made = judge_text("causal_mask", LOOP, limits=Limits(load_s=20.0, call_s=6.0, cpu_s=1.0))
    finally:
        nursery.on_wait = None
    assert made.outcome == "timeout"
    assert max(heard)[0] > 0.5
    assert {limit_s for _, limit_s in heard} == {1.0}
