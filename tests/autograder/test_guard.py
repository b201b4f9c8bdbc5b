"""A guard looks after one worker after another: each is new, and what harms a guard or a worker costs time alone."""

import os
import signal
import sys
import time

import psutil
import pytest
from processes import gone

from autograder import wire
from autograder.nursery import CAN_FORK, Nursery
from autograder.outbox import Outbox
from autograder.student import Desk, Program, student
from autograder.supervisor import Limits

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="this system has no fork")
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone lets a guard adopt what a worker leaves behind")

LIMITS = Limits(load_s=20.0, call_s=20.0, cpu_s=20.0)
FILE = """
import builtins, os

before = getattr(builtins, "left", "nothing")
builtins.left = "something"

def me():
    return os.getpid()

def guard():
    return os.getppid()

def has_large_pages():
    with open("/proc/self/status") as status:
        return [line.split()[1] for line in status if line.startswith("THP_enabled")]
"""


@pytest.fixture
def alone():
    """A nursery in which nobody else asks for workers."""
    with Nursery() as ready:
        ready.prepare("plain")
        yield ready


def desk(nursery, text=FILE):
    module = wire.Module(["steps.step_01"], "steps/step_01.py", text)
    return Desk(nursery, Program([module], wire.Ban(), "plain"), LIMITS)


def met(nursery):
    """Return the numbers of a new worker and its guard, once both have done what they are for."""
    with desk(nursery) as one:
        mine = student(one)
        assert mine.before == "nothing"
        return mine.me(), mine.guard()


def waiting(guard):
    """Return the one worker of a guard that has no order yet, once it is there."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        children = [child.pid for child in psutil.Process(guard).children()]
        if len(children) == 1:
            return children[0]
        time.sleep(0.01)
    raise AssertionError(f"guard {guard} has no worker")


def guards_beside(guard, count):
    """Return the guards of the ancestor that a guard is of, once there are so many and each has a worker."""
    ancestor = psutil.Process(guard).parent()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        guards = ancestor.children()
        if len(guards) == count:
            return [guard.pid for guard in guards if waiting(guard.pid)]
        time.sleep(0.05)
    raise AssertionError(f"{len(guards)} guards, not {count}")


def test_a_guard_has_a_new_worker_for_each_order(alone):
    numbers = [met(alone) for _ in range(12)]
    assert len({worker for worker, _ in numbers}) == 12
    assert len({guard for _, guard in numbers}) < 6


def test_workers_at_the_same_time_have_guards_of_their_own(alone):
    desks = [desk(alone) for _ in range(5)]
    assert len({student(one).guard() for one in desks}) == 5
    for one in desks:
        one.leave()


@linux
def test_the_guards_that_are_too_many_are_let_go(alone):
    desks = [desk(alone) for _ in range(5)]
    assert len({student(one).guard() for one in desks}) == 5
    for one in desks:
        one.leave()
    time.sleep(0.3)  # they clear up
    _, guard = met(alone)
    guards_beside(guard, 2)


@linux
def test_a_workers_memory_grows_by_small_pages(alone):
    with desk(alone) as one:
        assert student(one).has_large_pages() in (["0"], [])  # a kernel without large pages does not say


def test_a_lent_nursery_has_a_worker_killed_when_there_is_another_or_at_its_end(alone):
    with alone.lent() as lent:
        first, _ = met(lent)
        assert psutil.pid_exists(first)
        second, _ = met(lent)
        assert gone([first])
        assert psutil.pid_exists(second)
    assert gone([second])


def test_an_interrupt_while_a_worker_is_let_go_of_keeps_none_alive(alone, monkeypatch):
    def interrupted(outbox):
        monkeypatch.undo()
        outbox.close()
        raise KeyboardInterrupt

    lent = alone.lent()
    worker, _ = met(lent)
    monkeypatch.setattr(Outbox, "close", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lent.close()
    lent.close()
    assert gone([worker])


@linux
def test_a_guard_that_was_killed_is_not_asked(alone):
    _, guard = met(alone)
    guards = guards_beside(guard, 2)
    for guard in guards:
        os.kill(guard, signal.SIGKILL)
    assert gone(guards)
    assert not {met(alone)[1] for _ in range(3)} & set(guards)


@linux
def test_a_worker_that_was_killed_while_it_waited_is_replaced(alone):
    _, guard = met(alone)
    workers = [waiting(guard) for guard in guards_beside(guard, 2)]
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    assert gone(workers)
    assert not {met(alone)[0] for _ in range(4)} & set(workers)


LEAVES = """
import os, subprocess, sys
started = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True).pid
guard = os.getppid()
"""


@linux
def test_what_a_worker_left_is_gone_before_its_guard_has_the_next(alone):
    with desk(alone, LEAVES) as one:
        mine = student(one)
        started, guard = mine.started, mine.guard
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if met(alone)[1] == guard:
            break
    else:
        raise AssertionError("the guard was not asked again")
    assert not psutil.pid_exists(started)


ENDS = """
import os, signal
os.kill(os.getppid(), signal.SIGKILL)
"""


def test_a_file_that_kills_its_guard_harms_no_other(alone):
    for _ in range(3):
        with desk(alone, ENDS) as one:
            one.open()
    assert met(alone)[0] != os.getpid()


STOPS = """
import os, signal
guard = os.getppid()
os.kill(guard, signal.SIGSTOP)
"""


@linux
def test_a_guard_that_a_file_has_stopped_goes_on_and_clears_up(alone):
    one = desk(alone, STOPS)
    guard = student(one).guard
    one.close()
    assert psutil.Process(guard).status() != psutil.STATUS_STOPPED
    assert waiting(guard)


@linux
def test_a_nursery_that_is_closed_leaves_no_guard_and_no_worker():
    with Nursery() as ready:
        workers, guards = zip(*[met(ready) for _ in range(3)], strict=True)
        processes = {pid for guard in guards for pid in (guard, waiting(guard))}
    assert gone({*processes, *workers})
