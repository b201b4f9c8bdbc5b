"""A fork runs what it is for, and nothing of what its parent was about."""

import os
import signal
import time

import pytest
from msgspec import structs
from processes import gone

from autograder.beside import Beside, Wanted
from autograder.report import Printed
from autograder.run import Verdict
from autograder.supervisor import Limits

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


def test_a_childs_memory_grows_by_small_pages(tmp_path):
    from autograder.fork import forked

    def look():
        with open("/proc/self/status") as status:  # noqa: PTH123
            found = [line.split()[1] for line in status if line.startswith("THP_enabled")]
        (tmp_path / "found").write_text(" ".join(found))

    if not os.path.exists("/proc/self/status"):  # noqa: PTH110
        pytest.skip("this system does not say")
    os.waitpid(forked(look), 0)
    assert (tmp_path / "found").read_text() in ("0", "")  # a kernel without large pages does not say


WANTED = Wanted(b"/r", "config", "steps", "steps/step_01.py", b"x = 1", ["config"], "91c2")
FOUND = Verdict([], "91c2", Printed("said", 4), frozenset({"config"}))


@pytest.fixture
def made(monkeypatch, nursery):
    """Return a function that gives a process beside ours, which makes a run as it is told here."""

    def beside(make):
        monkeypatch.setattr("autograder.beside._made", make)
        return Beside(nursery, Limits())

    return beside


def test_what_another_process_made_comes_back_once_a_run(made):
    with made(lambda wanted, *_: FOUND._replace(seed=wanted.seed)) as beside:
        for seed in ("91c2", "91c3"):
            assert beside.is_free
            beside.begin(structs.replace(WANTED, seed=seed))
            assert not beside.is_free
            assert beside.verdict() == FOUND._replace(seed=seed)
            assert beside.verdict() is None


def test_what_is_wanted_and_its_environment_arrive(made, monkeypatch):
    monkeypatch.setenv("LANG", "\udcff")
    with made(lambda wanted, *_: FOUND._replace(seed=f"{wanted!r} {os.environb[b'LANG']!r}")) as beside:
        beside.begin(WANTED)
        assert beside.verdict().seed == repr(WANTED) + " " + repr(b"\xff")


def test_a_process_that_comes_back_without_a_verdict_gives_none_and_is_not_asked_again(made):
    def fail(*_):
        raise ValueError

    with made(fail) as beside:
        beside.begin(WANTED)
        assert beside.verdict() is None
        assert not beside.is_free


def test_how_long_a_run_takes_is_told_to_whoever_watches_the_nursery(made, nursery):
    def wait(*_):
        time.sleep(0.5)
        return FOUND

    heard = []
    nursery.on_wait = lambda waited_s, limit_s: heard.append((waited_s, limit_s))
    try:
        with made(wait) as beside:
            beside.begin(WANTED)
            assert beside.verdict() == FOUND
    finally:
        nursery.on_wait = None
    assert 0.1 < max(heard)[0] < 60
    assert {limit_s for _, limit_s in heard} == {Limits().cpu_s}


def test_a_process_that_nobody_waits_for_is_ended(made, tmp_path):
    def wait(*_):
        (tmp_path / f"{os.getpid()}").touch()
        time.sleep(60)

    started = time.monotonic()
    with made(wait) as beside:
        beside.begin(WANTED)
        while not list(tmp_path.iterdir()):
            time.sleep(0.01)
        beside.abandon()
        assert gone([int(path.name) for path in tmp_path.iterdir()])
        assert not beside.is_free
    assert time.monotonic() - started < 30


def test_a_process_that_is_not_asked_ends(made):
    with made(lambda *_: FOUND) as beside:
        beside.abandon()
        assert beside.is_free
        pid = beside._pid  # noqa: SLF001
    assert os.waitpid(pid, 0) == (pid, 0)
