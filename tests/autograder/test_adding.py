"""`new`: a step between two others in one command; a learner's own files follow; nothing half done is left."""

import contextlib

import courses
import pytest

from autograder import adding, cli, record
from autograder import course as loading
from autograder.errors import NotDone
from autograder.gate import line, telling
from autograder.memory import Memory

MINE = "# mine\nfrom steps.step_01 import mean\n\n\ndef spread(x):\n    return 2 * x\n"


@pytest.fixture(autouse=True)
def warm(monkeypatch, nursery):
    for module in (record, line):
        monkeypatch.setattr(module, "Nursery", lambda: contextlib.nullcontext(nursery))


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Return the root of a course of two steps, made by `new` itself: mean, and spread after it."""
    monkeypatch.delenv("INIT_CWD", raising=False)
    lists = "# BEGIN GENERATED: steps\n# END GENERATED: steps\n"
    courses.one_step(tmp_path)
    courses.put(tmp_path, "pixi.toml", f"[tasks]\n{lists}")
    courses.put(tmp_path, "pyproject.toml", f"[project.scripts]\n{lists}")
    course = loading.load(tmp_path)
    record.write([*record.record(course, course.steps), *record.mistakes(course, course.steps)])
    monkeypatch.chdir(tmp_path)
    assert cli.run(["generate"]) == 0
    assert cli.run(["new", "spread", "--after", "mean", "--title", "Spread"]) == 0
    return tmp_path


def files(root):
    """Return all files but what the engine remembers."""
    found = (path for path in root.rglob("*") if path.is_file() and ".autograder" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found if "__pycache__" not in path.parts}


def test_a_new_step_is_three_files_that_hold(root, capsys):
    assert cli.run(["new", "third", "--after", "spread", "--title", "Third"]) == 0
    assert capsys.readouterr().out.endswith(
        "Now write puzzles/third.py, puzzles/third.md and tests/steps/third.py. Then pixi run record third,\n"
        "record --mistakes third and generate, and verify third: CONTRIBUTING.md shows it all with an example.\n"
    )
    course = loading.load(root)
    assert [step.slug for step in course.steps] == ["mean", "spread", "third"]
    step = course.find("spread")
    work = line.tasks([step], line.NAMES)
    proofs = telling.show(course, [step], work, line.prove(course, work, processes=1))
    assert [str(fault) for proof in proofs["spread"] for fault in proof.faults] == []
    assert cli.run(["generate", "--check"]) == 0
    assert 'NotImplementedError("step 02: spread")' in (root / "steps" / "step_02.py").read_text(encoding="utf-8")


def test_a_learners_own_file_moves_with_its_step_and_is_kept_first(root):
    later = "from steps.step_02 import spread as s\n\n\ndef last(x):\n    return s(x)\n"
    assert cli.run(["new", "last", "--after", "spread", "--title", "Last"]) == 0
    (root / "steps" / "step_02.py").write_text(MINE, encoding="utf-8")
    (root / "steps" / "step_03.py").write_text(later, encoding="utf-8")
    assert cli.run(["new", "between", "--after", "mean", "--title", "Between"]) == 0
    assert [step.slug for step in loading.load(root).steps] == ["mean", "between", "spread", "last"]
    assert (root / "steps" / "step_03.py").read_text(encoding="utf-8") == MINE
    assert (root / "steps" / "step_04.py").read_text(encoding="utf-8") == later.replace("step_02", "step_03")
    assert "step 02: between" in (root / "steps" / "step_02.py").read_text(encoding="utf-8")
    kept = Memory(root).events("last")
    assert [(event.verb, Memory(root).version(event.sha256)) for event in kept] == [("renumber", later.encode())]
    assert Memory(root).last_kept("last") is None  # undo would bring back an import that leads elsewhere


def test_dry_run_lists_what_would_change_and_changes_nothing(root, capsys):
    (root / "steps" / "step_02.py").write_text(MINE, encoding="utf-8")
    before = files(root)
    capsys.readouterr()
    assert cli.run(["new", "between", "--after", "1", "--title", "Between", "--dry-run"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert "would move steps/step_02.py to steps/step_03.py: its imports follow" in out
    assert {"would change course.toml", "would write puzzles/between.py", "would write steps/step_03.md"} <= set(out)
    assert files(root) == before


WRONG = {
    "a duplicate": (
        ["mean", "--after", "mean"],
        '"mean" is already step 01, The Mean: a slug stands once in the course',
    ),
    "no name": (["2nd-mean", "--after", "mean"], '"2nd-mean" cannot name a step: use lower-case letters, digits and _'),
    "a word of Python": (["lambda", "--after", "mean"], '"lambda" cannot name a step: it is a word of Python itself'),
    "capitals": (["Mean2", "--after", "mean"], '"Mean2" cannot name a step'),
    "a number": (["step_07", "--after", "mean"], '"step_07" reads like a step\'s number: name the concept'),
    "after nothing": (["third", "--after", "meen"], '--after: there is no step "meen": did you mean mean (s01)?'),
    "a file in the way": (
        ["stray", "--after", "mean"],
        "puzzles/stray.py is there already, and course.toml does not list",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_new_step_that_cannot_be(root, capsys, name):
    words, sentence = WRONG[name]
    courses.put(root, "puzzles/stray.py", "")
    before = files(root)
    assert cli.run(["new", *words, "--title", "T"]) == 2
    assert sentence in capsys.readouterr().err
    assert files(root) == before


@pytest.mark.usefixtures("root")
def test_a_title_is_a_line(capsys):
    assert cli.run(["new", "third", "--after", "mean", "--title", 'a "b"']) == 2
    assert "a title is a line of text, without quotation marks and backslashes" in capsys.readouterr().err


def test_an_import_that_cannot_follow_stops_it_all(root, capsys):
    assert cli.run(["new", "last", "--after", "spread", "--title", "Last"]) == 0
    (root / "steps" / "step_03.py").write_text("import steps.step_02\n", encoding="utf-8")
    before = files(root)
    assert cli.run(["new", "between", "--after", "mean", "--title", "Between"]) == 1
    assert capsys.readouterr().err.endswith(
        "steps/step_03.py cannot follow to step 04, so nothing was written: "
        "line 1 has `import steps.step_02`: give it a name with `as`\n"
    )
    assert files(root) == before


def test_a_course_that_changes_meanwhile_is_left_alone(root):
    course = loading.load(root)
    addition = adding.plan(course, "between", course.find("mean"), "Between")
    manifest = root / "course.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8") + 'other = "Other"\n', encoding="utf-8")
    before = files(root)
    with pytest.raises(NotDone, match=r"course.toml has changed meanwhile, so nothing was written: run it again"):
        adding.carry_out(course, addition, Memory(root))
    assert files(root) == before


def test_a_write_that_fails_is_taken_back(root, monkeypatch):
    course = loading.load(root)
    addition = adding.plan(course, "between", course.find("mean"), "Between")
    before, written = files(root), []
    put = adding.write_bytes

    def fails_once(path, data):
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        put(path, data)

    monkeypatch.setattr(adding, "write_bytes", fails_once)
    with pytest.raises(NotDone, match=r"could not be written \(No space left on device\): everything is as it was"):
        adding.carry_out(course, addition, Memory(root))
    assert files(root) == before


def test_a_learners_file_that_is_no_text_stops_it_all(root, capsys):
    (root / "steps" / "step_02.py").write_bytes(b"caf\xe9 = 1\n")
    before = files(root)
    assert cli.run(["new", "between", "--after", "mean", "--title", "Between"]) == 1
    assert "steps/step_02.py cannot follow to step 03, so nothing was written" in capsys.readouterr().err
    assert files(root) == before


def test_a_planned_step_says_how_it_gets_its_files(root, capsys):
    manifest = root / "course.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8") + 'later = "Later"\n', encoding="utf-8")
    assert cli.run(["new", "later", "--after", "mean", "--title", "Later"]) == 2
    sentence = '"later" is planned as step 03, Later: take its line out of course.toml, and run this again'
    assert sentence in capsys.readouterr().err


def test_a_folder_of_the_slugs_name_is_in_the_way(root, capsys):
    (root / "puzzles" / "bugs").mkdir()
    assert cli.run(["new", "bugs", "--after", "mean", "--title", "Bugs"]) == 2
    assert "puzzles/bugs is there already" in capsys.readouterr().err
