"""Whatever lies where a step's file should be, and wherever the output goes: one sentence, the right exit code.

All through the real command line, in a copy of the course.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import ROOT

from autograder.views.width import cells

ON_POSIX = pytest.mark.skipif(os.name == "nt", reason="links, pipes, signals and terminals as POSIX has them")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")
COPIED = ("autograder", "puzzles", "solutions", "steps", "tests/steps")
CHECK = ("check", "1", "--seed", "91c2")
STEP = Path("steps", "step_01.py")
NINE = ("dataclass", "decorator", "vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "epsilon")
HANGS = """
import os, time
with open({path!r}, "w") as file:
    file.write(f"{{os.getpid()}}\\n")
while True:
    time.sleep(0.01)
"""


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the course, with step 01 solved."""
    root = tmp_path / "course"
    for folder in COPIED:
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "course.toml", root)
    shutil.copy(ROOT / "solutions" / "step_01.py", root / STEP)
    return root


@pytest.fixture
def start(copy, tmp_path):
    """Return a function that starts `python -m autograder …` in the copy, with a folder for temporary files alone."""
    started = []
    (tmp_path / "temporary").mkdir()

    def starts(*args, env=None, **options):
        environment = os.environ | {"PYTHONUTF8": "1", "TMPDIR": str(tmp_path / "temporary")} | (env or {})
        process = subprocess.Popen([sys.executable, "-m", "autograder", *args], cwd=copy, env=environment, **options)
        started.append(process)
        return process

    yield starts
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def marks(text, ok="✅", bad="❌"):
    """Return the marks of the results' lines, in order."""
    return [line.partition(" ")[0] for line in text.splitlines() if line.startswith((f"{ok} ", f"{bad} "))]


def all_wrong(done, *sentences):
    assert done.returncode == 1
    assert done.stderr == ""
    assert marks(done.stdout) == ["❌"] * 9
    for line, name in zip([line for line in done.stdout.splitlines() if line.startswith("❌")], NINE, strict=True):
        assert name in line
    for sentence in sentences:
        assert sentence in done.stdout
    assert "Traceback" not in done.stdout


# -------------------------------------------------------------------------------------------- the step's file


def test_a_missing_file_is_bad_input(run, copy):
    (copy / STEP).unlink()
    done = run("check", "1", root=copy)
    all_wrong(done, "steps/step_01.py is not there", "Outcome: bad_input (the file cannot be judged)")


@pytest.mark.parametrize(
    "text", ["", "# a comment alone\n", '"""A docstring."""\n\nfrom dataclasses import dataclass\n\npass\n']
)
def test_a_file_without_code_fails_each_check_and_is_told_where_its_stub_is(run, copy, text):
    (copy / STEP).write_text(text)
    done = run("check", "1", root=copy)
    assert done.returncode == 1
    assert "steps/step_01.py defines no GPT2Config" in done.stdout
    says = "Note: steps/step_01.py has no code: pixi run reset s01 brings its stub back, and keeps this file"
    assert says in done.stdout
    other = run("check", "1", "--file", STEP, root=copy)
    assert "Note: steps/step_01.py has no code\n" in other.stdout  # a reset is no matter of another file


def test_another_steps_code_is_known(run, copy):
    (copy / STEP).write_bytes((copy / "puzzles" / "layer_norm.py").read_bytes())
    done = run("check", "1", root=copy)
    assert done.returncode == 1
    says = "Note: LayerNorm is what step 03, Layer Normalisation, asks for: was it saved as steps/step_01.py?"
    assert says in done.stdout


def test_a_name_that_is_nearly_the_right_one_is_shown(run, copy):
    text = (copy / "solutions" / "step_01.py").read_text()
    (copy / STEP).write_text(text.replace("class GPT2Config", "class Gpt2_config"))
    done = run("check", "1", root=copy)
    assert done.returncode == 1
    assert "it defines Gpt2_config: the name has to be the same, letter by letter" in done.stdout
    assert "Note:" not in done.stdout  # it is another name, and neither another step nor nothing


@pytest.mark.parametrize(
    ("before", "after", "line", "sentence"),
    [
        ("```python\n", "```\n", 1, "three backticks are Markdown's, around code: delete this line, and the one after"),
        ("", "\n```\n", 0, "three backticks are Markdown's, around code: delete this line, and the one after the code"),
        (">>> import torch\n>>> ", "", 1, ">>> is what Python's shell shows before a line: delete it, on each line"),
        ("<<<<<<< HEAD\n", "=======\n>>>>>>> mine\n", 1, "git left two versions of these lines: keep one, and delete"),
    ],
)
def test_what_stands_around_code_where_it_is_shown_is_named(run, copy, before, after, line, sentence):
    text = before + (copy / "solutions" / "step_01.py").read_text() + after
    (copy / STEP).write_text(text)
    line = line or text.splitlines().index("```") + 1
    all_wrong(run("check", "1", root=copy), f"this is not Python: {sentence}", f"steps/step_01.py:{line}\n")


def test_the_same_signs_in_a_string_are_no_reason(run, copy):
    text = (copy / "solutions" / "step_01.py").read_text()
    (copy / STEP).write_text(text + 'EXAMPLE = """\n```\n>>> 1\n"""\ndef broken(:\n    pass\n')
    all_wrong(run("check", "1", root=copy), "this is not Python: invalid syntax")


def test_a_folder_is_bad_input(run, copy):
    (copy / STEP).unlink()
    (copy / STEP).mkdir()
    all_wrong(run("check", "1", root=copy), "steps/step_01.py is a folder")


@ON_POSIX
def test_an_unreadable_file_is_bad_input(copy):
    (copy / STEP).chmod(0)
    all_wrong(_without_privileges(copy, "check", "1"), "steps/step_01.py cannot be read: Permission denied")


@ON_POSIX
@pytest.mark.parametrize("target", ["solutions/step_01.py", "puzzles/config.py"])
def test_a_link_to_the_solution_is_bad_input(run, copy, target):
    (copy / STEP).unlink()
    (copy / STEP).symlink_to(copy / target)
    all_wrong(run("check", "1", root=copy), f"steps/step_01.py is a link to {target}, not a file of yours")


@ON_POSIX
def test_a_folder_that_is_a_link_to_the_solutions_is_bad_input(run, copy):
    shutil.rmtree(copy / "steps")
    (copy / "steps").symlink_to(copy / "solutions")
    all_wrong(run("check", "1", root=copy), "steps/step_01.py is a link to solutions/step_01.py, not a file of yours")


@ON_POSIX
def test_a_link_to_a_file_of_the_learners_is_their_own(run, copy, tmp_path):
    (copy / STEP).rename(tmp_path / "mine.py")
    (copy / STEP).symlink_to(tmp_path / "mine.py")
    assert run("check", "1", root=copy).returncode == 0


@ON_POSIX
def test_a_pipe_does_not_hang(run, copy):
    (copy / STEP).unlink()
    os.mkfifo(copy / STEP)
    all_wrong(run("check", "1", root=copy, timeout=20), "steps/step_01.py is no ordinary file")


@ON_POSIX
def test_links_in_a_circle_are_bad_input(run, copy):
    (copy / STEP).unlink()
    (copy / STEP).symlink_to(copy / "steps" / "other.py")
    (copy / "steps" / "other.py").symlink_to(copy / STEP)
    all_wrong(run("check", "1", root=copy), "steps/step_01.py cannot be read: Too many levels of symbolic links")


@ON_POSIX
def test_folders_in_a_circle_are_bad_input(run, copy):
    shutil.rmtree(copy / "steps")
    (copy / "steps").symlink_to(copy / "loop")
    (copy / "loop").symlink_to(copy / "steps")
    all_wrong(run("check", "1", root=copy), "steps/step_01.py cannot be read: Too many levels of symbolic links")


def test_a_device_is_bad_input(run, copy):
    all_wrong(run("check", "1", "--file", os.devnull, root=copy), f"{os.devnull} is no ordinary file")


@pytest.mark.parametrize("name", ["torch.py", "random.py"])
def test_a_shadow_beside_the_step_does_not_win_and_is_named(run, copy, name):
    (copy / "steps" / name).write_text("raise SystemExit('shadow')\n")
    done = run("check", "1", root=copy)
    assert done.returncode == 0
    assert f"Note: steps/{name} has the name of a library: a check ignores it, a run by hand may not" in done.stdout


# -------------------------------------------------------------------------------------------------- the course


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('config = "Create', "config = Create", "is not TOML"),
        ('layer_norm = "Layer', 'config = "Layer', "this name stands a second time in the same table"),
        ('config = "Create Model Configuration"', "config = 1", 'the title of "config" is not a text'),
    ],
)
def test_a_broken_course_is_exit_3_with_file_and_line(run, copy, old, new, sentence):
    text = (ROOT / "course.toml").read_text(encoding="utf-8")
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    (copy / "course.toml").write_text(text.replace(old, new), encoding="utf-8")
    done = run("check", "1", root=copy)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith(f"autograder: course.toml:{line}: ")
    assert sentence in done.stderr


@ON_POSIX
def test_an_unreadable_course_is_exit_3(copy):
    (copy / "course.toml").chmod(0)
    done = _without_privileges(copy, "check", "1")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "autograder: course.toml: cannot be read: Permission denied\n"


def test_a_missing_checker_is_exit_3(run, copy):
    (copy / "tests" / "steps" / "config.py").unlink()
    done = run("check", "1", root=copy)
    assert done.returncode == 3
    assert "the checker is missing" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("1",), 0),
        (("1", "--tree", "solutions"), 0),
        (("1", "--file", "nothing.py"), 1),
        (("1", "--seed", "no seed"), 2),
        (("99",), 2),
        (("config", "--colour"), 2),
        ((), 0),
    ],
)
def test_the_exit_code_says_what_it_was(run, copy, args, code):
    done = run("check", *args, root=copy)
    assert done.returncode == code
    assert (done.stderr == "") == (code < 2)
    assert "Traceback" not in done.stderr


def test_two_checks_at_once_do_not_disturb_each_other(copy, start, tmp_path):
    (tmp_path / "wrong.py").write_text((copy / STEP).read_text().replace("50257", "50256"))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    right = [start("check", "1", **pipes) for _ in range(2)]
    wrong = [start("check", "1", "--file", str(tmp_path / "wrong.py"), **pipes) for _ in range(2)]
    for process in right:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
        assert marks(out.decode()) == ["✅"] * 9
    for process in wrong:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (1, b"")
        assert marks(out.decode()) == ["✅", "✅", "❌", *["✅"] * 6]
    assert list((tmp_path / "temporary").iterdir()) == []


# ------------------------------------------------------------------------------------------------ where it goes


@pytest.fixture
def comma(copy):
    """Return the copy, in which step 01 has a comma too much, and one value that is missing."""
    path = copy / STEP
    text = path.read_text().replace("n_head: int = 12", "n_head: int = 12,").replace("int = 768", "int")
    path.write_text(text)
    return copy


@ON_POSIX
@pytest.mark.usefixtures("comma")
@pytest.mark.parametrize("columns", [40, 80])
def test_a_narrow_terminal_wraps_what_is_ours_and_no_result(start, columns):
    shown = on_a_terminal(start, columns)
    piped = start(*CHECK, stdout=subprocess.PIPE).communicate(timeout=60)[0].decode()
    lines = without_style(shown).splitlines()
    assert results(lines) == results(piped.splitlines())
    assert len(results(lines)) == 12
    assert any(len(line) > 40 for line in results(lines)), "a result is longer than the terminal is wide"
    assert all(cells(line) <= columns for line in lines if line not in results(lines))
    assert words(without_style(shown)) == words(piped), "wrapped between words, and nothing else is changed"


@ON_POSIX
@pytest.mark.usefixtures("comma")
def test_a_result_is_the_same_bytes_on_a_terminal_and_in_a_file(start, tmp_path):
    shown = on_a_terminal(start, 80)
    with (tmp_path / "out").open("wb") as file:
        start(*CHECK, stdout=file).wait(60)
    in_file = (tmp_path / "out").read_bytes()
    assert b"\x1b" not in in_file
    assert b"\r" not in in_file
    for line in results(in_file.decode().splitlines()):
        assert f"\n{line}\n" in f"\n{shown}", "neither coloured nor wrapped"


@ON_POSIX
@pytest.mark.usefixtures("comma")
@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour_the_facts_are_the_same(start, env):
    shown = on_a_terminal(start, 80, env)
    assert not re.search(r"\x1b\[[\d;]*[34]\dm", shown), "no colour"
    assert env != {"TERM": "dumb"} or "\x1b" not in shown
    coloured = on_a_terminal(start, 80)
    assert results(without_style(shown).splitlines()) == results(without_style(coloured).splitlines())


@pytest.mark.usefixtures("comma")
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_a_console_that_is_not_utf_8_gets_words(start, encoding):
    env = {"PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    process = start(*CHECK, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, b"")
    known = start(*CHECK, stdout=subprocess.PIPE).communicate(timeout=60)[0].decode()
    for sign, word in (("✅", "[passed]"), ("❌", "[failed]"), *([("·", "-")] if encoding == "ascii" else [])):
        assert sign in known
        known = known.replace(sign, word)
    assert words(out.decode(encoding)) == words(known)


def test_a_console_that_is_not_utf_8_gets_a_learners_prints_escaped(run, copy):
    path = copy / STEP
    path.write_text(path.read_text() + 'print("naïve → ✅")\n', encoding="utf-8")
    done = run("check", "1", root=copy, env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "| na\\xefve \\u2192 [passed]" in done.stdout


@pytest.mark.parametrize("text", ["VALUE = 1 / 0\n", "def f(\n", "import os\nos._exit(0)\n", ""])
def test_json_is_one_valid_document_on_failure_too(run, copy, text):
    (copy / STEP).write_text(text)
    done = run("check", "1", "--json", root=copy)
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert report["schema"] == 1
    assert report["step"] == {"number": 1, "slug": "config", "title": "Create Model Configuration"}
    keys = {"schema", "step", "outcome", "tree", "file", "blocked_by", "seed", "checks", "chain", "output", "next"}
    assert keys | {"versions", "timing"} <= set(report)
    assert len(report["checks"]) == 9
    for check in report["checks"]:
        assert {"id", "outcome", "message", "expected", "got", "where", "mistake", "detail"} <= set(check)
        assert check["outcome"] != "passed"
    assert set(report["timing"]) == {"ms", "worker"}
    assert set(report["output"]) == {"text", "bytes"}


def test_json_of_a_broken_course_is_no_document(run, copy):
    (copy / "course.toml").write_text("[parts\n")
    done = run("check", "1", "--json", root=copy)
    assert (done.returncode, done.stdout) == (3, "")


def test_a_seed_replays_a_failure_word_for_word(run, copy, tmp_path):
    wrong = (copy / "solutions" / "step_03.py").read_text().replace("centred.square()", "centred.abs()")
    (tmp_path / "wrong.py").write_text(wrong)
    first, again = (run("check", "3", "--file", str(tmp_path / "wrong.py"), "--seed", "91c2", root=copy) for _ in "12")
    assert first.returncode == again.returncode == 1
    assert "numbers differ, the first at [" in first.stdout
    masked = [re.sub(r"\d+ ms", "… ms", done.stdout) for done in (first, again)]
    assert masked[0] == masked[1]
    assert "seed 91c2" in masked[0]


def test_a_relative_path_is_read_from_where_the_user_stands(run, copy):
    folder = copy / "a folder"
    folder.mkdir()
    (copy / STEP).rename(folder / "mine.py")
    done = run("check", "1", "--file", "mine.py", root=copy, env={"INIT_CWD": str(folder)})
    assert done.returncode == 0
    assert "learner: mine.py" in done.stdout
    done = run("check", "1", "--file", "other.py", root=copy, env={"INIT_CWD": str(folder)})
    all_wrong(done, "other.py is not there")


@ON_POSIX
def test_a_reader_who_goes_early_gets_no_traceback(start):
    process = start(*CHECK, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    process.wait(60)
    assert process.stderr.read() == b""


@ON_LINUX
@pytest.mark.parametrize("arguments", [CHECK, (*CHECK, "--json"), ("progress",)])
def test_a_full_disk_is_told_in_a_sentence(start, arguments):
    with Path("/dev/full").open("w") as full:
        done = start(*arguments, stdout=full, stderr=subprocess.PIPE)
        _, error = done.communicate(timeout=60)
    assert error == b"autograder: the output could not be written to its end: No space left on device\n"
    assert done.returncode == 3


@ON_POSIX
def test_a_check_with_torch_and_without_standard_error_exits_as_any():
    command = shlex.join([sys.executable, "-m", "autograder", "check", "layer_norm", "--tree", "solutions"])
    done = subprocess.run(["sh", "-c", f"exec {command} 2>&-"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0
    assert b"Next: pixi run s03" in done.stdout


@ON_POSIX
@pytest.mark.parametrize("words", ["check 1", "check 1 --json", "progress", "hint 1", "server status", "bug 9"])
def test_without_standard_output_a_command_ends_as_any(copy, words):
    command = shlex.join([sys.executable, "-m", "autograder", *words.split()])
    seen = [
        subprocess.run(["sh", "-c", f"exec {command} {closed}"], cwd=copy, capture_output=True, check=False)
        for closed in (">/dev/null", ">&-", ">&- <&-")
    ]
    assert len({(done.returncode, done.stderr) for done in seen}) == 1
    assert b"Traceback" not in seen[0].stderr


def test_a_library_that_is_there_and_broken_is_the_courses_fault(run, tmp_path):
    package = tmp_path / "transformers" / "__init__.py"
    package.parent.mkdir()
    package.write_text('raise RuntimeError("it does not fit this torch")\n', encoding="utf-8")
    done = run("check", "causal_mask", "--tree", "solutions", env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (3, "")
    assert "RuntimeError: it does not fit this torch" in done.stdout
    assert "Next: pixi run doctor" in done.stdout


# ---------------------------------------------------------------------------------------------------- and it ends


@ON_LINUX
@pytest.mark.parametrize("whole_group", [False, True], ids=["the command alone", "the terminal's whole group"])
def test_an_interrupt_is_exit_130_and_leaves_nothing(copy, start, tmp_path, whole_group):
    process, family = hanging(copy, start, tmp_path)
    os.kill(-process.pid if whole_group else process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == b"autograder: interrupted\n"
    assert not psutil.wait_procs(family, 2)[1]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_interrupt_in_the_middle_of_an_import_is_exit_130(tmp_path):
    lines = [
        "import sys",
        "from autograder import console",
        "sys.exit(console.ended(lambda: exec('raise KeyboardInterrupt')))",
    ]
    (tmp_path / "interrupted_verb.py").write_text("\n".join(lines))
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    done = subprocess.run([sys.executable, "-m", "interrupted_verb"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "autograder: interrupted\n")


@pytest.mark.parametrize("name", ["zlib", "argparse"])
def test_an_interrupt_while_the_command_itself_is_imported_is_one_sentence(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("raise KeyboardInterrupt")
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "CI": "true"}
    command = [sys.executable, "-m", "autograder", "check", "1"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "autograder: interrupted\n")


@ON_LINUX
def test_a_command_that_is_killed_leaves_no_process(copy, start, tmp_path):
    process, family = hanging(copy, start, tmp_path)
    process.kill()
    process.wait(20)
    assert not psutil.wait_procs(family, 10)[1]


def hanging(copy, start, tmp_path):
    """Start a check that hangs; return it and all processes that it has started once the learner's code runs."""
    (copy / STEP).write_text(HANGS.format(path=str(tmp_path / "pid")))
    process = start("check", "1", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    family = psutil.Process(process.pid).children(recursive=True)
    assert int((tmp_path / "pid").read_text()) in {one.pid for one in family}
    return process, family


# --------------------------------------------------------------------------------------------------------- helpers


def on_a_terminal(start, columns, env=None):
    """Return what a check shows on a terminal of that width."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = dict.fromkeys(("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"), "")
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, ours)
            process = start(*CHECK, env=clean | {"TERM": "xterm-256color"} | (env or {}), stdout=theirs)
            os.close(theirs)
            return _all_of(ours).decode().replace("\r\n", "\n")
    finally:
        process.wait(60)


def _all_of(terminal):
    said = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # Linux's word for the end of a terminal
            break
        if not more:
            break
        said += more
    return said


def words(text):
    """Return the words of what was shown, but for the time that it took."""
    return re.sub(r"\d+ ms", "… ms", " ".join(text.split()))


def without_style(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def results(lines):
    """Return the lines of the contract: the first, `Results:` and one for each check, with those that have no line."""
    return [line for line in lines if re.match(r"Running tests|Results:|✅|❌|\[passed\]|\[failed\]", line)]


def _without_privileges(root, *args):
    """Run the command as a user whom permissions bind: root without the right to read what it may not."""
    drop = f"""
import ctypes, os, sys
if os.geteuid() == 0:
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-m", "autograder", *{list(args)!r}])
"""
    environment = os.environ | {"PYTHONUTF8": "1", "NO_COLOR": "1"}
    command = [sys.executable, "-c", drop]
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
