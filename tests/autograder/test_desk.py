"""The verbs around a check, as a learner types them: every sentence is read, and nothing that they wrote is lost."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import courses
import pytest

from autograder import __main__ as entrance
from autograder import course as loading
from autograder import desk, generate, restore, stubs
from autograder.history import local_time
from autograder.memory import Memory
from autograder.views.width import cells

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="asks for a pseudo-terminal, or for POSIX's users")
HINTS = "\n## Hints\n\n1. What is step {step}?\n2. The place.\n3. The shape: `return ____`.\n"
MINE = b"x = 'mine'\r\n"  # a learner's own newlines
WHEN = r"\d{4}-\d\d-\d\d \d\d:\d\d"


@pytest.fixture
def root(tmp_path):
    return lay(tmp_path / "course")


def lay(folder):
    root = courses.make(folder)
    for slug in ("config", "mask"):
        courses.put(root, f"puzzles/{slug}.md", courses.TEXT + HINTS)
    course = loading.load(root)
    generate.write(course, generate.plan(course))
    return root


@pytest.fixture
def call(root, monkeypatch, capsys):
    """Return a function that runs a verb in this process: exit code, standard output, standard error."""
    monkeypatch.setenv("INIT_CWD", str(root))
    monkeypatch.delenv("PIXIW", raising=False)

    def called(*argv):
        capsys.readouterr()
        code = entrance.main(list(argv))
        out, err = capsys.readouterr()
        return code, out, err

    return called


def file(root, number=2):
    return root / "steps" / f"step_{number:02d}.py"


def remember(root, outcome="failed", *, slug="mask", number=2, failed=("a",), **options):
    memory = Memory(root)
    memory.remember_check(slug, file(root, number).read_bytes(), outcome, failed, "91c2", **options)
    assert memory.troubles == []


def test_what_fails_now_comes_before_what_never_passed(call, root):
    for number, slug in ((1, "config"), (2, "mask")):
        file(root, number).write_bytes(MINE)
        remember(root, "passed", slug=slug, number=number, failed=())
    assert call("progress")[1].endswith("\nEvery step that is there has passed.\n")
    file(root, 1).write_bytes(MINE + b"# more\n")
    remember(root, slug="config", number=1)
    file(root, 2).write_bytes(MINE + b"# more\n")
    assert call("progress")[1].endswith("Next: pixi run s01\n")


def words(out):
    """Return what `progress` says of each step, by number."""
    return {int(number): said for number, said in re.findall(r"(?m)^step (\d+), .*?: (.*)$", out)}


# hint


def test_hints_come_one_by_one_and_the_last_one_names_what_is_left(call):
    again = "\nNext: pixi run s02, or pixi run hint s02 for the next hint\n"
    assert call("hint", "2") == (0, f"Hint 1/3 for step 02: What is step 02?\n{again}", "")
    assert call("hint", "mask") == (0, f"Hint 2/3 for step 02: The place.\n{again}", "")
    last = "Hint 3/3 for step 02: The shape: `return ____`.\n\n"
    assert call("hint", "s02") == (0, f"{last}Next: pixi run s02\n", "")
    over = "These were all 3 hints, and this is the last one again. The text is steps/step_02.md.\n\n"
    over += "Next: pixi run s02, or pixi run solution s02 for the finished code\n"
    assert call("hint", "s02") == (0, last + over, "")
    assert call("hint", "2", "1") == (0, "Hint 1/3 for step 02: What is step 02?\n\nNext: pixi run s02\n", "")


def test_hints_are_taken_in_order(call, root):
    says = "autograder: hint 2 of step 02 comes after hint 1: take it by pixi run hint s02\n"
    assert call("hint", "2", "2") == (2, "", says)
    assert Memory(root).state("mask").hints == 0
    assert call("hint", "2", "1")[1].startswith("Hint 1/3 ")
    assert call("hint", "2", "2")[1].startswith("Hint 2/3 ")  # the next one, by its number
    assert Memory(root).state("mask").hints == 2
    for number in ("0", "4", "-1"):
        says = f"autograder: step 02 has hints 1 to 3: {number} is none of them\n"
        assert call("hint", "2", number) == (2, "", says)
    code, out, err = call("hint", "2", "two")
    assert (code, out) == (2, "")
    assert err == "autograder: argument NUMBER: invalid int value: 'two'. pixi run hint --help shows how\n"


def test_hint_alone_is_for_the_next_step(call, root):
    assert call("hint")[1].startswith("Hint 1/3 for step 01")
    remember(root, "passed", slug="config", number=1, failed=())
    assert call("hint")[1].startswith("Hint 1/3 for step 02")
    remember(root, "passed", failed=())
    says = "autograder: every step that is there has passed: name one, as in pixi run hint s01\n"
    assert call("hint") == (2, "", says)
    file(root, 1).write_bytes(MINE)
    assert call("hint")[1].startswith("Hint 2/3 for step 01")


def test_a_near_miss_and_a_planned_step_are_told(call):
    for verb in desk.VERBS:
        if verb not in ("progress", "server", "bug"):  # which take no step
            code, out, err = call(verb, "maks")
            assert (code, out) == (2, "")
            assert err == 'autograder: there is no step "maks": did you mean mask (s02)?\n'
            code, out, err = call(verb, "3")
            assert (code, out) == (2, "")
            assert err == "autograder: step 03, Multi-Head Attention, is planned: it has no files yet\n"


def test_the_other_road_is_named_where_it_was_taken(call, monkeypatch):
    monkeypatch.setenv("PIXIW", "1")
    assert call("hint")[1].endswith("Next: ./pixiw run s01, or ./pixiw run hint s01 for the next hint\n")
    assert call("undo")[2].endswith("STEP. ./pixiw run undo --help shows how\n")


def test_a_text_without_hints_is_the_courses_fault(call, root):
    courses.put(root, "puzzles/mask.md", "# no\n")
    code, out, err = call("hint", "2")
    assert (code, out) == (3, "")
    assert err.startswith('autograder: puzzles/mask.md:1: has no "## Hints"')


# progress


def test_progress_says_of_each_step_how_it_stands(call):
    code, out, err = call("progress")
    assert (code, err) == (0, "")
    assert out == (
        "I. Model: 0 of 2 passed, 1 planned\n"
        "step 01, Create Model Configuration: not started\n"
        "step 02, Causal Mask: not started\n"
        "step 03, Multi-Head Attention: planned\n"
        "In all: 0 of 2 passed, 1 planned\n"
        "\n"
        "Next: pixi run s01\n"
    )


def test_progress_is_about_the_file_as_it_is_now(call, root):
    def said():
        return words(call("progress")[1])[2]

    file(root).write_bytes(MINE)
    assert said() == "edited, not checked yet"
    remember(root)
    assert said() == "tried once"
    remember(root, "timeout")
    remember(root, "internal")  # the course's fault: no attempt
    assert said() == "tried 2 times"
    call("hint", "2")
    assert said() == "tried 2 times, 1 hint"
    call("hint", "2")
    remember(root, "passed", failed=())
    assert said() == "passed, 2 hints"
    file(root).write_bytes(MINE.replace(b"\r\n", b"\n"))
    assert said() == "passed, 2 hints"
    file(root).write_bytes(MINE + b"# more\n")
    assert said() == "passed with an older version of the file: check again, 2 hints"
    remember(root)
    assert said() == "fails now; an older version of the file passed, 2 hints"
    file(root).write_bytes(MINE)
    assert said() == "passed, 2 hints"
    remember(root, "blocked", failed=(), blocked_by=["config"])
    assert said() == "right by itself, blocked by step 01, 2 hints"
    remember(root, "blocked", failed=(), blocked_by=["config", "gone"])
    assert said() == "right by itself, blocked by steps 01, gone, 2 hints"
    file(root).unlink()
    assert said() == "its file is missing: reset brings the stub back, 2 hints"


def test_progress_ends_with_joy_or_with_what_is_next(call, root):
    remember(root, "passed", failed=())
    assert call("progress")[1].endswith("In all: 1 of 2 passed, 1 planned\n\nNext: pixi run s01\n")
    remember(root, "passed", slug="config", number=1, failed=())
    assert call("progress")[1].endswith("2 of 2 passed, 1 planned\n\nEvery step that is there has passed.\n")


def test_progress_as_json(call, root):
    remember(root, "blocked", failed=(), blocked_by=["config"])
    call("hint", "2")
    code, out, err = call("progress", "--json")
    found = json.loads(out)
    assert (code, err, found["schema"], found["next"]) == (0, "", 1, "pixi run s01")
    assert found["total"] == {"passed": 0, "ready": 2, "planned": 1}
    assert found["unknown"] == []
    assert [step["state"] for step in found["steps"]] == ["not_started", "blocked", "planned"]
    assert found["steps"][1] == {
        "number": 2,
        "slug": "mask",
        "title": "Causal Mask",
        "part": "I. Model",
        "state": "blocked",
        "words": "right by itself, blocked by step 01",
        "attempts": 1,
        "hints": 1,
        "passed_when": None,
        "blocked_by": ["config"],
    }


def test_work_under_a_slug_that_the_course_no_longer_has_is_kept_and_named(call, root):
    remember(root, "passed", failed=())
    courses.put(root, "course.toml", courses.toml({"config": "Config", "causal_mask": "Causal Mask"}))
    for name in (".py", ".md", ".failed.txt", ".passed.txt"):
        folder = root / "puzzles" / ("recorded" if name.endswith(".txt") else "")
        (folder / f"mask{name}").rename(folder / f"causal_mask{name}")
    code, out, err = call("progress")
    assert (code, err, words(out)[2]) == (0, "", "not started")
    assert (
        "There is work recorded under mask, which course.toml no longer has: to carry it over to the step's new name, "
        "rename .autograder/steps/mask.jsonl to .autograder/steps/NEW_NAME.jsonl\n"
    ) in out
    assert json.loads(call("progress", "--json")[1])["unknown"] == ["mask"]
    steps = root / ".autograder" / "steps"
    (steps / "mask.jsonl").rename(steps / "causal_mask.jsonl")
    out = call("progress")[1]
    assert words(out)[2] == "passed"
    assert "work recorded" not in out


def test_a_renumbering_loses_nothing(call, root):
    remember(root, "passed", failed=())
    titles = {"attention": "Multi-Head Attention", "config": "Config", "mask": "Causal Mask"}
    courses.put(root, "course.toml", courses.toml(titles))
    shutil.move(file(root, 2), file(root, 3))
    assert words(call("progress")[1])[3] == "passed"


def test_a_damaged_list_of_stubs_does_not_stop_progress(call, root):
    (root / stubs.PATH).write_text("{")
    assert words(call("progress")[1])[1] == "not started"


def test_a_damaged_file_is_told_on_standard_error(call, root):
    remember(root)
    with (root / ".autograder" / "steps" / "mask.jsonl").open("ab") as journal:
        journal.write(b"{\n")
    code, out, err = call("progress")
    assert (code, words(out)[2]) == (0, "tried once")
    assert err == (
        "autograder: .autograder/steps/mask.jsonl was damaged: 1 line is unreadable, every other line counts, "
        "and it is set aside as .autograder/steps/mask.jsonl.damaged\n"
    )
    assert call("progress")[2] == ""


# solution


def finished(root, number=2):
    return (root / "solutions" / f"step_{number:02d}.py").read_text(encoding="utf-8").partition("\n")[2]


def test_a_solution_is_asked_for_twice_until_the_step_has_passed(call, root):
    says = (
        'autograder: "Step 02 has not passed yet. Print its solution?" is asked first, '
        "and there is no terminal to ask on: add --yes to agree\n"
    )
    assert call("solution", "2") == (2, "", says)
    assert call("solution", "2", "--yes") == (0, finished(root), "Next: pixi run s02\n")
    assert "Generated" not in finished(root)
    remember(root, "passed", failed=())
    file(root).write_bytes(MINE)
    assert call("solution", "2") == (0, finished(root), "Next: pixi run s02\n")


def test_a_solution_that_is_missing_is_the_courses_fault(call, root):
    (root / "solutions" / "step_02.py").unlink()
    says = "autograder: solutions/step_02.py: is missing or cannot be read: pixi run generate makes it\n"
    assert call("solution", "2", "--yes") == (3, "", says)


# reset and undo


def test_a_reset_keeps_the_file_and_undo_brings_it_back(call, root):
    stub = file(root).read_bytes()
    file(root).write_bytes(MINE)
    code, out, err = call("reset", "2", "--yes")
    assert (code, err) == (0, "")
    said = out.splitlines()
    assert said[0] == "steps/step_02.py is the stub again. pixi run undo s02 brings back what it was, kept in"
    assert (root / said[1]).read_bytes() == MINE
    assert said[2:] == ["Next: pixi run s02"]
    assert file(root).read_bytes() == stub

    file(root).write_bytes(b"second\n")
    code, out, err = call("undo", "2")
    assert (code, err) == (0, "")
    assert re.fullmatch(
        rf"steps/step_02.py is as it was before the reset of {WHEN}\.\n"
        r"Next: pixi run s02, or pixi run undo s02 to take this back\n",
        out,
    )
    assert file(root).read_bytes() == MINE
    assert "before the undo of" in call("undo", "2")[1]
    assert file(root).read_bytes() == b"second\n"
    assert call("undo", "2")[0] == 0
    assert file(root).read_bytes() == MINE


def test_a_reset_asks_and_needs_a_terminal_to(call, root):
    file(root).write_bytes(MINE)
    says = (
        'autograder: "Write the stub over steps/step_02.py? Your file is kept, and pixi run undo s02 brings it back." '
        "is asked first, and there is no terminal to ask on: add --yes to agree\n"
    )
    assert call("reset", "2") == (2, "", says)
    assert file(root).read_bytes() == MINE
    assert not (root / ".autograder").exists()


def test_an_untouched_step_has_nothing_to_reset(call, root):
    says = "There is nothing to reset: steps/step_02.py is the stub, as generated.\nNext: pixi run s02\n"
    assert call("reset", "2") == (0, says, "")
    file(root).write_bytes(file(root).read_bytes().replace(b"\n", b"\r\n"))
    assert call("reset", "2") == (0, says, "")
    assert not (root / ".autograder").exists()


def test_a_missing_file_is_written_without_a_question(call, root):
    stub = file(root).read_bytes()
    file(root).unlink()
    says = "steps/step_02.py was missing: it is there again, as the stub.\nNext: pixi run s02\n"
    assert call("reset", "2") == (0, says, "")
    assert file(root).read_bytes() == stub


def test_an_untouched_stub_of_an_earlier_course_is_replaced_without_a_question(call, root):
    before = file(root).read_bytes()
    courses.put(root, "puzzles/mask.py", courses.MASK.replace("The mask.", "The causal mask."))
    code, out, err = call("reset", "2")
    assert (code, err) == (0, "")
    assert out.startswith("steps/step_02.py is the stub again.")
    assert file(root).read_text().startswith('"""The causal mask."""')
    assert call("undo", "2")[0] == 0
    assert file(root).read_bytes() == before


def test_generate_knows_the_stub_that_reset_wrote(call, root):
    courses.put(root, "puzzles/mask.py", courses.MASK.replace("The mask.", "The causal mask."))
    file(root).write_bytes(MINE)
    assert call("reset", "2", "--yes")[0] == 0
    course = loading.load(root)
    assert stubs.is_untouched(course, course.find("mask"))
    changes = {change.path.as_posix() for change in generate.plan(course)}
    assert changes == {"solutions/step_02.py", "steps/step_02.md"}  # neither the stub nor the list of stubs
    assert set(stubs.read(root).entries) == {"config", "mask"}


def test_undo_with_nothing_to_undo(call, root):
    says = "autograder: there is nothing to undo: no reset of step 02 is remembered\n"
    assert call("undo", "2") == (1, "", says)
    file(root).write_bytes(MINE)
    call("reset", "2", "--yes")
    file(root).write_bytes(MINE)  # pasted back by hand
    says = "autograder: there is nothing to undo: steps/step_02.py is already as the last reset found it\n"
    assert call("undo", "2") == (1, "", says)


def test_undo_brings_back_a_file_that_was_deleted(call, root):
    file(root).write_bytes(MINE)
    call("reset", "2", "--yes")
    file(root).unlink()
    assert call("undo", "2")[0] == 0
    assert file(root).read_bytes() == MINE


def test_undo_says_when_the_version_is_gone(call, root):
    file(root).write_bytes(MINE)
    kept = call("reset", "2", "--yes")[1].splitlines()[1]
    (root / kept).write_bytes(b"damaged")
    code, out, err = call("undo", "2")
    assert (code, out) == (1, "")
    assert err == f"autograder: the file that the last reset of step 02 replaced is gone: {kept} is not as kept\n"


def test_what_cannot_be_kept_is_not_written_over(call, root):
    file(root).write_bytes(MINE)
    (root / ".autograder").write_text("a file")
    code, out, err = call("reset", "2", "--yes")
    assert (code, out) == (1, "")
    says = r"autograder: steps/step_02\.py could not be kept in \.autograder/ \(.+\), so nothing was written\n"
    assert re.fullmatch(says, err)
    assert file(root).read_bytes() == MINE


def test_a_stub_that_cannot_be_written_leaves_the_file(call, root, monkeypatch):
    file(root).write_bytes(MINE)

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(restore, "write_text", full)
    says = "autograder: steps/step_02.py could not be written (No space left on device): it is as it was\n"
    assert call("reset", "2", "--yes") == (1, "", says)
    assert file(root).read_bytes() == MINE
    monkeypatch.undo()
    monkeypatch.setenv("INIT_CWD", str(root))
    assert call("reset", "2", "--yes")[0] == 0
    monkeypatch.setattr(restore, "write_bytes", full)
    assert call("undo", "2") == (1, "", says)


def test_a_folder_in_the_files_place_is_left_alone(call, root):
    file(root).unlink()
    file(root).mkdir()
    code, out, err = call("reset", "2", "--yes")
    assert (code, out) == (1, "")
    assert re.fullmatch(r"autograder: steps/step_02\.py could not be read \(.+\), so nothing was written\n", err)


def test_hints_go_on_where_nothing_can_be_remembered(call, root):
    (root / ".autograder").write_text("a file")
    code, out, err = call("hint", "2")
    assert code == 0
    assert out.startswith("Hint 1/3 for step 02")
    first, second = err.splitlines()
    assert re.fullmatch(
        r"autograder: (what is remembered cannot be read|nothing could be .*): \.autograder/: .+", first
    )
    assert second == "autograder: where hints cannot be counted, they can be read in steps/step_02.md"


# history


def test_history_with_nothing_there(call):
    says = "No version of steps/step_02.py has been checked yet.\nNext: pixi run s02\n"
    assert call("history", "2") == (0, says, "")
    says = "autograder: step 02 has no version 1: no version of it has been checked yet\n"
    assert call("history", "2", "1") == (2, "", says)
    says = "autograder: --diff needs a version's number: pixi run history s02 N --diff\n"
    assert call("history", "2", "--diff") == (2, "", says)


def test_history_lists_the_versions_newest_first(call, root):
    remember(root, failed=("a", "b"))
    file(root).write_bytes(MINE)
    remember(root)
    remember(root, "passed", failed=())
    call("hint", "2")
    call("reset", "2", "--yes")
    remember(root, "timeout")
    code, out, err = call("history", "2")
    assert (code, err) == (0, "")
    assert re.sub(WHEN, "WHEN", out) == (
        "Versions of steps/step_02.py, newest first:\n"
        "   3  WHEN  timeout, 1 check; the file as it is now\n"
        "   2  WHEN  kept by reset\n"
        "   1  WHEN  failed, 2 checks; the file as it is now\n"
        "Next: pixi run history s02 3 prints that version; --diff shows what has changed since\n"
    )
    says = "autograder: step 02 has no version 4: its versions are 1 to 3\n"
    assert call("history", "2", "4") == (2, "", says)


def test_history_prints_a_version_as_it_was(run, root):
    file(root).write_bytes(MINE + b"\xff\n")
    remember(root)
    environment = {"PYTHONPATH": str(ROOT), "INIT_CWD": "", "PIXIW": ""}
    command = [sys.executable, "-m", "autograder", "history", "2", "1"]
    done = subprocess.run(command, cwd=root, env=os.environ | environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, MINE + b"\xff\n", b"")
    done = run("history", "2", "1", "--diff", root=root, env=environment)
    assert (done.returncode, done.stdout) == (0, "Version 1 says the same as steps/step_02.py.\n")
    file(root).write_bytes(b"x = 'yours'\n")
    done = run("history", "2", "1", "--diff", root=root, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "--- version 1\n+++ steps/step_02.py\n@@ -1,2 +1 @@\n-x = 'mine'\n-\ufffd\n+x = 'yours'\n"


def test_history_says_what_is_not_there(call, root):
    file(root).write_bytes(MINE)
    remember(root)
    file(root).unlink()
    says = "autograder: steps/step_02.py is not there: pixi run reset s02 brings the stub back\n"
    assert call("history", "2", "1", "--diff") == (1, "", says)
    shutil.rmtree(root / ".autograder" / "versions")
    assert re.search(rf"   1  {WHEN}  failed, 1 check; its text is not kept\n", call("history", "2")[1])
    says = "autograder: the text of version 1 of step 02 is not kept (any more)\n"
    assert call("history", "2", "1") == (1, "", says)


def test_a_moment_is_shown_as_the_learners_clock_has_it(monkeypatch):
    monkeypatch.setenv("TZ", "UTC-2")
    if hasattr(time, "tzset"):
        time.tzset()
        assert local_time("2026-01-01T23:30:00Z") == "2026-01-02 01:30"
    assert local_time("yesterday") == "yesterday"
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


# Terminals, processes, consoles


class Terminal:
    """A verb on a pseudo-terminal."""

    def __init__(self, root, *argv, columns=80, **environment):
        import pty
        import termios

        self.screen, inside = pty.openpty()
        termios.tcsetwinsize(inside, (24, columns))
        settings = {"PYTHONPATH": str(ROOT), "INIT_CWD": "", "PIXIW": "", "TERM": "xterm", "PYTHONUTF8": "1"}
        env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "autograder", *argv],
            cwd=root,
            env=env | settings | environment,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
            # A terminal of its own, so that Ctrl-C is the terminal's doing and not the test's.
            preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(inside)
        self.text = ""

    def until(self, words):
        while words not in self.text:
            self.text += os.read(self.screen, 1000).decode()

    def types(self, keys):
        os.write(self.screen, keys)

    def ends(self):
        """Return the exit code and all that was on the screen."""
        try:
            while more := os.read(self.screen, 1000):
                self.text += more.decode()
        except OSError:  # Linux's end of a terminal
            pass
        return self.process.wait(20), self.text.replace("\r\n", "\n")

    def close(self):
        os.close(self.screen)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def terminal(*argv, **environment):
    opened = Terminal(*argv, **environment)
    try:
        yield opened
    finally:
        opened.close()


QUESTION = "Write the stub over steps/step_02.py? Your file is kept, and pixi run undo s02 brings it back. [y/N] "


@POSIX
def test_a_question_is_asked_on_a_terminal(root):
    stub = file(root).read_bytes()
    file(root).write_bytes(MINE)
    for answer in (b"n\n", b"\n", b"what?\n", b"\x04"):
        with terminal(root, "reset", "2") as screen:
            screen.until("[y/N] ")
            screen.types(answer)
            code, text = screen.ends()
        assert code == 1
        assert text.startswith(QUESTION)
        assert text.endswith("\nautograder: nothing was written: steps/step_02.py is as it was\n")
        assert file(root).read_bytes() == MINE
    with terminal(root, "reset", "2") as screen:
        screen.until("[y/N] ")
        screen.types(b"Yes\n")
        code, text = screen.ends()
    assert code == 0
    assert "steps/step_02.py is the stub again." in text
    assert file(root).read_bytes() == stub


@POSIX
def test_ctrl_c_at_the_question_changes_nothing(root):
    file(root).write_bytes(MINE)
    with terminal(root, "reset", "2") as screen:
        screen.until("[y/N] ")
        screen.types(b"\x03")
        code, text = screen.ends()
    assert code == 128 + signal.SIGINT
    assert text == f"{QUESTION}^C\nautograder: interrupted\n"
    assert file(root).read_bytes() == MINE
    assert not (root / ".autograder").exists()


@POSIX
def test_a_solution_is_asked_about_on_a_terminal(root):
    with terminal(root, "solution", "2") as screen:
        screen.until("[y/N] ")
        screen.types(b"n\n")
        assert screen.ends()[0] == 1
    assert screen.text.startswith("Step 02 has not passed yet. Print its solution? [y/N] n")
    assert "autograder: nothing was printed. pixi run hint s02 gives a hint" in screen.text
    with terminal(root, "solution", "2") as screen:
        screen.until("[y/N] ")
        screen.types(b"y\n")
        code, text = screen.ends()
    assert code == 0
    assert text.endswith(f"{finished(root)}Next: pixi run s02\n")


@POSIX
def test_progress_is_drawn_on_a_terminal_with_signs_that_it_has(root):
    remember(root, "passed", slug="config", number=1, failed=())
    file(root, 1).write_bytes(MINE)
    remember(root, "passed", failed=())
    with terminal(root, "progress") as screen:
        code, text = screen.ends()
    assert code == 0
    assert text == (
        "I. Model: 1 of 2 passed, 1 planned\n"
        "  01 Create Model Configuration    passed with an older version of the file:\n"
        "                                   check again\n"
        "  02 Causal Mask                   passed\n"
        "  03 Multi-Head Attention          planned\n"
        "\n"
        "███████████████░░░░░░░░░░░░░░░  1 of 2 passed, 1 planned\n"
        "\n"
        "Next: pixi run s01\n"
    )
    with terminal(root, "progress", PYTHONUTF8="0", PYTHONIOENCODING="ascii") as screen:
        assert "\n###############---------------  1 of 2 passed, 1 planned\n" in screen.ends()[1]
    for argv, environment in ((("progress", "--plain"), {}), (("progress",), {"TERM": "dumb"})):
        with terminal(root, *argv, **environment) as screen:
            assert "step 02, Causal Mask: passed\n" in screen.ends()[1]


@POSIX
def test_a_hint_is_wrapped_to_the_terminal(root):
    courses.put(root, "puzzles/mask.md", "## Hints\n\n1. " + "word " * 20 + "\n\n   ```\n   " + "c" * 60 + "\n   ```\n")
    with terminal(root, "hint", "2", columns=40) as screen:
        text = screen.ends()[1]
    lines = text.splitlines()
    assert lines[0] == "Hint 1/1 for step 02: word word word"
    assert "    " + "c" * 60 in lines
    assert all(len(line) <= 40 for line in lines if "ccc" not in line)


@POSIX
@pytest.mark.parametrize("argv", [("history", "2"), ("doctr",), ("history", "2", "7"), ("undo", "2"), ("doctor",)])
def test_what_a_verb_says_is_wrapped_between_words(root, run, argv):
    file(root).write_bytes(MINE)
    remember(root)
    environment = {"PYTHONPATH": str(ROOT), "INIT_CWD": "", "PIXIW": ""}
    piped = run(*argv, root=root, env=environment)
    with terminal(root, *argv, columns=40) as screen:
        code, text = screen.ends()
    assert code == piped.returncode
    assert all(cells(line) <= 40 or len(line.split()) == 1 for line in text.splitlines())
    assert sorted(text.split()) == sorted(f"{piped.stdout}{piped.stderr}".split())


@POSIX
def test_a_version_on_a_terminal_commands_nothing(root):
    file(root).write_bytes(b"x = '\x1b[2J'\n")
    remember(root)
    with terminal(root, "history", "2", "1") as screen:
        assert screen.ends() == (0, "x = '\\x1b[2J'\n")


def test_a_console_without_utf_8_gets_the_same_facts(run, root):
    courses.put(root, "puzzles/mask.md", "## Hints\n\n1. √x × y … ≠ z\n")
    environment = {"PYTHONPATH": str(ROOT), "INIT_CWD": "", "PIXIW": "", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = run("hint", "2", root=root, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Hint 1/1 for step 02: sqrt x x y ... \\u2260 z\n")


def test_every_verb_has_help_with_an_example(run, root):
    environment = {"PYTHONPATH": str(ROOT), "INIT_CWD": "", "PIXIW": ""}
    listed = run("--help", root=root, env=environment).stdout
    for name, verb in desk.VERBS.items():
        done = run(name, "--help", root=root, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"examples:\n  pixi run {name}" in done.stdout
        assert re.search(rf"(?m)^  {name} +{re.escape(verb.summary)}$", listed)


def test_the_verbs_read_their_arguments_without_typer(root):
    program = (
        "import sys; from autograder.__main__ import main; code = main(['progress'])\n"
        "print(sorted({'typer', 'rich', 'torch', 'msgspec', 'pydantic'} & set(sys.modules)), code)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "INIT_CWD": ""}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_typer_hands_the_verbs_on(root, monkeypatch):
    from autograder.cli import run as typed

    monkeypatch.setenv("INIT_CWD", str(root))
    assert typed(["hint", "2", "1"]) == 0
    assert typed(["hint", "2", "9"]) == 2
    assert typed(["undo"]) == 2


@POSIX
def test_without_permission_the_verbs_answer_and_write_nothing(root):
    file(root).write_bytes(MINE)
    as_anyone = []
    if os.geteuid() == 0:  # whom no mode stops, unless it gives that up
        if not shutil.which("setpriv"):
            pytest.skip("root needs setpriv to be like anyone else")
        rights = "-dac_override,-dac_read_search"
        as_anyone = ["setpriv", f"--inh-caps={rights}", f"--bounding-set={rights}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "INIT_CWD": "", "PIXIW": ""}

    def called(*argv):
        command = [*as_anyone, sys.executable, "-m", "autograder", *argv]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    root.chmod(0o555)
    try:
        code, out, err = called("hint", "2")
        assert (code, out.splitlines()[0]) == (0, "Hint 1/3 for step 02: What is step 02?")
        assert err == (
            "autograder: nothing could be remembered of this: .autograder/: Permission denied\n"
            "autograder: where hints cannot be counted, they can be read in steps/step_02.md\n"
        )
        reason = "steps/step_02.py could not be kept in .autograder/ (Permission denied), so nothing was written"
        assert called("reset", "2", "--yes") == (1, "", f"autograder: {reason}\n")
        assert file(root).read_bytes() == MINE
        assert called("progress")[0] == 0
    finally:
        root.chmod(0o755)
