"""The command line: words, exit codes, and what doctor, record and verify find."""

import contextlib
import os
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import courses
import pytest

from autograder import __version__, cli, doctor, record, transcript
from autograder import course as loading
from autograder.errors import InternalError
from autograder.gate import line
from autograder.oracle import hugging_face

ROOT = Path(__file__).resolve().parents[2]
VERBS = ("check", "hint", "progress", "solution", "reset", "undo", "history", "server", "bug")
VERBS += ("doctor", "generate", "record", "verify", "new", "new-course", "report", "bundle")


@pytest.fixture
def call(capsys, monkeypatch):
    """Return a function that runs a verb in this process: exit code, standard output, standard error."""
    monkeypatch.delenv("INIT_CWD", raising=False)
    monkeypatch.delenv("PIXIW", raising=False)
    monkeypatch.chdir(ROOT)

    def called(*argv):
        try:
            code = cli.run(list(argv))
        except SystemExit as done:
            code = done.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return called


@pytest.fixture(autouse=True)
def warm(monkeypatch, nursery):
    """Let the verbs that run in this process share the session's warm ancestors."""
    for module in (doctor, record, line):
        monkeypatch.setattr(module, "Nursery", lambda: contextlib.nullcontext(nursery))


@pytest.fixture
def copy(tmp_path):
    """Return the root of a copy of the real course, without the engine."""
    for name in ("puzzles", "solutions", "steps", "tests/steps"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("course.toml", "pixi.toml", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


# -------------------------------------------------------------------------------------------------------------- words


def test_version_names_the_versions_that_matter(call):
    code, out, _ = call("--version")
    lines = dict(line.split(" ") for line in out.splitlines())
    assert code == 0
    assert lines["autograder"] == __version__
    assert lines["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"torch", "transformers"} <= set(lines)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_has_an_example(call, verb):
    code, out, _ = call(verb, "--help")
    assert code == 0
    assert out.lower().startswith("usage: autograder")
    assert "example" in out.lower()
    assert f"pixi run {verb}" in out or "pixi run s07" in out


def test_help_lists_every_verb(call):
    code, out, _ = call("--help")
    assert code == 0
    _, learners, instructors = re.split(r"^Commands for .*:\n", out, flags=re.MULTILINE)
    listed = [[line.split()[0] for line in part.splitlines() if line] for part in (learners, instructors)]
    assert listed[0] + listed[1] == list(VERBS)
    assert listed[1][0] == "generate"


def test_no_verb_at_all_shows_the_help_and_is_wrong_usage(call):
    code, out, err = call()
    assert (code, out) == (2, "")
    assert err.startswith("Usage: autograder")


def test_a_verb_that_is_none_gets_a_near_miss(call):
    code, out, err = call("chekc")
    assert (code, out) == (2, "")
    assert err == "autograder: No such command 'chekc'. Did you mean 'check'? `autograder --help` lists the verbs\n"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["generate", "--chekc"], "No such option: --chekc"),
        (["verify", "layernorm"], 'there is no step "layernorm": did you mean layer_norm (s03)?'),
        (["record", "s18"], "step 18, KV Cache, is planned: it has no files yet"),
        (["check", "99"], 'there is no step "99": there are 18 steps, 01 to 18'),
        (["check", "1", "--tree", "x"], "choose from"),
        (["check", "1", "--tree", "mine"], "argument --tree: invalid choice: 'mine'"),
        (["check", "1", "--seed", "../x"], '"../x" is no seed'),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(call, argv, sentence):
    code, out, err = call(*argv)
    assert (code, out) == (2, "")
    assert err.startswith("autograder: ")
    assert sentence in err
    assert "Traceback" not in err


def test_outside_of_a_course_the_verbs_say_so(call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for argv in (["verify"], ["doctor"], ["generate"], ["check", "1"]):
        code, _, err = call(*argv)
        assert code == 3, argv
        assert (
            err
            == f"autograder: there is no course.toml in {tmp_path} or above it: run this inside the course's folder\n"
        )


def test_a_verb_that_is_interrupted_says_so(call, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(line, "prove", interrupt)
    code, _, err = call("verify")
    assert (code, err.strip()) == (130, "autograder: interrupted")


def test_a_course_that_is_broken_is_exit_3_through_the_real_command_line(run, copy):
    courses.put(copy, "tests/steps/config.py", "raise KeyError('k')\n")
    done = run("check", "s01", root=copy, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 3
    path = (copy / "tests" / "steps" / "config.py").as_posix()
    assert done.stderr == f"autograder: {path}:1: the checker raises KeyError: 'k'\n"


def test_a_check_that_raises_is_exit_3_and_sends_nobody_back_to_their_code(run, copy):
    text = 'from autograder.checking import check\n@check(passed="yes", failed="no")\ndef f(student):\n    1 / 0\n'
    courses.put(copy, "tests/steps/config.py", text)
    done = run("check", "s01", "--tree", "solutions", root=copy, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 3
    assert "❌ no\n   the course itself is at fault, not your code: config.py:4: ZeroDivisionError" in done.stdout
    assert done.stdout.endswith("Next: pixi run doctor\n")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file's name is text")
@pytest.mark.parametrize("form", ["--plain", "--json"])
def test_a_file_whose_name_is_not_utf_8_is_named_escaped(run, tmp_path, form):
    path = os.fsencode(tmp_path) + b"/\xff\x1b[31m.py"
    with open(path, "w") as file:  # noqa: PTH123 - a name that is bytes
        file.write("x = 1\n")
    done = run("check", "s01", form, "--file", os.fsdecode(path))
    assert (done.returncode, done.stderr) == (1, "")
    assert "udcff" in done.stdout
    assert "\x1b" not in done.stdout


# ------------------------------------------------------------------------------------------------------------- doctor


@pytest.fixture
def healthy(monkeypatch):
    """Let doctor find a set-up in which nothing is wrong, without starting a worker."""
    monkeypatch.setattr(doctor, "installed", lambda names: dict.fromkeys(names, "9.9"))
    monkeypatch.setattr(doctor, "_workers", lambda _: iter([doctor.Finding(True, "a worker answers")]))
    monkeypatch.setattr(doctor, "_console", lambda: doctor.Finding(True, "this console's encoding is utf-8"))


def unwell(root=ROOT, road="pixi run"):
    return [(one.sentence, one.mend) for one in doctor.examine(root, road) if not one.well]


def test_doctor_finds_nothing_wrong_here(run):
    done = run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Nothing is wrong.\n")
    assert "❌" not in done.stdout
    for name in (
        "Python 3.",
        "torch ",
        "course.toml: ",
        "can be written",
        "encoding",
        "transformers ",
        "a worker imports",
    ):
        assert name in done.stdout


@pytest.mark.usefixtures("healthy")
def test_a_python_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 4, "final", 0))
    assert unwell() == [("Python 3.10.4 (3.11 or newer is needed)", "pixi install")]


@pytest.mark.parametrize("verb", [["doctor"], ["check", "s01"]])
def test_a_library_that_doctor_itself_needs_is_named_when_it_is_missing(run, tmp_path, verb):
    text = "import sys\nsys.modules['msgspec'] = sys.modules['typer'] = None\n"
    courses.put(tmp_path, "sitecustomize.py", text)
    done = run(*verb, env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "PIXIW": ""})
    assert done.returncode == 3
    assert done.stderr in [f"autograder: {name} is not installed: pixi install\n" for name in ("msgspec", "typer")]


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(
    ("road", "mend"),
    [("pixi run", "pixi install"), ("./pixiw run", "remove the folder .venv, then ./pixiw run doctor")],
)
def test_a_library_that_is_missing_is_named(monkeypatch, road, mend):
    monkeypatch.setattr(doctor, "installed", lambda names: {name: "9.9" for name in names if name != "torch"})
    assert unwell(road=road) == [("torch is not installed", mend)]


@pytest.mark.usefixtures("healthy")
def test_a_course_that_is_broken_is_named(copy):
    courses.put(copy, "course.toml", "name = \n")
    ((sentence, mend),) = unwell(copy)
    assert sentence.startswith("course.toml:1: is not TOML: ")
    assert mend == "git checkout course.toml"


@pytest.mark.usefixtures("healthy")
def test_a_step_without_a_file_is_named(copy):
    (copy / "steps" / "step_03.py").unlink()
    assert unwell(copy, "./pixiw run") == [("steps/step_03.py is not there", "./pixiw run generate")]


@pytest.mark.usefixtures("healthy")
def test_a_folder_that_cannot_be_written_is_named(monkeypatch, copy):
    (copy / ".autograder").mkdir()
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert unwell(copy) == [(".autograder/ cannot be written", f"make {copy / '.autograder'} writable for yourself")]


def test_a_console_that_lacks_the_signs_is_named(monkeypatch):
    for encoding in ("cp1252", "ascii", "no-such"):
        monkeypatch.setattr(doctor.sys, "stdout", SimpleNamespace(encoding=encoding))
        found = doctor._console()  # noqa: SLF001 - the whole of doctor prints through the test's own stream
        assert not found.well
        assert found.sentence == f"this console's encoding is {encoding}: words stand in place of the signs"
        assert found.mend == "set the environment variable PYTHONUTF8 to 1"


@pytest.mark.usefixtures("healthy")
def test_a_configuration_that_cannot_be_had_is_named(monkeypatch):
    def fail():
        raise InternalError("transformers cannot be imported: ImportError: no")

    monkeypatch.setattr(hugging_face, "gpt2_config", fail)
    assert unwell() == [("transformers cannot be imported: ImportError: no", "pixi install")]


def test_a_worker_that_does_not_work_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda names: dict.fromkeys(names, "9.9"))
    monkeypatch.setattr(doctor, "_console", lambda: doctor.Finding(True, ""))
    monkeypatch.setattr(doctor, "PROBE", "raise ImportError('torch is broken')\n")
    assert unwell() == [("a worker does not work: ImportError: torch is broken", "pixi install")]
    monkeypatch.setattr(doctor, "PROBE", "import os\nos._exit(7)\n")
    says = "a worker does not work: it ended its own process (exit code 7) before it answered"
    assert unwell() == [(says, "pixi install")]
    monkeypatch.setattr(doctor, "PROBE", "x = 1\n")
    assert unwell() == [("a worker does not work: steps/step_00.py defines no answer", "pixi install")]
    monkeypatch.setattr(doctor, "PROBE", "answer = 'two'\n")
    assert unwell() == [("a worker gives wrong answers: 'two' in place of 4", "pixi install")]


@pytest.mark.usefixtures("healthy")
def test_doctor_prints_what_mends_it_and_exits_1(call, monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda names: {name: "9.9" for name in names if name != "numpy"})
    code, out, _ = call("doctor")
    assert code == 1
    assert "❌ numpy is not installed\n   mend it: pixi install\n" in out
    assert out.endswith("1 to mend.\n")


# ------------------------------------------------------------------------------------------------------------- record


def test_record_gives_the_committed_outputs_and_then_has_nothing_to_do(copy):
    course = loading.load(copy)
    step = course.find("config")
    recorded = copy / "puzzles" / "recorded"
    committed = {path.name: path.read_bytes() for path in recorded.glob("config.*.txt")}
    shutil.rmtree(recorded)
    first = record.write(record.record(course, [step]))
    assert {path.name: path.read_bytes() for path in first} == committed
    assert record.write(record.record(course, [step])) == []


def test_a_recording_has_nothing_of_the_machine_or_the_moment():
    for path in (ROOT / "puzzles" / "recorded").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("Running tests for Step ")
        assert text.endswith("\n")
        assert not any(word in text for word in ("learner:", "Next:", " ms", "seed ", str(ROOT), "2.13"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("expected  0.12034   got -1.23456e-07", "expected  0.12   got -1.23e-07"),
        ("1e-05, 0.5, 768, 3.25", "1e-05, 0.5, 768, 3.25"),
        ("eps=1.0000e-05", "eps=1e-05"),
        ("step_03.py:12345 v1.23456", "step_03.py:12345 v1.23456"),
        (
            "a\n\nOutcome: error (x)\nlearner: steps/step_01.py · torch 2.13 · seed 91c2 · cold · 64 ms\nNext: x\n",
            "a\n\nOutcome: error (x)",
        ),
        ("a\nlearner: me\n", "a\nlearner: me"),
    ],
)
def test_masking_keeps_three_digits_and_drops_the_footer(text, masked):
    assert transcript.mask(text) == f"{masked}\n"
    assert transcript.mask(transcript.mask(text)) == transcript.mask(text)


def test_record_refuses_a_solution_that_does_not_pass(copy):
    path = copy / "puzzles" / "config.py"
    path.write_text(path.read_text(encoding="utf-8").replace("= 768", "= 769"), encoding="utf-8")
    course = loading.load(copy)
    with pytest.raises(InternalError, match="the passed run of step 01 has the outcome failed"):
        record.record(course, [course.find("config")])
