"""`bug`: a finished part with one mistake is written, judged by its steps' checks, and explained when it passes."""

import ast
import errno
import json
import re
import shutil

import courses
import pytest

from autograder import __main__ as entrance
from autograder import assembly, bug, client, culprit, entry, hunt, tables
from autograder import course as loading
from autograder.errors import CourseError, InternalError
from autograder.nursery import Nursery
from autograder.supervisor import Limits
from autograder.trial import Trial

SPREAD = '''"""The spread."""

from __future__ import annotations

import math

from puzzles.mean import mean


def spread(numbers: list[float]) -> float:
    """Return the root of the mean squared distance from the mean."""
    # BEGIN SOLUTION
    # STUB: raise NotImplementedError("step {step}: spread")
    centre = mean(numbers)
    squares = [(number - centre) ** 2 for number in numbers]
    return math.sqrt(mean(squares))
    # END SOLUTION
'''
SPREAD_CHECKER = """from statistics import pstdev

from autograder.checking import check, mistake
from autograder.comparing import equal, holds


@check(passed="spread is there", failed="spread is not there")
def is_there(source):
    holds(source.definition("spread") is not None)


@check(passed="spread gives the spread", failed="spread does not give the spread: got {got}")
def matches(student, draw):
    numbers = [draw.integer(1, 9) + 0.5 for _ in range(6)] + [20.0]
    equal(round(student.spread(numbers), 6), round(pstdev(numbers), 6))


mistake("no-root", "math.sqrt(mean(squares))", "mean(squares)", "The root is not taken.")
mistake("an-exception", "mean(squares)", "mean(square)", "There is no such name.")
mistake("another-name", "def spread", "def spreads", "It has another name.")
mistake("renamed-import", "import mean", "import mean as mean_of", "It has another name here.")
mistake.file("whole", "def spread(numbers): return 0.0\\n", "Always 0.")
"""
FAIR = {"one-too-few", "sum-alone", "no-root"}
ADVICE = "How others find such bugs: by hand.\n"


@pytest.fixture
def root(tmp_path):
    root = courses.one_step(tmp_path / "course")
    courses.put(root, "course.toml", courses.toml({"mean": "The Mean", "spread": "The Spread"}))
    courses.put(root, "puzzles/spread.py", SPREAD)
    courses.put(root, "tests/steps/spread.py", SPREAD_CHECKER)
    courses.put(root, "puzzles/bugs/bug_1.md", ADVICE)
    return root


@pytest.fixture
def call(root, monkeypatch, capsys):
    """Return a function that runs `bug` in this process: exit code, standard output, standard error."""
    monkeypatch.setenv("INIT_CWD", str(root))
    monkeypatch.delenv("PIXIW", raising=False)

    def called(*argv):
        capsys.readouterr()
        code = entrance.main(["bug", *argv])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return called


@pytest.fixture
def seeded(monkeypatch):
    """Return a function that says which seeds are drawn from now on."""

    def seeds(*given):
        left = list(given)
        monkeypatch.setattr("autograder.draw.new_seed", lambda: left.pop(0) if left else "91c2")

    return seeds


def file(root):
    return root / "steps" / "bug_1.py"


def suspects(root):
    return hunt.part_called(loading.load(root), "1").suspects()


def drawn(root):
    """Return the names of the mistakes that were drawn, in order: not from what is kept, where no name stands."""
    lines = map(json.loads, (root / ".autograder" / "bugs" / "bug_1.jsonl").read_text().splitlines())
    return [suspects(root).named(line["seed"], line["text"]).mistake.name for line in lines if line["kind"] == "drawn"]


# The file


def test_the_file_is_the_finished_steps_in_order_with_one_mistake(call, root):
    code, out, err = call("1")
    assert (code, err) == (0, "")
    assert out.startswith("Writing steps/bug_1.py: the finished steps 01 to 02, with one mistake...\n\n")
    assert "steps/bug_1.py is steps 01 to 02 in one file, finished, and one thing in it is wrong.\n" in out
    assert out.endswith("\nNext: read steps/bug_1.py, then pixi run bug1\n")
    text = file(root).read_text()
    right = suspects(root).right()
    assert text != right
    assert right.startswith('"""Steps 01 to 02, finished, in one file, with one mistake in it: find it, ')
    assert right.partition('"""\n\n')[2].startswith(
        "from __future__ import annotations\n\nimport math\n\n\n# Step 01: The Mean ---"
    )
    assert "puzzles" not in text
    assert [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)] == ["mean", "spread"]


def test_what_is_drawn_runs_and_fails_by_its_values(root):
    """Not an exception, not a missing name, not what needs an earlier step by another name, not a whole file."""
    course = loading.load(root)
    with Nursery() as nursery:
        trial = Trial(course, course.steps, nursery, Limits())
        listed = list(suspects(root).ordered("91c2"))
        reach = {each.mistake.name: culprit.reach(trial, each, "steps/bug_1.py", "91c2") for each in listed}
    assert reach == {"one-too-few": 1, "sum-alone": 1, "no-root": 0, "an-exception": None, "another-name": None}


def test_a_mistake_that_shows_in_other_steps_too_is_drawn_before_one_that_does_not(call, root, seeded):
    seeded(*seed_of(root, "no-root"))
    call("1")
    assert drawn(root)[0] in ("one-too-few", "sum-alone")


def test_a_seed_gives_the_same_mistake_and_others_give_others(root):
    def first(seed):
        return next(suspects(root).ordered(seed)).mistake.name

    names = [first(f"{seed:08x}") for seed in range(40)]
    assert names == [first(f"{seed:08x}") for seed in range(40)]
    assert len(set(names)) == 5


def test_a_mistake_that_is_declared_later_leaves_the_order_of_the_others(root):
    before = [each.mistake.name for each in suspects(root).ordered("91c2")]
    with (root / "tests" / "steps" / "spread.py").open("a") as checker:
        checker.write('mistake("no-square", " ** 2", " * 2", "It is doubled.")\n')
    after = [each.mistake.name for each in suspects(root).ordered("91c2")]
    assert "no-square" in after
    assert [name for name in after if name != "no-square"] == before


def test_the_name_stands_nowhere_before_it_is_found(call, root):
    call("1")
    call("1")
    (name,) = drawn(root)
    kept = [path.read_text() for path in (root / ".autograder").rglob("*") if path.is_file()]
    assert kept
    assert not any(name in text for text in [*kept, file(root).read_text()])


# The verdict


def test_the_symptom_at_the_end_is_shown_and_all_on_request(call, root, seeded):
    seeded(*seed_of(root, "sum-alone"))
    call("1")
    code, out, err = call("1")
    assert (code, err) == (1, "")
    head = "Checking steps/bug_1.py by the checks of steps 01 to 02...\n\nResults:\nStep 02: The Spread\n"
    assert out.startswith(f"{head}❌ spread does not give the spread: got ")
    assert "Step 01" not in out
    assert "The checks of 1 earlier step fail too: pixi run bug1 --all shows them.\n" in out
    assert "other step" not in out
    assert re.search(r"\nlearner: steps/bug_1\.py · seed 91c2 · cold · \d+ ms\n", out)
    assert out.endswith("\nNext: edit steps/bug_1.py, then pixi run bug1\n")
    code, out, _ = call("bug1", "--all")
    assert code == 1
    assert out.index("Step 01: The Mean\n❌ mean does not") < out.index("Step 02: The Spread\n❌ spread does not")
    assert "likely" not in out  # the name is found, not told


def test_steps_that_pass_are_counted(call, root):
    only(root, "no-root")
    call("1")
    code, out, _ = call()
    assert code == 1
    assert "Step 02: The Spread\n❌ spread does not" in out
    assert "\nAll checks of 1 other step pass.\n" in out


def test_mended_it_is_named_with_its_line_and_the_attempts(call, root):
    only(root, "no-root")
    call("1")
    wrong = file(root).read_text()
    call("1")  # as it was written: no attempt
    file(root).write_text(wrong.replace("** 2", "** 3"))
    assert call("1")[0] == 1
    file(root).write_text(wrong.replace("return mean(squares)", "return mean(squares) ** 0.5"))
    code, out, err = call("1")
    assert (code, err) == (0, "")
    line = next(at for at, line in enumerate(wrong.splitlines(), 1) if "return mean(squares)" in line)
    assert out.partition("Results:\n")[2] == (
        "✅ every check of steps 01 to 02 passes: it is mended\n\n"
        "It was no-root, in step 02, The Spread:\n"
        "   The root is not taken.\n"
        f"   line {line}\n"
        "     wrong  return mean(squares)\n"
        "     right  return math.sqrt(mean(squares))\n"
        "Mended in 2 attempts.\n\n"
        "How others find such bugs: by hand.\n\n"
        "Next: pixi run bug1 --new draws another mistake\n"
    )
    (root / "puzzles" / "bugs" / "bug_1.md").unlink()  # a course need not say how
    file(root).write_text(file(root).read_text() + "\n# tidied up afterwards: no attempt\n")
    assert "Mended in 2 attempts.\n\nNext: " in call("1")[1]


def test_a_file_that_is_brought_back_is_named_by_its_own_draw(call, root):
    call("1")
    first = file(root).read_bytes()
    call("1", "--new")
    file(root).write_bytes(first)
    assert call("1")[0] == 1
    file(root).write_text(suspects(root).right())
    assert f"It was {drawn(root)[0]}, in step" in call("1")[1]


def test_two_files_that_are_mended_alike_are_named_by_their_own_draws(call, root):
    right = suspects(root).right()
    for _ in range(2):
        call("1", "--new")
        file(root).write_text("broken = (\n")
        assert call("1")[0] == 1
        file(root).write_text(right)
        assert f"It was {drawn(root)[-1]}, in step" in call("1")[1]


def test_where_another_draw_cannot_be_written_the_file_is_still_the_first_ones(call, root, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    call("1")
    with monkeypatch.context() as patch:
        patch.setattr("autograder.files.write_text", full)
        code, _, err = call("1", "--new")
    assert (code, "could not be written" in err) == (1, True)
    file(root).write_text(suspects(root).right())
    assert f"It was {drawn(root)[0]}, in step" in call("1")[1]


def test_what_is_saved_while_another_is_drawn_is_kept(call, root, monkeypatch):
    call("1")
    real = bug._drawn  # noqa: SLF001

    def saved_meanwhile(*given):
        file(root).write_text("# saved meanwhile\n")
        return real(*given)

    monkeypatch.setattr(bug, "_drawn", saved_meanwhile)
    assert "Your file is kept as .autograder/bugs/bug_1.1.py." in call("1", "--new")[1]
    assert (root / ".autograder" / "bugs" / "bug_1.1.py").read_text() == "# saved meanwhile\n"


def test_the_other_road_is_named_where_it_was_taken(call, monkeypatch):
    monkeypatch.setenv("PIXIW", "1")
    assert call("1")[1].endswith("then ./pixiw run bug1\n")


# Another draw, and what is lost


def test_another_draw_gives_another_mistake_until_all_were_drawn(call, root):
    call("1")
    for _ in range(2):
        assert call("1", "--new")[0] == 0
    assert set(drawn(root)) == FAIR
    assert call("1", "--new")[0] == 0  # then one comes again
    assert len(drawn(root)) == 4


def test_another_draw_keeps_the_file_and_says_where(call, root):
    call("1")
    mine = file(root).read_bytes() + b"# mine\r\n"
    file(root).write_bytes(mine)
    question = '"Draw another mistake and write it over steps/bug_1.py? Your file is kept."'
    says = f"autograder: {question} is asked first, and there is no terminal to ask on: add --yes to agree\n"
    assert call("1", "--new") == (2, "", says)
    assert file(root).read_bytes() == mine
    code, out, err = call("1", "--new", "--yes")
    assert (code, err) == (0, "")
    assert "\nYour file is kept as .autograder/bugs/bug_1.1.py.\n" in out
    assert (root / ".autograder" / "bugs" / "bug_1.1.py").read_bytes() == mine
    assert b"# mine" not in file(root).read_bytes()
    assert "as .autograder/bugs/bug_1.2.py.\n" in call("1", "--new")[1]  # as it was written: nobody is asked
    file(root).write_text(suspects(root).right())
    assert call("1")[0] == 0
    assert call("1", "--new")[0] == 0  # solved: nobody is asked


def test_a_file_that_has_gone_is_written_again_with_the_same_mistake(call, root):
    call("1")
    before = file(root).read_bytes()
    file(root).unlink()
    code, out, err = call("1")
    assert (code, err) == (0, "")
    assert "steps/bug_1.py was not there: it is written again, with the same mistake.\n" in out
    assert file(root).read_bytes() == before
    assert len(drawn(root)) == 1
    shutil.rmtree(root / "steps")
    assert call("1")[0] == 0
    assert file(root).read_bytes() == before


def test_without_memory_it_is_judged_all_the_same(call, root):
    call("1")
    shutil.rmtree(root / ".autograder")
    assert call("1")[0] == 1
    file(root).write_text(suspects(root).right())
    code, out, err = call("1")
    assert (code, err) == (0, "")
    assert "Which mistake it was is not known any more: .autograder/ does not have it.\n" in out
    journal = root / ".autograder" / "bugs" / "bug_1.jsonl"
    journal.write_bytes(b'{\n[]\n{"kind":"drawn"}\n{"kind":"later"}\n')
    assert "is not known any more" in call("1")[1]


def test_in_a_course_that_has_changed_the_name_is_not_guessed(call, root):
    call("1")
    courses.put(root, "puzzles/mean.py", courses.MEAN.replace("total", "whole"))
    courses.put(root, "tests/steps/mean.py", courses.MEAN_CHECKER.replace("total", "whole"))
    file(root).write_text(suspects(root).right())
    code, out, _ = call("1")
    assert code == 0
    assert "not known any more: the course has changed since it was drawn.\n" in out


def test_a_folder_that_cannot_remember_is_told(call, root):
    courses.put(root, ".autograder", "no folder\n")
    code, out, err = call("1")
    assert code == 0
    assert out.endswith("then pixi run bug1\n")
    assert err.startswith("autograder: what is remembered cannot be read: .autograder/: ")
    before = file(root).read_bytes()
    code, out, err = call("1", "--new", "--yes")
    assert code == 1
    assert "autograder: steps/bug_1.py could not be kept in .autograder/ (" in err
    assert file(root).read_bytes() == before


# Unlucky files


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"def mean(:\n", "steps/bug_1.py cannot be judged: "),
        (b"x = '\xff'\n", "steps/bug_1.py cannot be judged: "),
        (b"", "spread is not there"),
        (b"raise ValueError('mine')\n", "ValueError: mine"),
        (b"import os\nos._exit(0)\n", "1 step was not tried: the code did not come back from this one."),
    ],
    ids=["no-python", "no-utf-8", "empty", "raises", "exits"],
)
def test_an_unlucky_file_gets_a_sentence(call, root, data, says):
    call("1")
    file(root).write_bytes(data)
    code, out, err = call("1")
    assert (code, err) == (1, "")
    assert says in out
    assert "Next: edit steps/bug_1.py, then pixi run bug1" in out
    assert file(root).read_bytes() == data
    assert call("1", "--new", "--yes")[0] == 0  # and there is a way out
    assert (root / ".autograder" / "bugs" / "bug_1.1.py").read_bytes() == data


def test_a_file_that_hangs_is_waited_for_once(call, root, monkeypatch):
    limits = Limits(load_s=1.0, call_s=1.0, cpu_s=1.0)
    monkeypatch.setattr("autograder.supervisor.calibrated", lambda _: limits)
    courses.put(root, "steps/bug_1.py", "while True:\n    pass\n")
    code, out, _ = call("1")
    assert code == 1
    assert "Step 01: The Mean\n❌ " in out
    assert "Step 02" not in out
    assert "1 step was not tried" in out


def test_a_folder_in_its_place_gets_a_sentence(call, root):
    file(root).mkdir(parents=True)
    code, out, err = call("1")
    assert (code, err) == (1, "")
    assert "❌ steps/bug_1.py cannot be judged: steps/bug_1.py is a folder\n" in out
    code, out, err = call("1", "--new", "--yes")
    assert (code, out) == (1, "")
    assert err.startswith("autograder: steps/bug_1.py could not be read (")


def test_what_the_code_prints_is_shown(call, root):
    courses.put(root, "steps/bug_1.py", "print('mine')\n")
    assert "Your code printed 5 bytes:\n│ mine\n" in call("1")[1]


def test_a_fault_of_the_course_is_no_loss_of_the_learners(call, root):
    call("1")
    checker = SPREAD_CHECKER.replace("pstdev(numbers)", "pstdev(nothing)")
    courses.put(root, "tests/steps/spread.py", checker)
    code, out, _ = call("1")
    assert code == 3
    assert "the course itself is at fault, not your code" in out
    assert out.endswith("Next: pixi run doctor\n")


# Parts


def test_a_part_is_named_by_its_number(call, root):
    titles = courses.toml({"mean": "The Mean", "spread": "The Spread"}) + '\n[parts."II. More"]\nlater = "Later"\n'
    courses.put(root, "course.toml", titles)
    for name in ("2", "bug2", "Bug_2"):
        says = 'autograder: part 2, "II. More", is not whole yet: step 03 is planned\n'
        assert call(name) == (2, "", says)
    for name in ("3", "two", ""):
        assert call(name) == (2, "", f'autograder: there is no part "{name}" to find a mistake in: there is 1\n')
    (root / "puzzles" / "mean.py").unlink()
    says = "autograder: no part of the course is whole yet: there is nothing to hide a mistake in\n"
    assert call("1") == (2, "", says)
    assert call() == (2, "", says)


def test_a_part_without_a_fair_mistake_says_so(call, root):
    only(root, "an-exception")
    code, _, err = call("1")
    assert code == 1
    assert err == (
        "autograder: with none of the 1 mistakes that were tried, steps 01 to 02 run and give wrong numbers: nothing "
        "was written. pixi run bug1 --new tries others\n"
    )
    assert not file(root).exists()


def test_steps_that_hide_each_other_cannot_stand_in_one_file(root):
    courses.put(root, "puzzles/spread.py", SPREAD.replace("def spread", "mean = 1\n\n\ndef spread"))
    course = loading.load(root)
    with pytest.raises(CourseError, match=r"^puzzles/spread\.py: defines mean, as step 01 does: in one file, "):
        assembly.text(course, course.steps, assembly.finished(course, course.steps), "Both.")


def test_a_whole_part_has_its_task_and_its_command(root, monkeypatch):
    course = loading.load(root)
    assert list(course.ready_parts()) == [1]
    says = "Find the one mistake in the finished steps of part 1"
    line = f'bug1 = {{ cmd = "python -m autograder bug 1", description = "{says}" }}'
    assert tables.tasks([], [1]) == [line]
    assert tables.scripts([], [1]) == ['bug1 = "autograder.entry:bug1"']
    seen = []
    monkeypatch.setattr("autograder.__main__.main", lambda argv: seen.append(argv) or 0)
    monkeypatch.setattr("sys.argv", ["bug1", "--all"])
    assert entry.bug1() == 0
    assert seen == [["bug", "bug1", "--all"]]
    with pytest.raises(AttributeError):
        _ = entry.bug  # of no part


def test_other_verbs_do_not_stumble_over_the_file(call, root, capsys):
    call("1")
    assert list((root / "steps").iterdir()) == [file(root)]
    assert entrance.main(["progress"]) == 0
    out, err = capsys.readouterr()
    assert "bug" not in out
    assert err == ""


def only(root, name):
    """Leave one mistake of the course to be drawn."""
    for slug in ("mean", "spread"):
        path = root / "tests" / "steps" / f"{slug}.py"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith("mistake") or f'"{name}"' in line))


def seed_of(root, name):
    """Return the two halves of a seed that gives this mistake first."""
    for number in range(1000):
        halves = f"{number:04x}", "91c2"
        if next(suspects(root).ordered("".join(halves))).mistake.name == name:
            return halves
    raise AssertionError(name)


class _Broken:
    """A nursery that can start nothing, as that of a server whose ancestors are gone."""

    on_wait = None

    def worker(self, *_):
        raise InternalError("no worker could be started")


@pytest.mark.parametrize("new", [True, False])
def test_a_server_that_can_start_no_worker_leaves_the_hunt_to_the_client(root, call, capsys, new):
    call()
    before = file(root).read_text(encoding="utf-8")
    words = []
    broken = client.Warmth(_Broken(), Limits(), say=words.append)
    capsys.readouterr()
    with pytest.raises(client.Cold):
        bug.bug("1", new=new, show_all=False, yes=True, warmth=broken)
    out, err = capsys.readouterr()
    assert (out.count("\n"), err, words) == (1, "", ["announced"])
    assert file(root).read_text(encoding="utf-8") == before
