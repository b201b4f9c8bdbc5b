"""The gate, on a course of one step about the mean: each thing that may be wrong is a sentence, with file and line."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import courses
import psutil
import pytest
from msgspec import structs

from autograder import cli, record
from autograder import course as loading
from autograder.gate import changed, line, mutation, telling
from autograder.nursery import CAN_FORK

ROOT = Path(__file__).resolve().parents[2]
FORKS = pytest.mark.skipif(not CAN_FORK, reason="this system has no fork")
WAYS = pytest.mark.parametrize("how", [pytest.param("forks", marks=FORKS), "starts anew"])


@pytest.fixture(autouse=True)
def warm(monkeypatch, nursery):
    """Let the gate, in this process, share the session's warm ancestors."""
    monkeypatch.setattr(line, "Nursery", lambda: contextlib.nullcontext(nursery))


@pytest.fixture
def proved(tmp_path, capsys):
    """Return a function that runs the gate on the course, and returns its faults in words; `out` is what it printed."""

    def run(*rooms, **files):
        course = loading.load(courses.one_step(tmp_path, **files))
        work = line.tasks(course.steps, rooms or line.NAMES)
        proofs = telling.show(course, course.steps, work, line.prove(course, work, processes=1))
        run.out = capsys.readouterr().out
        return [str(fault) for proof in proofs["mean"] for fault in proof.faults]

    return run


def with_words(*more, checker=courses.MEAN_CHECKER):
    return checker + "\n" + "\n".join(more) + "\n"


def at(checker, text):
    """Return the line of the checker in which a text stands."""
    return f"tests/steps/mean.py:{checker[: checker.index(text)].count(chr(10)) + 1}"


def test_a_step_that_holds(proved, tmp_path, nursery, monkeypatch):
    monkeypatch.setattr("autograder.record.Nursery", lambda: contextlib.nullcontext(nursery))
    course = loading.load(courses.one_step(tmp_path))
    record.write(record.mistakes(course, course.steps))
    assert proved() == []
    first, last = proved.out.splitlines()
    assert first == (
        "✅ s01 mean: checks 1/1, the text's promises kept 4/4, mistakes named 2/2, variants accepted 1/1, "
        "generic mutants killed 11/11, seeds agreed 20/20, "
        "transcripts as kept 2/2, red when it is broken on purpose 1/1, "
        "checks that reject something 1/1"
    )
    assert last.startswith("1 of 1 steps hold, in ")


BROKEN = {
    "does not apply": (
        'mistake("gone", "averages", "x", "Says.")',
        'gone: "averages" does not stand in the finished code, where it has to stand once',
    ),
    "applies twice": (
        'mistake("twice", "total", "x", "Says.")',
        'twice: "total" stands 2 times in the finished code, where it has to stand once',
    ),
    "changes nothing": (
        'mistake("same", "len(numbers)", "len(numbers)", "Says.")',
        "same changes nothing: old and new are the same",
    ),
    "no Python": ('mistake("broken", "len(numbers)", "len(", "Says.")', "broken is no Python: "),
    "equivalent": (
        'mistake("harmless", "total / len(numbers)", "total / float(len(numbers))", "Says.")',
        "harmless is rejected by no check: it passes. Write a check in tests/steps/mean.py that sees it",
    ),
    "no other words": (
        'mistake("plus-one", "len(numbers)", "len(numbers) + 1", "Says.", again=[("sum(", "2 * sum(")])',
        "plus-one is told by its name in no other words than the solution's (its again)",
    ),
    "a variant that fails": (
        'variant("wrong", "sum(", "max(")',
        "the variant wrong does not pass: mean does not give the mean: got",
    ),
    "a variant that does not apply": ('variant("gone", "averages", "x")', 'gone: "averages" does not stand'),
    "no mutant": (
        'equivalent("sum(numbers)", "sum(tuple(numbers))", "Any order.")',
        "equivalent('sum(numbers)', …) is no mutant of the solution. Take it away",
    ),
    "an equivalent that is killed": (
        'equivalent("total / len(numbers)", "total * len(numbers)", "It is not.")',
        "what is declared equivalent is rejected by a check",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_declaration_that_is_wrong(proved, name):
    word, sentence = BROKEN[name]
    checker = with_words(word)
    rooms = {"mistake": ("mistakes",), "variant": ("variants",), "equivalent": ("mutants",)}[word.partition("(")[0]]
    (fault,) = proved(*rooms, checker=checker)
    assert fault.startswith(f"{at(checker, word)}: {sentence}"), fault


def test_two_mistakes_that_no_check_can_tell_apart(proved):
    word = 'mistake("sum-only", "total / len(numbers)", "1 * total", "Says.", again=[("/ len(numbers)", "")])'
    checker = with_words(word)
    faults = proved("mistakes", checker=checker)
    assert any(
        fault.startswith(f"{at(checker, word)}: no check can tell sum-only from sum-alone. ") for fault in faults
    )


def test_two_of_a_name_and_a_name_that_is_none(proved):
    word = 'variant("a-loop", "sum(", "sum(")'
    checker = with_words(word)
    (fault,) = proved("variants", checker=checker)
    assert fault.startswith(f"{at(checker, word)}: two variants are called a-loop")
    (fault,) = proved("mistakes", checker=with_words('mistake("No Name", "sum(", "max(", "Says.")'))
    assert 'a name is lower-case words with dashes, not "No Name"' in fault


def test_a_check_that_rejects_nothing(proved):
    idle = '@check(passed="yes", failed="no")\ndef idle(student):\n    student.mean([1.0])'
    checker = with_words(idle)
    (fault,) = [fault for fault in proved("mistakes", "mutants", checker=checker) if "idle" in fault]
    assert fault.startswith(
        f"{at(checker, idle)}: the check idle rejects no mistake and no mutant. Declare the mistake"
    )


def test_a_check_that_raises(proved):
    raising = '@check(passed="yes", failed="no")\ndef raising(student):\n    1 / (student.mean([2.0]) != 4.0)'
    checker = with_words(raising, 'mistake("doubled", "sum(", "2 * sum(", "Says.", again=[("total /", "2 * total /")])')
    faults = proved("mistakes", checker=checker)
    assert any("the check raising raises on doubled: mean.py:" in fault for fault in faults), faults


def test_a_check_that_lets_a_mutant_through(proved):
    checker = courses.MEAN_CHECKER.replace("equal(student.mean(numbers), fmean(numbers))", "student.mean(numbers)")
    faults = proved("mutants", checker=checker)
    puzzle = courses.MEAN
    number = puzzle[: puzzle.index("return total")].count("\n") + 1
    assert any(
        fault.startswith(
            f"puzzles/mean.py:{number}: a mutant passes every check: total / len(numbers) → total * len(numbers)"
        )
        for fault in faults
    ), faults


def test_a_line_that_no_check_reaches(proved):
    puzzle = courses.MEAN.replace("    total = sum", "    if not numbers:\n        return 0.0\n    total = sum")
    faults = proved("mutants", puzzle=puzzle)
    number = puzzle[: puzzle.index("return 0.0")].count("\n") + 1
    assert any(
        fault.startswith(f"puzzles/mean.py:{number}: no check reaches this line: return 0.0") for fault in faults
    )


def test_an_equivalent_is_listed_with_its_reason(proved):
    puzzle = courses.MEAN.replace("total / len(numbers)", "total / len(numbers) * 1")
    old, new = "total / len(numbers) * 1", "total / len(numbers)"
    word = f'equivalent("{old}", "{new}", "One times a number is the number.")'
    faults = proved("mutants", puzzle=puzzle, checker=with_words(word))
    assert not [fault for fault in faults if f"* 1 → {new}." in fault]
    assert f"   equivalent: {old} → {new}: One times a number is the number.\n" in proved.out


def test_a_hint_that_holds_a_line_of_the_solution(proved):
    text = courses.MEAN_TEXT.replace("`____ / ____`", "`return total/len(numbers)`")
    (fault,) = proved("words", text=text)
    number = text[: text.index("2. By how many")].count("\n") + 1
    assert fault == (
        f"puzzles/mean.md:{number}: this hint holds a line of the solution: return total / len(numbers). "
        "Blank what the learner has to find: ____"
    )


def test_a_command_a_step_and_a_link_that_do_not_exist(proved):
    text = courses.MEAN_TEXT.replace(
        "It is short.",
        "`pixi run nothing` after step {step:median}, [here](median.md) and [there](http://example.org).",
    )
    faults = proved("words", text=text)
    number = text[: text.index("`pixi run nothing`")].count("\n") + 1
    assert [fault.partition(". ")[0] for fault in faults] == [
        f"puzzles/mean.md:{number}: there is no command `pixi run nothing`",
        f"puzzles/mean.md:{number}: there is no step median",
        f"puzzles/mean.md:{number}: the link leads nowhere: median.md",
        f"puzzles/mean.md:{number}: the link is not https: http://example.org",
    ]


def test_a_section_that_is_missing(proved):
    (fault,) = proved("words", text=courses.MEAN_TEXT.replace("## Why a Mean?\n", ""))
    assert '"## Why …?" is missing, or stands too early. Put it after this line' in fault


def test_a_seed_that_disagrees(proved):
    checker = courses.MEAN_CHECKER.replace("(1, draw.integer(3, 6))", "(draw.integer(1, 2),)")
    faults = proved("seeds", checker=checker)
    assert any(
        ": sum-alone passes with the seed " in fault and fault.endswith("measure the tolerance again")
        for fault in faults
    )


def test_a_solution_that_fails_and_a_stub_that_passes(proved):
    faults = proved("checks", puzzle=courses.MEAN.replace("    total = sum(", "    total = 1 + sum("))
    assert len(faults) == 1
    assert faults[0].startswith("puzzles/mean.py: the solution does not pass: mean does not give the mean: got ")
    faults = proved(
        "checks",
        puzzle=courses.MEAN.replace(
            'STUB: raise NotImplementedError("step {step}: mean")', "STUB: return sum(numbers) / len(numbers)"
        ),
    )
    assert faults[0].startswith(
        "puzzles/mean.py: the untouched stub passes a check: mean gives the mean. Make the check"
    )
    faults = proved(
        "checks",
        puzzle=courses.MEAN.replace('STUB: raise NotImplementedError("step {step}: mean")', "STUB: return 1 / 0"),
    )
    assert "the untouched stub ends in error: " in faults[0]
    assert "Give its STUB lines a NotImplementedError, or a None" in faults[0]


def test_a_line_with_no_words_and_one_that_nothing_fills_in(proved):
    faults = proved("checks", checker=courses.MEAN_CHECKER.replace('"mean gives the mean"', '" "'))
    assert faults[0] == "tests/steps/mean.py: matches has an empty line. Give it passed and failed in words"
    faults = proved("checks", checker=courses.MEAN_CHECKER.replace("{got}", "{gto}"))
    assert faults[0].startswith(
        'tests/steps/mean.py: nothing fills in {gto} in "mean does not give the mean: got {gto}"'
    )


def test_a_checker_that_cannot_be_read_is_a_fault_of_each_proof(proved):
    (fault,) = proved("mistakes", checker="from autograder.checking import check\n\n1 / 0\n")
    assert fault.startswith("tests/steps/mean.py:3: the checker raises ZeroDivisionError: division by zero. Mend it")


def test_transcripts_that_are_not_what_a_learner_sees(proved, tmp_path, nursery, monkeypatch):
    faults = proved("transcripts")
    path, mend = "tests/course/transcripts/mean.txt", "pixi run record --mistakes mean keeps what is seen now"
    assert faults[0].startswith(f"{path}: what a learner sees of one-too-few is not what was kept. {mend}")
    monkeypatch.setattr("autograder.record.Nursery", lambda: contextlib.nullcontext(nursery))
    course = loading.load(courses.one_step(tmp_path))
    (written,) = record.write(record.mistakes(course, course.steps))
    assert "   likely    It is divided by one too few.\n" in written.read_text(encoding="utf-8")
    assert proved("transcripts") == []
    written.write_text(written.read_text(encoding="utf-8").replace("too few.", "too many."), encoding="utf-8")
    (fault,) = proved("transcripts")
    assert "what a learner sees of one-too-few is not what was kept" in fault
    fewer = courses.MEAN_CHECKER.replace('mistake("one-too-few"', 'mistake("another"')
    assert any("there is no mistake called one-too-few" in fault for fault in proved("transcripts", checker=fewer))


# ------------------------------------------------------------------------------------------------------ the gate itself


@pytest.mark.parametrize("word", ["equal", "the-run"])
def test_the_gate_is_red_when_the_judge_is_broken(proved, monkeypatch, word):
    """With a comparison that lets everything through, or a run that believes everything, mistakes are not rejected."""
    if word == "equal":
        monkeypatch.setattr("autograder.difference.exact", lambda *_: None)
    else:
        monkeypatch.setattr("autograder.run.Run._asked", lambda *_args: iter(()))
    faults = proved("mistakes")
    assert any("sum-alone is rejected by no check: it passes" in fault for fault in faults)


def test_verify_on_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("INIT_CWD", raising=False)
    monkeypatch.chdir(courses.one_step(tmp_path))
    assert cli.run(["verify", "mean", "--only", "words"]) == 0
    assert capsys.readouterr().out.startswith("✅ s01 mean: the text's promises kept 4/4\n1 of 1 steps hold, in ")
    assert cli.run(["verify", "--only", "nothing"]) == 2
    assert "there is no proof called nothing: there are checks, words, mistakes" in capsys.readouterr().err
    courses.one_step(tmp_path, text=courses.MEAN_TEXT.replace("## Hints", "## Help"))
    assert cli.run(["verify", "--only", "words"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "autograder: 1 to mend\n"
    assert "puzzles/mean.md" in captured.out


def test_two_processes_prove_what_one_does(tmp_path):
    course = loading.load(courses.one_step(tmp_path))
    work = line.tasks(course.steps, ("checks", "mutants"))
    alone, together = (
        {task: structs.replace(proof, seconds={}) for task, proof in line.prove(course, work, processes=count)}
        for count in (1, 2)
    )
    assert together == alone
    assert len(alone) == len(work) == 1 + 4


# ------------------------------------------------------------------------------------------------------------- mutants


def changes(code):
    return [mutant.change for mutant in mutation.mutants(code, set(range(1, 99))) if not mutant.reaches]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("y = a + b", "a + b → a - b"),
        ("y = a @ b", "a @ b → b @ a"),
        ("y = a / b", "a / b → a"),
        ("y = f(a, dim=1)", "f(a, dim=1) → f(a)"),
        ("y = f(a, b)", "f(a, b) → f(b, a)"),
        ("y = x.detach()", "x.detach() → x"),
        ("y = f(a)", "f(a) → a"),
        ("y = 3", "3 → 4"),
        ("y = 0.5", "0.5 → 0.505"),
        ("y = True", "True → False"),
        ("y = a < b", "a < b → a <= b"),
        ("y = a and b", "a and b → a or b"),
        ("y = -x", "-x → x"),
        ("y = x[1:]", "x[1:] → x"),
        ("y = x[0]", "x[0] → x"),
        ("y = a if b else c", "a if b else c → c"),
        ("x += 1", "x += 1 → x -= 1"),
        ("if a:\n    b()", "if a: … → if not a: …"),
        ("for a in b:\n    c()", "for a in b: … → for a in list(b)[1:]: …"),
        ("@d\ndef f(): pass", "@d … → def f(): …"),
        ("def f(x):\n    return g(x)", "return g(x) → return x"),
        ("f(x)", "f(x) → nothing"),
    ],
)
def test_a_mutant_of_each_kind_is_made(code, change):
    assert change in changes(code)


def test_texts_hints_and_messages_are_left_alone():
    code = 'def f(x: int = "a") -> 3:\n    """4"""\n    if x:\n        raise ValueError(f"{x + 5}")\n'
    assert changes(code) == [
        "if x: … → if not x: …",
        "if x: … → if False: …",
        "if x: … → if True: …",
        "raise ValueError(f'{x + 5}') → nothing",
    ]


def test_only_the_lines_that_are_asked_for_change_and_no_two_mutants_are_the_same():
    code = "a = 1 + 1\nb = 2\n"
    made = list(mutation.mutants(code, {1}))
    assert {mutant.line for mutant in made} == {1}
    assert len({mutant.text for mutant in made}) == len(made)
    assert all(mutant.text.endswith("b = 2") for mutant in made)


def test_the_gate_says_when_it_would_not_notice_a_broken_judge(proved):
    """Where each mistake raises, no comparison rejects it."""
    word = 'mistake("raises", "len(numbers)", "0", "Says.", again=[("total /", "1 / 0 /")])'
    checker = courses.MEAN_CHECKER.partition("again =")[0].partition("mistake(")[0] + word + "\n"
    (fault,) = proved("itself", checker=checker)
    assert fault == (
        "tests/steps/mean.py: with every comparison true, the gate is still green: no declared mistake depends on it. "
        "Declare a mistake that this alone rejects"
    )


# ------------------------------------------------------------------------------------------------------------- changed


@pytest.mark.parametrize(
    ("files", "slugs"),
    [
        (["puzzles/mask.py", "README.md"], ["mask"]),
        (["tests/steps/config.py", "puzzles/recorded/mask.failed.txt"], ["config", "mask"]),
        (["book/pictures/mask.svg", "tests/course/transcripts/mask.txt"], ["mask"]),
        (["autograder/run.py"], ["config", "mask"]),
        (["course.toml"], ["config", "mask"]),
        (["README.md", "steps/step_01.py"], []),
    ],
)
def test_a_change_touches_the_steps_of_its_files(tmp_path, files, slugs):
    course = loading.load(courses.make(tmp_path))
    ready = [step for step in course.steps if not course.is_planned(step)]
    assert [step.slug for step in changed.touched(files, ready)] == slugs


def test_git_says_what_changed(tmp_path, capsys, monkeypatch):
    root = courses.one_step(tmp_path)
    monkeypatch.delenv("INIT_CWD", raising=False)
    monkeypatch.chdir(root)
    assert cli.run(["verify", "--changed"]) == 2
    assert "--changed asks git what changed, and this is no git checkout with a commit" in capsys.readouterr().err
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    assert cli.run(["verify", "--changed", "--only", "words"]) == 0
    assert capsys.readouterr().out == "No step was touched.\n"
    (root / "puzzles" / "mean.md").write_text(courses.MEAN_TEXT + "\n", encoding="utf-8")
    assert cli.run(["verify", "--changed", "--only", "words"]) == 0
    assert capsys.readouterr().out.startswith("✅ s01 mean: the text's promises kept 4/4")


# -------------------------------------------------------------------------------------------------------------- report


def test_report_is_one_page_that_fetches_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("INIT_CWD", raising=False)
    leak = courses.MEAN_TEXT.replace("`____ / ____`", "`total / ____`")
    monkeypatch.chdir(courses.one_step(tmp_path, text=leak))
    course = loading.load(tmp_path)
    record.write(record.mistakes(course, course.steps))
    assert cli.run(["report", "--out", "page.html"]) == 0
    assert capsys.readouterr().out.endswith("wrote page.html\n")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|<img|@import|url\(", text)
    rows = dict(re.findall(r"<tr><td>([\w-]+)</td>(.*?)</tr>", text))
    assert rows["one-too-few"] == rows["sum-alone"] == '<td class="yes">✓</td>'
    assert re.fullmatch(r"<td>\d+ ms</td>", rows["matches"])  # the last table that has the check: its time
    assert rows["2"] == "<td>2</td><td>total /</td>"
    assert "<summary>one-too-few</summary><pre>" in text
    assert "likely    It is divided by one too few." in text


POOL = """
import os, sys, time
from pathlib import Path
from autograder import course as courses
from autograder.gate import line
from autograder.nursery import Nursery

if __name__ == "__main__":
    line.CAN_FORK = sys.argv[2] == "forks"
    course = courses.load(Path(sys.argv[1]))
    with Nursery() as nursery, line._pool(course, line.tasks(course.steps, ["words"]), 2, nursery) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize(
    "how",
    [pytest.param("forks", marks=FORKS), "starts anew"],
)
def test_the_gates_processes_end_when_it_is_killed(tmp_path, how):
    script = courses.put(tmp_path, "pool.py", POOL)
    command = [sys.executable, str(script), str(courses.one_step(tmp_path)), how]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as gate:
        one_of_them = int(gate.stdout.readline())
        started = psutil.Process(gate.pid).children(recursive=True)
        gate.kill()
        _, still_there = psutil.wait_procs(started, timeout=20)
    assert one_of_them in {process.pid for process in started}
    assert still_there == []


PROVEN = """
import sys
from pathlib import Path
from autograder import course as courses
from autograder.gate import line

if __name__ == "__main__":
    line.CAN_FORK = sys.argv[2] == "forks"
    course = courses.load(Path(sys.argv[1]))
    proofs = line.prove(course, line.tasks(course.steps, ["checks", "mistakes"]), processes=2)
    print(sum(not proof.faults for _, proof in proofs))
"""


@WAYS
def test_the_gates_processes_leave_no_folder(tmp_path, how):
    script = courses.put(tmp_path, "proven.py", PROVEN)
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, str(script), str(courses.one_step(tmp_path / "course")), how]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout, done.stderr) == ("2\n", "")
    assert list(folder.glob("autograder-*")) == []
