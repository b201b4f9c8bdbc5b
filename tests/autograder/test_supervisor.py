"""A worker answers, or is ended with a sentence; nothing of the judge's reaches it, nothing of it is left behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from processes import alive, gone

from autograder import nursery as nurseries
from autograder import wire
from autograder.comparing import Failed, raises
from autograder.nursery import CAN_FORK, Nursery
from autograder.student import Desk, Program, StudentRaised, student
from autograder.supervisor import Ended, Limits, Output
from autograder.worker.modules import ABSENT_LIBRARIES

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(load_s=20.0, call_s=20.0, cpu_s=20.0)
FORKS = pytest.mark.skipif(not CAN_FORK, reason="this system has no fork")


@pytest.fixture(scope="module")
def spawning():
    with Nursery(fork=False) as ready:
        yield ready


@pytest.fixture(params=[pytest.param("nursery", marks=FORKS), "spawning"])
def either(request):
    """A nursery that forks, and one that starts every worker anew."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def desk():
    """Return a function that gives a desk for a learner's file; all of them are closed at the end."""
    made = []

    def opened(nursery, text, *, kind="plain", limits=LIMITS):
        module = wire.Module(["steps.step_01", "solutions.step_01"], "steps/step_01.py", text)
        made.append(Desk(nursery, Program([module], wire.Ban(), kind), limits))
        return made[-1]

    yield opened
    for one in made:
        one.close()


def end_of(desk, call="act"):
    """Return how the worker ended while it called the learner's `act`."""
    with pytest.raises(Ended) as caught:
        getattr(student(desk), call)()
    return caught.value.outcome, caught.value.sentence


# ------------------------------------------------------------------------------------------------------------ answers

ANSWERS = """
import sys

def twice(value, times=2):
    return [value] * times

def loud():
    print("out")
    print("err", file=sys.stderr)
    return (None, -0.0, 2**100, {"a": {1}}, b"x")

def wrong():
    raise KeyError("k")

class Box:
    def __init__(self, content):
        self.content = content
"""


def test_workers_with_and_without_fork_give_the_same_answers(either, desk):
    one = desk(either, ANSWERS)
    mine = student(one)
    assert mine.twice("ü", times=3) == ["ü", "ü", "ü"]
    assert mine.loud() == (None, -0.0, 2**100, {"a": {1}}, b"x")
    box = mine.Box((1, 2))
    assert box.content == (1, 2)
    box.content = [3]
    assert box.content == [3]
    with pytest.raises(StudentRaised) as caught:
        mine.wrong()
    assert (caught.value.raised.type_name, caught.value.raised.frames[-1].line) == ("KeyError", 13)
    assert one.finish() is None
    assert sorted(one.output.text.split()) == ["err", "out"]


def test_a_spawned_worker_sends_tensors(spawning, desk):
    mine = student(desk(spawning, "import torch\n\ndef twice(x):\n    return x + x\n", kind="torch"))
    import torch

    assert mine.twice(torch.tensor([1.5, 2.0])).tolist() == [3.0, 4.0]


def test_an_attribute_of_several_objects_comes_at_once(nursery, desk):
    mine = student(desk(nursery, "class Box:\n    x = 1\n\n\nboxes = [Box(), Box()]\nboxes[1].x = [2]\n"))
    boxes = mine.boxes
    assert mine.each(boxes, "x") == [1, [2]]
    assert mine.each([], "x") == []
    with pytest.raises(StudentRaised, match="has no attribute 'y'"):
        mine.each(boxes, "y")


def test_a_desk_takes_a_new_worker_after_one_has_ended(either, desk):
    text = """
import os
count = []

def act():
    os._exit(1)

def more():
    count.append(1)
    return len(count)
"""
    one = desk(either, text)
    mine = student(one)
    assert [mine.more(), mine.more()] == [1, 2]
    assert end_of(one)[0] == "crash"
    assert mine.more() == 1


# ------------------------------------------------------------------------------------------------------------- limits


def test_what_sleeps_is_ended_by_the_clock_on_the_wall(either, desk):
    one = desk(either, "import time\n\ndef act():\n    time.sleep(600)\n", limits=LIMITS._replace(call_s=0.3))
    assert end_of(one) == ("timeout", "had not come back after 0.3 seconds")


def test_what_computes_is_ended_by_its_processor_time(either, desk):
    one = desk(either, "def act():\n    while True:\n        pass\n", limits=LIMITS._replace(cpu_s=0.3))
    assert end_of(one) == ("timeout", "was still computing after 0.3 seconds of processor time")


def test_a_file_that_does_not_finish_loading_is_ended(either, desk):
    one = desk(either, "while True:\n    pass\n", limits=LIMITS._replace(cpu_s=0.3))
    with pytest.raises(Ended, match="was still computing after"):
        one.open()


STANDS = """
import ctypes, signal, time

def inner():
    time.sleep(600)

def act():
    return inner()

def crash():
    ctypes.string_at(0)

def deaf():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    inner()

def full():
    return inner() if bytearray(b"x") * (300 * 2**20) else 0
"""


@FORKS
@pytest.mark.parametrize(
    ("call", "outcome", "frames"),
    [
        ("act", "timeout", [("act", 8), ("inner", 5)]),
        ("crash", "crash", [("crash", 11)]),
        ("full", "limit", [("full", 18)]),
        ("deaf", "timeout", []),
    ],
)
def test_where_it_stood_comes_with_the_end(nursery, desk, call, outcome, frames):
    one = desk(nursery, STANDS, limits=LIMITS._replace(call_s=0.5, memory_bytes=200 * 2**20))
    with pytest.raises(Ended) as caught:
        getattr(student(one), call)()
    assert caught.value.outcome == outcome
    own = [frame for frame in caught.value.frames if frame.filename == "steps/step_01.py"]
    assert [(frame.function, frame.line) for frame in own][: len(frames)] == frames
    assert bool(own) == bool(frames)


@FORKS
def test_where_it_stood_when_it_was_asked_is_not_what_a_child_left_before(nursery, desk):
    text = f"""{STANDS}
import os

def parent():
    child = os.fork()
    if child == 0:
        crash()
    os.waitpid(child, 0)
    inner()
"""
    one = desk(nursery, text, limits=LIMITS._replace(call_s=0.5))
    with pytest.raises(Ended) as caught:
        student(one).parent()
    assert [frame.function for frame in caught.value.frames][-2:] == ["parent", "inner"]


def test_where_a_worker_without_fork_stood_is_not_known(spawning, desk):
    one = desk(spawning, STANDS, limits=LIMITS._replace(call_s=0.3))
    with pytest.raises(Ended) as caught:
        student(one).act()
    assert list(caught.value.frames) == []


@FORKS
def test_the_processor_time_of_children_counts(nursery, desk):
    text = """
import subprocess, sys

def act():
    for _ in range(2):
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
    import time
    time.sleep(600)
"""
    one = desk(nursery, text, limits=LIMITS._replace(cpu_s=0.5))
    assert end_of(one) == ("timeout", "was still computing after 0.5 seconds of processor time")


def test_memory_is_limited(either, desk):
    text = "import time\n\ndef act():\n    kept = bytearray(b'x') * (300 * 2**20)\n    time.sleep(600)\n"
    one = desk(either, text, limits=LIMITS._replace(memory_bytes=200 * 2**20))
    assert end_of(one) == ("limit", "used >200 MB of memory")


@pytest.mark.skipif(sys.platform != "linux", reason="a peak between two looks is known on Linux alone")
def test_memory_that_was_let_go_between_two_looks_counts(nursery, desk):
    text = "def act():\n    len(bytes(300 * 2**20))\n    return 1\n"
    one = desk(nursery, text, limits=LIMITS._replace(memory_bytes=200 * 2**20))

    def called():
        student(one).act()  # where this was slow, it is looked at then
        one.forget()  # what is quick, when its check is over

    with pytest.raises(Ended) as caught:
        called()
    assert (caught.value.outcome, caught.value.sentence) == ("limit", "used >200 MB of memory")


@pytest.mark.skipif(sys.platform != "linux", reason="a peak between two looks is known on Linux alone")
def test_a_file_that_stays_mapped_is_no_memory(nursery, desk):
    text = """
import mmap

kept = []

def act():
    with open("large", "w+b") as file:
        file.truncate(300 * 2**20)
        kept.append(mmap.mmap(file.fileno(), 0))
    return len(kept[0])
"""
    one = desk(nursery, text, limits=LIMITS._replace(memory_bytes=200 * 2**20))
    assert student(one).act() == 300 * 2**20
    one.forget()


def test_the_number_of_processes_is_limited(either, desk):
    text = """
import subprocess, sys, time

def act():
    for _ in range(6):
        subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    time.sleep(600)
"""
    assert end_of(desk(either, text, limits=LIMITS._replace(processes=4))) == ("limit", "started more than 4 processes")


def test_the_number_of_threads_is_limited(either, desk):
    text = """
import threading, time

def act():
    for _ in range(12):
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    time.sleep(600)
"""
    assert end_of(desk(either, text, limits=LIMITS._replace(threads=8))) == ("limit", "started more than 8 threads")


def test_a_value_over_a_cap_is_a_limit(nursery, desk):
    one = desk(nursery, "def act():\n    return bytes(33 * 2**20)\n")
    assert end_of(one) == ("limit", "returned a value larger than 32 MB")


# ------------------------------------------------------------------------------------------------------------ crashes


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals")
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGTERM", "SIGABRT"])
def test_a_crash_by_a_signal_names_it(either, desk, name):
    one = desk(either, f"import os, signal\n\ndef act():\n    os.kill(os.getpid(), signal.{name})\n")
    assert end_of(one) == ("crash", f"was ended by the signal {name}")


@pytest.mark.parametrize("code", [0, 3])
def test_an_exit_of_the_process_names_its_code(either, desk, code):
    one = desk(either, f"import os\n\ndef act():\n    os._exit({code})\n")
    assert end_of(one) == ("crash", f"ended its own process (exit code {code}) before it answered")


@FORKS
def test_the_end_of_the_stream_from_a_worker_that_lives_is_a_crash(nursery, desk):
    one = desk(nursery, "import os, time\n\ndef act():\n    os.closerange(3, 64)\n    time.sleep(600)\n")
    assert end_of(one) == ("crash", "closed the channel that its answers travel on")


WRITES = """
import os, stat

def say(data):
    for number in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                os.write(number, data)
        except OSError:
            pass
"""
PROTOCOL = ("crash", "wrote into the autograder's own channel (protocol)")


@FORKS
@pytest.mark.parametrize(
    "data",
    [
        b"hello, judge",
        b"\0\0\0\1x",
        b"\xff\xff\xff\xff",
        wire.encode(wire.Reply(1, wire.Returned(True))),
        wire.encode(wire.Reply(1, wire.Absent())) * 3,
    ],
    ids=["text", "a frame of nonsense", "4 GB", "a reply to another request", "three replies"],
)
def test_what_was_written_into_the_channel_of_answers_is_a_crash(nursery, desk, data):
    one = desk(nursery, f"{WRITES}\ndef act():\n    say({data!r})\n")
    assert end_of(one) == PROTOCOL


@FORKS
def test_a_reply_written_out_of_turn_is_noticed_at_the_end(nursery, desk):
    late = """
import threading, time

def later():
    time.sleep(0.05)
    say(b"late")
    open("done", "w").close()

def act():
    threading.Thread(target=later).start()
    return os.getcwd()
"""
    one = desk(nursery, WRITES + late)
    done = Path(student(one).act()) / "done"
    while not done.exists():
        time.sleep(0.01)
    time.sleep(0.1)  # for the judge's reader
    broken = one.finish()
    assert (broken.outcome, broken.sentence) == PROTOCOL


# ------------------------------------------------------------------------------------------------------------- output


def test_a_short_output_is_kept_whole(either, desk):
    one = desk(either, "import os, sys\nprint('ü', end='')\nsys.stdout.flush()\nos.write(2, b'\\xff')\n")
    one.open()
    one.finish()
    assert (one.output.text, one.output.bytes) == ("ü\ufffd", 3)


def test_of_a_long_output_the_head_the_tail_and_the_count_are_kept(either, desk):
    text = "print('begin')\nfor _ in range(1000):\n    print('x' * 99)\nprint('end')\n"
    one = desk(either, text, limits=LIMITS._replace(output_bytes=50))
    one.open()
    one.finish()
    assert one.output.bytes == 6 + 1000 * 100 + 4
    assert one.output.text == f"begin\n{'x' * 44}\n… 99,910 bytes left out …\n{'x' * 45}\nend\n"


def test_what_was_printed_before_a_crash_is_kept(either, desk):
    one = desk(either, "import os\n\ndef act():\n    print('so far', flush=True)\n    os._exit(1)\n")
    assert end_of(one)[0] == "crash"
    assert one.output.text == "so far\n"


@given(st.lists(st.binary(max_size=30)), st.integers(1, 40))
def test_an_output_does_not_depend_on_how_it_was_cut(pieces, keep):
    cut, whole, data = Output(keep), Output(keep), b"".join(pieces)
    for piece in pieces:
        cut.add(piece)
    whole.add(data)
    assert (cut.text, cut.bytes) == (whole.text, whole.bytes)
    if len(data) <= 2 * keep:
        assert cut.text == data.decode("utf-8", "replace")
    else:
        middle = f"\n… {len(data) - 2 * keep:,} bytes left out …\n".encode()
        assert cut.text == (data[:keep] + middle + data[-keep:]).decode("utf-8", "replace")


# ---------------------------------------------------------------------------------------------- what a worker is given

SEEN = """
import os, sys
environment = dict(os.environ)
folder = os.getcwd()
content = os.listdir(".")
path = list(sys.path)
loaded = sorted(sys.modules)
standard_input = sys.stdin.read()

def leave():
    os.makedirs("a/b")
    with open("a/b/c", "w") as file:
        file.write("x")
"""
ALLOWED = {
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CONDA_PREFIX", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
    *("PYTHONHASHSEED", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("MKL_NUM_THREADS", "MPLBACKEND", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "CUDA_VISIBLE_DEVICES"),
    *("HOME", "TMPDIR", "TEMP", "TMP"),
}


@pytest.mark.parametrize("fork", [pytest.param(True, marks=FORKS), False])
def test_a_worker_sees_no_variable_that_is_not_on_the_list(monkeypatch, desk, fork):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Nursery(fork=fork) as own:
        one = desk(own, SEEN)
        environment, path = student(one).environment, student(one).path
        one.close()
    assert set(environment) <= ALLOWED
    assert "hunter2" not in environment.values()
    assert str(ROOT) not in path


def test_a_worker_stands_in_an_empty_folder_that_is_removed_afterwards(either, desk):
    one = desk(either, SEEN)
    mine = student(one)
    folder, content, environment = Path(mine.folder), mine.content, mine.environment
    mine.leave()
    assert content == []
    assert not folder.is_relative_to(ROOT)
    assert {environment[name] for name in ("HOME", "TMPDIR", "TEMP", "TMP")} == {str(folder)}
    assert (folder / "a" / "b" / "c").is_file()
    one.close()
    assert not folder.exists()


@FORKS
@pytest.mark.parametrize("moment", ["_fork", "remove"])
def test_an_interrupt_leaves_no_folder(monkeypatch, tmp_path, desk, moment):
    """It comes while a worker is asked for, or while what is left of one is removed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    right, called = getattr(nurseries, moment), []

    def interrupted(*arguments):
        called.append(arguments)
        if len(called) == 1:
            raise KeyboardInterrupt
        return right(*arguments)

    monkeypatch.setattr(nurseries, moment, interrupted)
    with pytest.raises(KeyboardInterrupt), Nursery() as own:
        assert student(desk(own, ANSWERS)).twice(1) == [1, 1]
    assert called
    assert not list(tmp_path.iterdir())


def test_two_workers_stand_in_two_folders(nursery, desk):
    assert student(desk(nursery, SEEN)).folder != student(desk(nursery, SEEN)).folder


def test_there_is_nothing_to_read_on_standard_input(either, desk):
    assert student(desk(either, SEEN)).standard_input == ""


def test_a_plain_worker_has_imported_neither_torch_nor_numpy(either, desk):
    loaded = {name.partition(".")[0] for name in student(desk(either, SEEN)).loaded}
    assert loaded & {"torch", "numpy", "transformers", "autograder", "rich", "typer", "psutil"} == set()


ON_META = """
import sys

import torch

def imported():
    before = set(sys.modules)
    torch.nn.Linear(2, 3, device="meta")(torch.empty(4, 5, 2, device="meta"))
    return len(set(sys.modules) - before)
"""


@FORKS
@pytest.mark.parametrize(("prepared", "kind"), [("meta", "meta"), ("meta", "torch"), ("torch", "torch")])
def test_what_a_tensor_on_meta_needs_is_there_before_the_worker(desk, prepared, kind):
    with Nursery() as own:
        own.prepare(prepared)
        assert (student(desk(own, ON_META, kind=kind)).imported() == 0) == (prepared == "meta")


def test_torch_can_be_imported_in_a_plain_worker(nursery, desk):
    mine = student(desk(nursery, "import torch\n\ndef three():\n    return torch.tensor([1.5, 1.5]).sum()\n"))
    assert mine.three().item() == 3.0


@pytest.mark.parametrize("name", ABSENT_LIBRARIES)
def test_an_absent_library_says_why_it_is_not_there(nursery, desk, name):
    with pytest.raises(StudentRaised) as caught:
        desk(nursery, f"import {name}\n").open()
    assert caught.value.raised.builtin == "ModuleNotFoundError"
    assert caught.value.raised.message == ABSENT_LIBRARIES[name]
    assert name in caught.value.raised.message or name == "tests"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("from autograder import judge", ABSENT_LIBRARIES["autograder"]),
        ("import autograder.wire", ABSENT_LIBRARIES["autograder"]),
        ("from transformers.models.gpt2 import modeling_gpt2", ABSENT_LIBRARIES["transformers"]),
        ("import puzzles.config", ABSENT_LIBRARIES["puzzles"]),
        ("import solutions.step_03", "solutions.step_03 is not part of this check: a step may import earlier steps"),
        ("from steps.step_02 import x", "steps.step_02 is not part of this check: a step may import earlier steps"),
    ],
)
def test_a_module_under_an_absent_one_says_so_too(nursery, desk, line, sentence):
    with pytest.raises(StudentRaised) as caught:
        desk(nursery, f"{line}\n").open()
    assert caught.value.raised.message == sentence


@pytest.mark.parametrize("name", ["step_1", "step1", "step_001"])
def test_a_step_under_another_number_is_told_its_name(nursery, desk, name):
    with pytest.raises(StudentRaised) as caught:
        desk(nursery, f"from steps.{name} import x\n").open()
    assert caught.value.raised.message == f"there is no steps.{name}: the file is called steps.step_01"


REFUSALS = """
def refuses():
    raise ValueError("no")

def returns():
    return ValueError("no")

def slips():
    raise VlueError("no")

def no_exception():
    raise "no"

def no_method():
    raise ValueError("no".uper())
"""


@pytest.mark.parametrize("kind", ["ValueError", ""])
def test_an_exception_that_is_returned_is_told_so_and_a_slip_is_no_refusal(nursery, desk, kind):
    mine = student(desk(nursery, REFUSALS))
    assert raises(mine.refuses, kind) == "no"
    with pytest.raises(Failed) as failed:
        raises(mine.returns, kind)
    assert failed.value.found.detail == ("it is returned, and has to be raised: with raise in place of return",)
    for slip in (mine.slips, mine.no_exception, mine.no_method):
        with pytest.raises(StudentRaised):
            raises(slip, kind)


@FORKS
def test_a_worker_knows_nothing_of_the_one_before_it(nursery, desk):
    assert student(desk(nursery, "import math\nmath.pi = 3\n")).math is not None
    assert student(desk(nursery, "import math\npi = math.pi\n")).pi > 3


# -------------------------------------------------------------------------------------------------------- what is left

FAMILY = """
import subprocess, sys, time
started = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True).pid

def act():
    time.sleep(600)
"""


@FORKS
def test_a_worker_that_is_closed_leaves_no_process_not_even_in_a_session_of_its_own(nursery, desk):
    nursery.prepare("plain")
    one = desk(nursery, FAMILY)
    child = student(one).started
    family = {child, psutil.Process(child).ppid()}
    one.close()
    assert gone(family)


@FORKS
def test_an_ancestor_in_the_middle_of_its_imports_lets_an_interrupt_pass():
    """Ctrl-C is sent to all processes of a terminal, and the judge's to tell."""
    with Nursery() as own:
        own.prepare("plain")
        ancestor = own._ancestors["plain"].process.pid  # noqa: SLF001
        for _ in range(20):
            os.kill(ancestor, signal.SIGINT)
            time.sleep(0.01)
        module = wire.Module(["steps.step_01"], "steps/step_01.py", "VALUE = 1\n")
        with Desk(own, Program([module], wire.Ban(), "plain"), LIMITS) as one:
            assert student(one).VALUE == 1


@pytest.mark.parametrize("fork", [pytest.param(True, marks=FORKS), False])
def test_a_nursery_that_is_closed_leaves_no_process(fork):
    with Nursery(fork=fork) as own:
        module = wire.Module(["steps.step_01"], "steps/step_01.py", FAMILY)
        one = Desk(own, Program([module], wire.Ban(), "plain"), LIMITS)
        child = student(one).started
        above = [process.pid for process in psutil.Process(child).parents()]
        family = {child, *above[: above.index(os.getpid())]}
    assert len(family) >= 2
    assert gone(family)
    one.close()  # a second time does no harm


JUDGE = """
import sys
import psutil
from autograder import wire
from autograder.nursery import Nursery
from autograder.student import Desk, Program, student
from autograder.supervisor import Limits

with Nursery() as nursery:
    module = wire.Module(["steps.step_01"], "steps/step_01.py", sys.argv[1])
    mine = student(Desk(nursery, Program([module], wire.Ban(), "plain"), Limits()))
    pids = [mine.started, *(process.pid for process in psutil.Process().children(recursive=True))]
    print(*pids, flush=True)
    mine.act()
"""


@FORKS
@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone lets a guard adopt what a worker leaves behind")
def test_a_judge_that_dies_leaves_no_worker():
    with subprocess.Popen([sys.executable, "-c", JUDGE, FAMILY], cwd=ROOT, stdout=subprocess.PIPE, text=True) as judge:
        pids = [int(word) for word in judge.stdout.readline().split()]
        assert len(pids) >= 4  # the learner's child, the ancestor, the guard, the worker
        assert all(map(alive, pids))
        judge.send_signal(signal.SIGKILL)
    assert gone(pids)
