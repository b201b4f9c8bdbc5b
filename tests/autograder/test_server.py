"""The warm server: its answers are the cold ones, and whatever becomes of it, a learner gets them."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from processes import gone

from autograder import address, fingerprint, generate, snapshot, standby
from autograder import course as courses
from autograder.client import Warmth
from autograder.fork import forked, has_ended
from autograder.nursery import Nursery
from autograder.supervisor import Limits
from autograder.warm import Answer

pytestmark = pytest.mark.skipif(not address.HAS_SERVERS, reason="there is no warm server without fork")

ROOT = Path(__file__).resolve().parents[2]
PASSED = "✅ @dataclass is imported\n"
START = """
import sys
from autograder import loop, served, server, standby
served._LIBRARIES = {libraries}
loop._QUIET_S = 0.1  # a learner is slower than a test
{patch}
sys.exit(server.start(sys.argv[1]))
"""
SLOW = """
import os, pathlib, time
pathlib.Path({marker!r}).write_text(f"{{os.getpid()}} {{os.getppid()}}", encoding="utf-8")
time.sleep({seconds})
"""


@pytest.fixture(scope="module")
def runtime():
    """Return the folder that this module's sockets lie in: short, for a socket's path has little room."""
    with tempfile.TemporaryDirectory(prefix="ag-") as folder:
        yield folder


@pytest.fixture(scope="module")
def home(runtime):
    """Return the environment of a user who wants a server."""
    return {name: value for name, value in os.environ.items() if name != "CI"} | {"XDG_RUNTIME_DIR": runtime}


def laid(root):
    """Lay a course of the first step alone, with its solution as the learner's file, and return its root."""
    for name in ("puzzles/config.py", "puzzles/config.md", "tests/steps/config.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (root / "steps").mkdir()
    (root / "course.toml").write_text('name = "c"\ntitle = "C"\n[parts.One]\nconfig = "Config"\n', encoding="utf-8")
    course = courses.load(root)
    course.stub(course.find("1")).write_text(generate.make(course, course.find("1")).solution, encoding="utf-8")
    return root


@pytest.fixture
def desk(tmp_path):
    return laid(tmp_path)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory, home):
    """Return a course whose server lives as long as these tests do."""
    root = laid(tmp_path_factory.mktemp("lasting"))
    with served(root, home, libraries=("autograder.judge", "autograder.views.plain", "autograder.oracle", "psutil")):
        yield root


@contextlib.contextmanager
def served(root, home, *, libraries=(), patch="", engine=ROOT):
    """Have a server for a course; without its libraries it is there at once, and its judges import them."""
    code = START.format(libraries=repr(libraries), patch=patch)
    command = [sys.executable, "-c", code, str(root)]
    process = subprocess.Popen(command, cwd=engine, env=home, stdin=subprocess.DEVNULL)
    try:
        path = socket_of(root, home)
        wait_for(lambda: path.exists() or process.poll() is not None)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for other in psutil.process_iter(["cmdline"]):  # which a cold check has left behind
            if {"autograder.server", str(root)} <= set(other.info["cmdline"] or ()):
                other.terminate()


def socket_of(root, home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", home["XDG_RUNTIME_DIR"])
        return Path(address.socket_path(str(root)))


def wait_for(holds, patience_s=60.0):
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def loading(marker):
    """Wait until a SLOW file is loaded, and return its process and that one's parent."""
    wait_for(lambda: marker.exists() and marker.read_text(encoding="utf-8"))
    return [int(word) for word in marker.read_text(encoding="utf-8").split()]


def started(root, home, *arguments, **more):
    environment = home | {"INIT_CWD": str(root), "PYTHONUTF8": "1"} | more.pop("env", {})
    command = [sys.executable, "-m", "autograder", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **(pipes | more))


def run(root, home, *arguments, **more):
    process = started(root, home, *arguments, **more)
    out, error = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


def timeless(out):
    """Return a report without what a run's speed makes of it, which may need a line more."""
    return re.sub(rb"( |\x1b\[0m\r\n\x1b\[2m)(warm|ahead|cold) (\xc2?\xb7|\S+) \d+ ms", b" SPEED", out)


def is_warm(out):
    """Return whether a server's judge has made a report: when it was asked for, or before."""
    return re.search(rb"[ m](warm|ahead) ", out) is not None  # after a colour, where it begins a line


def put(root, text):
    course = courses.load(root)
    course.stub(course.find("1")).write_text(text, encoding="utf-8")


def solution(root):
    course = courses.load(root)
    return generate.make(course, course.find("1")).solution


def judges_of(server):
    present = psutil.Process(server.pid)
    return set(present.children()) - set(family(present))


def judge_of(server):
    """Return the process of the one judge that is at work: the others are the ancestors, and no spare is made now."""
    found = set()

    def is_there():
        found.update(judges_of(server))
        return bool(found)

    wait_for(is_there)
    return found.pop()


def spare_of(server):
    """Return the judge that is made ahead, once whoever answered has gone: the one that stays."""
    found = set()

    def stays():
        before = judges_of(server)
        time.sleep(0.2)
        found.clear()
        found.update(judges_of(server))
        return len(found) == 1 and found == before

    wait_for(stays)
    return found.pop()


# ------------------------------------------------------------------------------------------------- the same as cold


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["check", "1", "--seed", "91c2"], {}),
        (["check", "1", "--seed", "91c2"], {"PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}),
        (["check", "1", "--seed", "91c2", "--plain"], {"COLUMNS": "40", "NO_COLOR": "1"}),
        (["check", "1", "--seed", "91c2", "--file", "nothing.py"], {}),
        (["check", "7"], {}),
        (["check", "1", "--sede", "91c2"], {}),
        (["check", "--help"], {}),
        (["check", "1", "--seed", "91c2", "--editor"], {"PIXIW": "1"}),
    ],
)
@pytest.mark.parametrize("value", ["vocab_size: int = 50257", "vocab_size: int = 50_000", "vocab_size"])
def test_a_warm_run_writes_what_a_cold_one_writes(lasting, home, arguments, env, value):
    put(lasting, solution(lasting).replace("vocab_size: int = 50257", value))
    warm = run(lasting, home, *arguments, env=env)
    cold = run(lasting, home, *arguments, env=env | {"CI": "true"})
    assert timeless(warm.stdout) == timeless(cold.stdout)
    assert (warm.stderr, warm.returncode) == (cold.stderr, cold.returncode)
    if b"learner:" in warm.stdout:
        assert is_warm(warm.stdout)
        assert b" cold " in cold.stdout


def test_a_document_differs_in_its_timing_alone(lasting, home):
    put(lasting, solution(lasting))
    warm, cold = (
        json.loads(run(lasting, home, "check", "1", "--json", "--seed", "91c2", env=env).stdout)
        for env in ({}, {"CI": "true"})
    )
    assert (warm.pop("timing")["worker"], cold.pop("timing")["worker"]) == ("warm", "cold")
    assert warm == cold


def test_a_terminal_is_drawn_on_in_its_own_width_and_colours(lasting, home):
    put(lasting, solution(lasting).replace("50257", "7"))
    seen = [on_terminal(lasting, home, env) for env in ({}, {"CI": "true"})]
    assert timeless(seen[0]) == timeless(seen[1])
    assert b"\x1b[" in seen[0]
    assert is_warm(seen[0])


def on_terminal(root, home, env):
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    command = ("check", "1", "--seed", "91c2")
    process = started(root, home, *command, stdin=theirs, stdout=theirs, stderr=theirs, env={"TERM": "xterm"} | env)
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while data := os.read(ours, 4096):
            seen += data
    os.close(ours)
    assert process.wait(60) == 1
    return seen


def test_a_hunt_is_the_servers_too_and_says_what_a_cold_one_says(lasting, home):
    hunted(lasting, solution(lasting).replace("50257", "7"))
    warm, cold = (run(lasting, home, "bug", "1", env=env) for env in ({}, {"CI": "true"}))
    assert (warm.returncode, warm.stderr) == (cold.returncode, cold.stderr) == (1, b"")
    assert is_warm(warm.stdout)
    assert b" cold " in cold.stdout
    seedless = [re.sub(rb"seed \w+", b"seed", timeless(done.stdout)) for done in (warm, cold)]
    assert seedless[0] == seedless[1]


def test_a_hunt_between_two_checks_is_no_check(eager, home):
    """A judge that has made the check that is likely to come next answers it; and then another makes that check."""
    desk, made_ahead = eager
    hunted(desk, solution(desk))
    made_ahead()
    hunt = run(desk, home, "bug", "1")
    assert (hunt.returncode, hunt.stderr) == (0, b"")
    assert hunt.stdout.startswith(b"Checking steps/bug_1.py")
    assert b"Running tests" not in hunt.stdout
    made_ahead()


def hunted(root, text):
    (root / "steps" / "bug_1.py").write_text(text, encoding="utf-8")


def test_what_a_learner_has_changed_counts_at_once(lasting, home):
    text = solution(lasting)
    for value, code in (("50257", 0), ("50256", 1), ("50257", 0)):
        put(lasting, text.replace("50257", value))
        assert run(lasting, home, "check", "1").returncode == code


def test_what_an_instructor_has_changed_counts_at_once(desk, home):
    with served(desk, home):
        assert run(desk, home, "check", "1").returncode == 0
        checker = desk / "tests/steps/config.py"
        checker.write_text(checker.read_text(encoding="utf-8") + "\n\nraise ValueError('unfit')\n", encoding="utf-8")
        done = run(desk, home, "check", "1")
        assert done.returncode != 0
        assert b"unfit" in done.stderr


def test_debug_and_cold_are_made_where_they_were_asked_for(lasting, home):
    put(lasting, solution(lasting))
    assert b" cold " in run(lasting, home, "check", "1", "--cold").stdout
    done = run(lasting, home, "check", "1", "--debug")
    assert b" cold " in done.stdout
    assert done.stdout.count(b"Running tests") == 1


# ------------------------------------------------------------------------------------------ made before it is asked for


@pytest.fixture
def eager(desk, home):
    """Return a course whose server has made the check of step 1 ahead, and a function that waits until it has again."""
    with served(desk, home, libraries=("autograder.judge", "autograder.views.plain", "autograder.oracle", "psutil")):

        def made_ahead(*arguments, **more):
            """Return the first answer that was made ahead."""
            found = []

            def is_ahead():
                time.sleep(0.3)  # a spare judge is there once nobody has asked for a while
                found.append(run(desk, home, "check", "1", *arguments, **more))
                return re.search(rb'[ "]ahead[ "]', found[-1].stdout) is not None

            wait_for(is_ahead)
            return found[-1]

        yield desk, made_ahead


def test_a_check_that_was_made_ahead_is_the_one_that_would_be_made(eager, home):
    desk, made_ahead = eager
    for value in ("50257", "50_000", "'50257'"):
        put(desk, solution(desk).replace("50257", value))
        ahead = made_ahead()
        seed = re.search(rb"seed (\w+)", ahead.stdout)[1].decode()
        cold = run(desk, home, "check", "1", "--seed", seed, env={"CI": "true"})
        assert without_attempts(ahead.stdout) == without_attempts(cold.stdout)
        assert (ahead.stderr, ahead.returncode) == (cold.stderr, cold.returncode)


def without_attempts(out):
    """Return a report without its speed, and without the hint that comes after some attempts."""
    return re.sub(rb"(?m)^(Note: the same|Next: ).*\n", b"", timeless(out))


def test_each_check_that_is_made_ahead_has_inputs_of_its_own(eager):
    _, made_ahead = eager
    assert len({re.search(rb"seed (\w+)", made_ahead().stdout)[1] for _ in range(2)}) == 2


def test_what_is_saved_is_what_is_judged_however_soon_it_is_asked_for(eager, home):
    desk, made_ahead = eager
    made_ahead()
    right = solution(desk)
    ahead = 0
    for number in range(12):
        value = 50257 if number % 2 else 60000 + number
        put(desk, right.replace("50257", str(value)))
        time.sleep(number % 6 * 0.1)
        done = run(desk, home, "check", "1")
        ahead += b" ahead " in done.stdout
        assert done.returncode == (0 if number % 2 else 1)
        assert number % 2 or f"got {value}".encode() in done.stdout
    assert ahead > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells without a thread")
def test_what_is_saved_is_judged_without_anybody_looking_for_it(desk, home):
    only_told = "loop.Loop._pause_s = lambda self: 0.05 if self._spare is None else None"
    marker = desk / "loading"
    with served(desk, home, patch=only_told) as server:
        assert run(desk, home, "check", "1").returncode == 0
        spare_of(server)

        def is_judged():
            put(desk, SLOW.format(marker=str(marker), seconds=0) + solution(desk))
            return marker.exists()

        wait_for(is_judged)


def test_what_is_saved_is_judged_where_the_system_does_not_tell(desk, home):
    untold = "import types\nfrom autograder import watch\nwatch.sys = types.SimpleNamespace(platform='darwin')"
    marker = desk / "loading"
    with served(desk, home, patch=untold) as server:
        assert run(desk, home, "check", "1").returncode == 0
        spare_of(server)
        put(desk, SLOW.format(marker=str(marker), seconds=0) + solution(desk))
        loading(marker)


def test_what_an_instructor_has_changed_ends_what_was_made_ahead(eager, home):
    desk, made_ahead = eager
    made_ahead()
    checker = desk / "tests/steps/config.py"
    checker.write_text(checker.read_text(encoding="utf-8") + "\n\nraise ValueError('unfit')\n", encoding="utf-8")
    done = run(desk, home, "check", "1")
    assert (done.returncode, b"unfit" in done.stderr) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["--seed", "91c2"], {}),
        (["--file", "steps/step_01.py"], {}),
        (["--tree", "solutions"], {}),
        ([], {"TZ": "Asia/Tokyo"}),
    ],
)
def test_another_check_than_the_one_made_ahead_is_made(eager, home, arguments, env):
    desk, made_ahead = eager
    (desk / "solutions").mkdir()
    (desk / "solutions/step_01.py").write_text(solution(desk).replace("50257", "7"), encoding="utf-8")
    made_ahead()
    time.sleep(0.5)
    done = run(desk, home, "check", "1", *arguments, env=env)
    assert b" warm " in done.stdout
    assert done.returncode == ("--tree" in arguments)


def test_a_file_that_never_ends_is_not_waited_for_by_the_next_check(eager, home):
    desk, made_ahead = eager
    made_ahead()
    marker = desk / "loading"
    put(desk, SLOW.format(marker=str(marker), seconds=600) + solution(desk))
    pid, _ = loading(marker)
    put(desk, solution(desk))
    assert run(desk, home, "check", "1").returncode == 0
    assert gone([pid])


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_check_that_is_just_being_made_is_joined_and_its_first_line_does_not_wait(eager, home, arguments):
    desk, made_ahead = eager
    made_ahead(*arguments)
    marker = desk / "loading"
    put(desk, SLOW.format(marker=str(marker), seconds=2) + solution(desk))
    processes = loading(marker)
    check = started(desk, home, "check", "1", *arguments)
    first = b"" if arguments else check.stdout.readline()
    assert check.poll() is None
    rest, error = check.communicate(timeout=120)
    assert (check.returncode, error) == (0, b"")
    assert loading(marker) == processes
    if arguments:
        assert json.loads(rest)["timing"]["worker"] == "ahead"
    else:
        assert first.startswith(b"Running tests for Step 01")
        assert b"Running tests" not in rest
        assert b" ahead " in rest


def test_a_client_that_goes_while_its_check_is_being_made_ahead_leaves_no_process(eager, home):
    desk, made_ahead = eager
    made_ahead()
    marker = desk / "loading"
    put(desk, SLOW.format(marker=str(marker), seconds=600) + solution(desk))
    processes = loading(marker)
    check = started(desk, home, "check", "1")
    assert check.stdout.readline().startswith(b"Running tests")
    check.send_signal(signal.SIGINT)
    check.communicate(timeout=60)
    assert check.returncode == 130
    assert gone(processes[:1])  # its guard has the next one
    put(desk, solution(desk))
    assert is_warm(run(desk, home, "check", "1").stdout)


@pytest.mark.parametrize("words", [b"", address.AGAIN])
def test_a_request_is_answered_that_comes_together_with_a_word_before_it(monkeypatch, lasting, home, words):
    request = request_of(lasting, home, ["1"])
    answered = []

    def answer(asked, channel, terminal, *_, announced):
        answered.append((vars(asked), announced))
        channel.close()
        for number in terminal:
            os.close(number)

    monkeypatch.setattr(standby, "Beside", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(standby, "_made", lambda *_: None)
    monkeypatch.setattr(standby.served, "answer", answer)
    monkeypatch.setattr(standby.gc, "disable", lambda: None)
    before = signal.getsignal(signal.SIGUSR1)
    ours, theirs = socket.socketpair()
    with ours, theirs, (lasting / "course.toml").open() as file:
        ours.sendall(words)
        socket.send_fds(ours, [request.encode()], [ours.fileno(), *[file.fileno()] * 3])
        standby.wait(theirs, request, Warmth(None, None))
        assert ours.recv(1) == address.READY
    signal.signal(signal.SIGUSR1, before)
    assert answered == [(vars(request), False)]


COUNTED = """
import itertools
from autograder import rehearsal
numbers, make = itertools.count(1), rehearsal.make
standby.new_seed = lambda: f"beef{{next(numbers)}}"
def made(root, slug, seed, *rest):
    make(root, slug, seed, *rest)
    with open({marker!r}, "a") as file:
        file.write(seed + "\\n")
rehearsal.make = made
"""


def test_a_seed_that_was_rehearsed_is_the_next_checks_and_no_others(desk, home):
    marker = desk / "rehearsed"
    libraries = ("autograder.judge", "autograder.views.plain", "autograder.oracle", "psutil")
    seeds = []
    with served(desk, home, libraries=libraries, patch=COUNTED.format(marker=str(marker))):
        assert run(desk, home, "check", "1").returncode == 0
        for number in range(1, 4):  # a spare judge makes them, one after another
            seed = f"beef{number}"
            wait_for(lambda seed=seed: marker.exists() and f"{seed}\n" in marker.read_text())
            put(desk, f"# {number}\n" + solution(desk))
        wait_for(lambda: "beef4\n" in marker.read_text())
        seeds.append(json.loads(run(desk, home, "check", "1", "--json").stdout)["seed"])
    assert seeds == ["beef3"]  # made ahead with it


IN_THE_MIDDLE = """
import pathlib, time
from autograder import rehearsal
def rehearse(*given):
    if len(given) == 6:  # a spare judge's, and not the server's when it starts
        pathlib.Path({marker!r}).touch()
        time.sleep(600)
rehearsal.make = rehearse
"""


def test_a_rehearsal_holds_nobody_up(desk, home):
    marker = desk / "rehearsing"
    libraries = ("autograder.judge", "autograder.views.plain", "autograder.oracle", "psutil")
    with served(desk, home, libraries=libraries, patch=IN_THE_MIDDLE.format(marker=str(marker))) as server:
        for text in (solution(desk), "# another\n" + solution(desk)):
            put(desk, text)
            done = run(desk, home, "check", "1")
            assert (done.returncode, is_warm(done.stdout)) == (0, True)
            assert done.stdout.count(b"Running tests") == 1
            wait_for(marker.exists)
            marker.unlink()
            spare_of(server)


def test_a_judge_that_was_stopped_at_a_check_ahead_leaves_no_process(eager, home):
    desk, made_ahead = eager
    made_ahead()
    marker = desk / "loading"
    put(desk, SLOW.format(marker=str(marker), seconds=600) + solution(desk))
    pid, _ = loading(marker)
    judge = judge_of(psutil.Process(server_of(desk, home)))
    judge.suspend()
    put(desk, solution(desk))
    assert run(desk, home, "check", "1").returncode == 0
    assert gone([judge.pid, pid])


def test_a_step_that_needs_more_than_the_server_has_ends_it_for_the_next_one(desk, home):
    with served(desk, home, patch="loop._LOOK_S = 0.2") as server:
        assert is_warm(run(desk, home, "check", "1").stdout)
        for name in ("puzzles/layer_norm.py", "puzzles/layer_norm.md", "tests/steps/layer_norm.py"):
            shutil.copy(ROOT / name, desk / name)
        text = 'name = "c"\ntitle = "C"\n[parts.One]\nconfig = "Config"\nlayer_norm = "Norm"\n'
        (desk / "course.toml").write_text(text, encoding="utf-8")
        course = courses.load(desk)
        course.stub(course.find("2")).write_text(generate.make(course, course.find("2")).solution, encoding="utf-8")
        done = run(desk, home, "check", "2")
        assert (done.returncode, is_warm(done.stdout)) == (0, True)
        assert server.wait(60) == 0


def test_a_file_that_kills_the_judge_made_ahead_is_not_tried_for_ever(desk, home):
    with served(desk, home) as server:
        assert is_warm(run(desk, home, "check", "1").stdout)
        seen = set()
        for _ in range(2):
            judge = spare_of(server)
            seen.add(judge.pid)
            judge.kill()
            assert gone([judge.pid])
            if len(seen) == 1:
                time.sleep(1.0)
                assert not set(psutil.Process(server.pid).children()) - set(family(psutil.Process(server.pid)))
                assert is_warm(run(desk, home, "check", "1").stdout)


def test_what_was_made_ahead_of_a_copy_is_not_the_answer_for_a_link(desk):
    """A link to a finished step is refused, though it has the same text and the same time."""
    (desk / "solutions").mkdir()
    finished, own = desk / "solutions/step_01.py", desk / "steps/step_01.py"
    finished.write_text(solution(desk), encoding="utf-8")
    shutil.copy2(finished, own)
    before = snapshot.contents(desk)
    assert snapshot.contents(desk, before).files == before.files
    own.unlink()
    own.symlink_to(finished)
    assert snapshot.contents(desk, before).files != before.files


def test_a_spare_judge_whose_server_ends_in_the_middle_of_a_request_ends(lasting, home):
    ours, theirs = socket.socketpair()
    request = request_of(lasting, home, ["1"]).encode()
    with ours, theirs, Path(os.devnull).open("r+b") as nothing:
        socket.send_fds(ours, [request[:-1]], [nothing.fileno()] * 4)
        ours.shutdown(socket.SHUT_WR)
        judge = forked(lambda: standby.wait(theirs, None, Warmth(Nursery(), Limits())))
    try:
        wait_for(lambda: has_ended(judge), 20.0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(judge, signal.SIGKILL)


def test_a_judge_that_makes_many_checks_ahead_does_not_grow(desk, home):
    cycles = "def made(*_):\n    kept = [b'x' * 50_000_000]\n    kept.append(kept)\nstandby._made = made"
    with served(desk, home, patch=cycles) as server:
        assert run(desk, home, "check", "1").returncode == 0
        time.sleep(1.0)
        judge = judge_of(server)
        for number in range(10):
            put(desk, f"# {number}\n")
            time.sleep(0.3)
        assert judge_of(server) == judge
        assert judge.memory_full_info().uss < 200_000_000


def test_a_limit_that_was_reached_ahead_is_tried_again(eager, home):
    """What else the machine was at may have been behind it."""
    desk, made_ahead = eager
    made_ahead()
    marker = desk / "loading"
    put(desk, SLOW.format(marker=str(marker), seconds=0) + "bytes(1_000_000_000) * 9\n" + solution(desk))
    pid, _ = loading(marker)
    assert gone([pid])
    time.sleep(0.5)
    done = run(desk, home, "check", "1")
    assert b" warm " in done.stdout
    assert b"of memory" in done.stdout


def test_an_attempt_counts_when_it_is_asked_for(eager, home):
    desk, made_ahead = eager
    made_ahead()
    before = remembered(desk)
    marker = desk / "loading"
    put(desk, SLOW.format(marker=str(marker), seconds=0) + solution(desk).replace("50257", "7"))
    assert gone([loading(marker)[0]])  # it was made ahead
    assert remembered(desk) == before
    assert run(desk, home, "check", "1").returncode == 1
    assert remembered(desk) != before


def remembered(desk):
    return {path: path.read_bytes() for path in (desk / ".autograder").rglob("*") if path.is_file()}


# --------------------------------------------------------------------------------------------- whatever becomes of it


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV])
@pytest.mark.parametrize("whom", ["server", "judge"])
def test_a_server_that_ends_or_hangs_in_the_middle_costs_time_alone(desk, home, whom, number):
    marker = desk / "loading"
    put(desk, SLOW.format(marker=str(marker), seconds=1.5) + solution(desk))
    with served(desk, home) as server:
        check = started(desk, home, "check", "1")
        wait_for(marker.exists)
        judge = judge_of(server)
        os.kill(server.pid if whom == "server" else judge.pid, number)
        out, error = check.communicate(timeout=120)
        assert (check.returncode, error) == (0, b"")
        assert out.count(b"Running tests") == out.count(b"Results:") == 1
        if whom == "judge":
            assert b" cold " in out
            assert gone([judge.pid])
            put(desk, solution(desk))
            assert is_warm(run(desk, home, "check", "1").stdout)
    put(desk, solution(desk))
    assert b" cold " in run(desk, home, "check", "1", env={"CI": "true"}).stdout


@pytest.mark.parametrize("whom", ["server", "judge"])
def test_a_hunt_whose_server_or_judge_is_killed_is_gone_on_with(desk, home, whom):
    marker = desk / "loading"
    hunted(desk, SLOW.format(marker=str(marker), seconds=1.5) + solution(desk).replace("50257", "7"))
    with served(desk, home) as server:
        hunt = started(desk, home, "bug", "1")
        wait_for(marker.exists)
        os.kill(server.pid if whom == "server" else judge_of(server).pid, signal.SIGKILL)
        out, error = hunt.communicate(timeout=120)
    assert (hunt.returncode, error) == (1, b"")
    assert out.count(b"Checking steps/bug_1.py") == out.count(b"Results:") == 1
    assert (b" cold " in out) == (whom == "judge")  # without its server, a judge goes on


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_spare_judge_that_is_no_use_costs_time_alone(desk, home, number):
    with served(desk, home) as server:
        spare = judge_of(server)
        spare.send_signal(number)
        done = run(desk, home, "check", "1")
        assert (done.returncode, done.stderr, done.stdout.count(b"Results:")) == (0, b"", 1)
        assert gone([spare.pid])
        assert is_warm(run(desk, home, "check", "1").stdout)


def test_a_server_that_is_killed_between_two_checks_leaves_a_socket_that_harms_nobody(desk, home):
    with served(desk, home) as server:
        server.kill()
        server.wait()
        assert socket_of(desk, home).exists()
        done = run(desk, home, "check", "1")  # and leaves another behind
        assert (done.returncode, done.stderr) == (0, b"")
        assert b" cold " in done.stdout
        wait_for(lambda: run(desk, home, "server", "status").stdout.startswith(b"The warm server of this course is"))
        assert run(desk, home, "server", "stop").stdout.startswith(
            b"The warm server ends, once the checks that are under way are done."
        )


def test_a_server_without_its_ancestors_ends_and_the_answer_is_a_cold_one(desk, home):
    with served(desk, home, patch="loop._LOOK_S = 0.1") as server:
        for child in psutil.Process(server.pid).children():
            child.kill()
        done = run(desk, home, "check", "1")
        assert (done.returncode, b" cold " in done.stdout) == (0, True)
        assert server.wait(20) == 0


def test_a_client_that_gives_up_has_nothing_written_for_it(lasting, home, tmp_path):
    put(lasting, solution(lasting))
    with socket.socket(socket.AF_UNIX) as channel, (tmp_path / "out").open("wb") as out:
        channel.settimeout(10)
        channel.connect(str(socket_of(lasting, home)))
        socket.send_fds(channel, [request_of(lasting, home, ["1"]).encode()], [out.fileno()] * 3)
        assert channel.recv(100) == b"taken\n"
    assert is_warm(run(lasting, home, "check", "1").stdout)
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize(
    "request_", [b"", b"5\nhello", b"x\n", b"99999999999\n", b"1" * 40, b"8\n2\0check\0", b"\xff\n", b"30\n1\0check"]
)
def test_what_is_no_request_is_answered_with_nothing_or_refused(lasting, home, request_):
    path = socket_of(lasting, home)
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(path))
        channel.settimeout(10)
        channel.sendall(request_)
        channel.shutdown(socket.SHUT_WR)
        assert channel.recv(100) in (b"", b"cold\n")
    put(lasting, solution(lasting))
    assert is_warm(run(lasting, home, "check", "1").stdout)


def test_a_client_of_another_python_is_refused_and_the_server_makes_room(desk, home):
    with served(desk, home) as server:
        done = run(desk, home, "check", "1", env={"PYTHONPATH": str(desk)})
        assert (done.returncode, b" cold " in done.stdout) == (0, True)
        assert server.wait(20) == 0


def test_an_upgrade_under_a_running_server_is_noticed(desk, home, tmp_path):
    library = tmp_path / "site"
    library.mkdir()
    env = {"PYTHONPATH": str(library)}
    with served(desk, home | env) as server:
        assert is_warm(run(desk, home, "check", "1", env=env).stdout)
        (library / "torch-99.0.dist-info").mkdir()
        done = run(desk, home, "check", "1", env=env)
        assert (done.returncode, b" cold " in done.stdout) == (0, True)
        assert server.wait(20) == 0


def test_a_change_of_the_engine_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "_ENGINE", tmp_path)
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "serve.py").write_text("1\n", encoding="utf-8")
    before = fingerprint.made_of()
    assert fingerprint.made_of() == before
    (tmp_path / "worker" / "serve.py").write_text("22\n", encoding="utf-8")
    assert fingerprint.made_of() != before


def test_an_idle_server_ends_by_itself(desk, home):
    with served(desk, home, patch="loop._IDLE_S, loop._LOOK_S = 0.3, 0.1") as server:
        assert server.wait(20) == 0
    assert not socket_of(desk, home).exists()


def test_a_server_of_a_course_that_is_gone_ends(desk, home):
    with served(desk, home, patch="loop._LOOK_S = 0.1") as server:
        desk.rename(desk.with_name("elsewhere"))
        assert server.wait(20) == 0


def test_a_server_that_is_told_to_end_leaves_no_socket(desk, home):
    with served(desk, home) as server:
        server.terminate()
        assert server.wait(20) == 0
        assert not socket_of(desk, home).exists()


def test_an_idle_server_whose_spare_judges_die_ends_all_the_same(desk, home):
    die = "standby.wait = lambda *_: None\nloop._IDLE_S, loop._LOOK_S, loop._QUIET_S = 1.0, 0.1, 0.0"
    with served(desk, home, patch=die) as server:
        assert server.wait(30) == 0


def test_a_course_that_is_broken_when_its_server_starts_is_told_so_by_each_check(desk, home):
    puzzle = desk / "puzzles/config.py"
    right = puzzle.read_text(encoding="utf-8")
    puzzle.write_text(right.replace("class GPT2Config:", "class GPT2Config"), encoding="utf-8")
    with served(desk, home) as server:
        done = run(desk, home, "check", "1")
        assert done.returncode == 3
        assert done.stderr.decode() == f"autograder: {puzzle}:14: is no Python: expected ':'\n"
        puzzle.write_text(right, encoding="utf-8")
        assert is_warm(run(desk, home, "check", "1").stdout)
        assert server.poll() is None


def test_a_second_server_leaves_at_once(lasting, home):
    with served(lasting, home) as second:
        assert second.wait(20) == 0


# ------------------------------------------------------------------------------------------------------ many at once


def test_twenty_clients_at_once_each_get_their_own_answer(lasting, home, tmp_path):
    text = solution(lasting)
    files = [tmp_path / f"{number}.py" for number in range(20)]
    for number, path in enumerate(files):
        path.write_text(text.replace("50257", str(50247 + number)), encoding="utf-8")
    clients = [started(lasting, home, "check", "1", "--file", str(path)) for path in files]
    for number, client in enumerate(clients):
        out, error = client.communicate(timeout=120)
        assert error == b""
        assert is_warm(out)
        assert client.returncode == (0 if number == 10 else 1)
        assert number == 10 or f"got {50247 + number}".encode() in out


def test_a_thousand_requests_leave_no_memory_and_no_open_file(lasting, home, capsys):
    put(lasting, solution(lasting))
    server = psutil.Process(server_of(lasting, home))
    made, refused = (request_of(lasting, home, argv) for argv in (["1", "--seed", "91c2"], ["77"]))
    wanted = [(made, b"exit 0") if number % 40 == 0 else (refused, b"exit 2") for number in range(1000)]
    for request, word in wanted[:100]:
        assert asked(lasting, home, request) == word
    before = settled(server), memory_mb(server)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda each: asked(lasting, home, each[0]), wanted)) == [word for _, word in wanted]
    after = settled(server)
    grown_mb = memory_mb(server) - before[1]
    with capsys.disabled():
        print(f"\na thousand requests: {before[0]} open files before, {after} after, {grown_mb:+.1f} MB")
    assert after == before[0]
    assert grown_mb < 8


def family(server):
    """Return a server and its ancestors of workers, without the judges and workers that come and go."""
    return [server, *filter(is_ancestor, server.children())]


def is_ancestor(process):
    with contextlib.suppress(psutil.Error):  # one that has just ended
        return any("ancestor" in word for word in process.cmdline())
    return False


def settled(server, quiet_s=1.5):
    """Return how many files a server and its ancestors have open, once all spares are there and nothing changes."""
    found, since = [], time.monotonic()
    while time.monotonic() - since < quiet_s:
        now = [process.num_fds() for process in family(server)]
        if now != found:
            found, since = now, time.monotonic()
        time.sleep(0.05)
    return found


def memory_mb(server):
    return sum(process.memory_full_info().uss for process in family(server)) / 2**20


def server_of(root, home):
    return int(re.search(rb"process (\d+)", run(root, home, "server", "status").stdout)[1])


def request_of(root, home, argv):
    environment = tuple((home | {"INIT_CWD": str(root), "PYTHONUTF8": "1"}).items())
    streams = "utf-8,strict,utf-8,backslashreplace"
    python = address.python()
    return address.Request("check", python, str(root), str(ROOT), "0.0", streams, tuple(argv), environment)


def asked(root, home, request):
    """Return the last word of the server to a request, whose report goes nowhere."""
    with socket.socket(socket.AF_UNIX) as channel, Path(os.devnull).open("r+b") as nothing:
        channel.settimeout(60)
        channel.connect(str(socket_of(root, home)))
        socket.send_fds(channel, [request.encode()], [nothing.fileno()] * 3)
        heard = channel.recv(4096)
        assert heard.startswith(b"taken\n")
        channel.sendall(b"go\n")
        while data := channel.recv(4096):
            heard += data
    return next(line for line in heard.split(b"\n") if line.startswith((b"exit", b"cold")))


# ---------------------------------------------------------------------------------------------------------- learners

KILLS_ITS_PARENTS = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
FORKS = "import os\nfor _ in range(5):\n    if os.fork() == 0:\n        import time\n        time.sleep(600)\n"
FILLS = "kept = [bytearray(b'x') * (1 << 30) for _ in range(5)]\n"
SHOUTS = "print('x' * 100_000_000)\n"


@pytest.mark.parametrize("text", [KILLS_ITS_PARENTS, FORKS, FILLS, SHOUTS], ids=["kills", "forks", "fills", "shouts"])
def test_a_learners_file_leaves_the_server_unharmed(lasting, home, text):
    before = server_of(lasting, home)
    put(lasting, text + solution(lasting))
    done = run(lasting, home, "check", "1")
    assert b"Results:" in done.stdout
    put(lasting, solution(lasting))
    done = run(lasting, home, "check", "1")
    assert (done.returncode, is_warm(done.stdout)) == (0, True)
    assert server_of(lasting, home) == before


def test_an_interrupted_client_leaves_no_process(lasting, home, tmp_path):
    marker = tmp_path / "loading"
    put(lasting, SLOW.format(marker=str(marker), seconds=600) + solution(lasting))
    server = psutil.Process(server_of(lasting, home))
    check = started(lasting, home, "check", "1")
    wait_for(lambda: marker.exists() and marker.read_text(encoding="utf-8"))
    working = [judge_of(server).pid, loading(marker)[0]]
    check.send_signal(signal.SIGINT)
    out, error = check.communicate(timeout=60)
    assert (check.returncode, error) == (130, b"autograder: interrupted\n")
    assert out.startswith(b"Running tests for Step 01")
    assert gone(working)
    put(lasting, solution(lasting))
    assert is_warm(run(lasting, home, "check", "1").stdout)


# ------------------------------------------------------------------------------------------------- whose, and when not


def test_two_checkouts_have_two_servers(desk, lasting, home):
    with served(desk, home) as other:
        put(lasting, solution(lasting))
        put(desk, solution(desk).replace("50257", "1"))
        assert run(lasting, home, "check", "1").returncode == 0
        assert run(desk, home, "check", "1").returncode == 1
        assert server_of(desk, home) == other.pid != server_of(lasting, home)


def test_a_socket_is_for_its_user_alone(lasting, home):
    path = socket_of(lasting, home)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.lstat().st_mode) == 0o700
    assert path.parent.name == f"autograder-{os.geteuid()}"


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_can_open_is_not_used(tmp_path, mode):
    folder = tmp_path / "run" / f"autograder-{os.geteuid()}"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    assert not address.is_ours(f"{folder}/x.sock")
    folder.chmod(0o700)
    assert address.is_ours(f"{folder}/x.sock")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="another's folder takes another user")
def test_a_folder_of_another_user_is_not_used(tmp_path):
    folder = tmp_path / "autograder-0"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    assert not address.is_ours(f"{folder}/x.sock")


@pytest.mark.parametrize("value", ["true", "1", "yes"])
def test_a_machine_that_tests_leaves_no_server(desk, home, value):
    assert run(desk, home, "check", "1", env={"CI": value}).returncode == 0
    assert run(desk, home, "check", "1", "--cold").returncode == 0
    time.sleep(0.5)
    assert run(desk, home, "server", "status").stdout == (
        b"No warm server runs for this course.\nNext: pixi run s01 starts one, and leaves it for the checks after it\n"
    )


@pytest.mark.parametrize("action", ["status", "stop"])
def test_a_server_that_cannot_be_asked_yet_is_told_of(desk, home, action):
    """One that is starting, or ending, has its lock and no socket."""
    import fcntl

    path = socket_of(desk, home)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with Path(address.lock_path(str(path))).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(desk, home, "server", action)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode() == (
            "A warm server of this course is just starting, or ending.\n"
            f"Next: pixi run server {action}, in some seconds\n"
        )
    assert run(desk, home, "server", action).stdout.startswith(b"No warm server runs for this course.")


def test_the_first_check_leaves_a_server_and_it_says_how_it_does(desk, home):
    done = run(desk, home, "check", "1")
    assert b" cold " in done.stdout
    wait_for(lambda: b"is process" in run(desk, home, "server", "status").stdout)
    assert is_warm(run(desk, home, "check", "1").stdout)
    lines = run(desk, home, "server", "status").stdout.decode().splitlines()
    assert re.fullmatch(r"It is \d+ seconds old, uses \d+ MB of memory, and has made 1 check\.", lines[1])
    assert lines[2] == "Next: pixi run server stop ends it; after 15 idle minutes it ends by itself"
    pid = server_of(desk, home)
    assert (
        run(desk, home, "server", "stop").stdout
        == b"The warm server ends, once the checks that are under way are done.\nNext: pixi run s01 starts another\n"
    )
    assert gone([pid])


def test_requests_survive_the_way():
    names = ("PATH", "/usr/bin:\udcff"), ("EMPTY", "")
    request = address.Request("check", "3.11", "/r", "/f", "1.5", "utf-8,strict", ("1", "--file", "a b"), names)
    size, _, body = request.encode().partition(b"\n")
    assert int(size) == len(body)
    assert vars(address.read(request.encode())) == vars(request)
    assert address.read(request.encode()[:-1]) is None


@pytest.mark.parametrize("verb", ["check", "bug"])
def test_an_answer_that_was_lost_is_given_again(monkeypatch, capsys, verb):
    from autograder import __main__, client, desk, warm

    seen = []
    monkeypatch.setattr(warm, "judged", lambda *_: Answer(None, announced=True, lost=True))
    monkeypatch.setattr(client, "check", lambda *_, announced: seen.append(("check", announced)) or 0)
    monkeypatch.setattr(desk, "run", lambda *_, announced: seen.append(("bug", announced)) or 0)
    assert __main__.main([verb, "1"]) == 0
    assert seen == [(verb, False)]
    assert (
        capsys.readouterr().err
        == "autograder: the warm server ended while it answered: here is all of it, without it\n"
    )
