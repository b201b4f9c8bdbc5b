"""A class's bundle: checks in it say what they say where the course is made, and no finished code is come upon."""

import ast
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import courses
import pytest

from autograder import bundle, checking, cli, generate, pack, played
from autograder import course as loading
from autograder.judge import Order, judge
from autograder.views import document

ROOT = Path(__file__).resolve().parents[2]
SEED = "91c2"
IS_A_BUNDLE = "autograder: this is a class's bundle, and "
OTHERS = (
    ["generate"],
    ["record"],
    ["verify"],
    ["new", "x", "--after", "mean", "--title", "X"],
    ["new-course", "own"],
    ["report"],
)
OTHERS += (["bundle", "other.zip"],)
# The engine is made of these too: whoever searches for the line learns nothing about a step.
NO_ANSWERS = {"from dataclasses import dataclass"}


def within(root, *argv):
    """Run `python -m autograder …` in a bundle, with its own engine and nothing of ours."""
    left_out = ("GITHUB_", "PYTHON", "PIXIW", "INIT_CWD")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return subprocess.run(
        [sys.executable, "-m", "autograder", *argv], cwd=root, env=environment | {"PYTHONUTF8": "1"},
        capture_output=True, text=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def small(root, **files):
    """Lay a course of one step in ``root``, ready to be bundled."""
    courses.one_step(root, **files)
    courses.put(root, "puzzles/recorded/mean.failed.txt", "❌ no\n")
    courses.put(root, "puzzles/recorded/mean.passed.txt", "✅ yes\n")
    courses.put(root, "pixi.toml", "[tasks]\n# BEGIN GENERATED: steps\n# END GENERATED: steps\n")
    courses.put(root, "pyproject.toml", "[project.scripts]\n# BEGIN GENERATED: steps\n# END GENERATED: steps\n")
    course = loading.load(root)
    generate.write(course, generate.plan(course))
    return root


def unzipped(data, where):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(where)
    (only,) = where.iterdir()
    return only


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Return a function that runs a verb in this process, in the course's root: exit code, output, errors."""

    def called(*argv, root=tmp_path):
        monkeypatch.chdir(root)
        code = cli.run(list(argv))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return called


@pytest.fixture(scope="module")
def made(course):
    """The real course's bundle."""
    steps = [step for step in course.steps if not course.is_planned(step)]
    return bundle.zipped(bundle.folder(course), bundle.contents(course, steps))


@pytest.fixture(scope="module")
def real(made, tmp_path_factory):
    return unzipped(made, tmp_path_factory.mktemp("real"))


# ------------------------------------------------------------------------------------------------ the verb, and a check


def test_the_verb_makes_a_zip_of_one_folder_in_which_a_stub_fails_and_a_solution_passes(call, tmp_path):
    root = small(tmp_path / "course")
    code, out, err = call("bundle", "../class.zip", root=root)
    assert (code, err) == (0, "")
    first, following = out.splitlines()
    assert re.fullmatch(r"wrote \.\./class\.zip: 1 step in the folder c/, \d\.\d MB", first)
    assert following == "Next: give it to your class. Whoever unzips it runs ./pixiw run s01 in c/"
    there = unzipped((tmp_path / "class.zip").read_bytes(), tmp_path / "there")
    assert there.name == "c"
    done = within(there, "check", "s01")
    assert done.returncode == 1
    assert "❌ mean does not give the mean" in done.stdout
    (there / "steps" / "step_01.py").write_bytes((root / "solutions" / "step_01.py").read_bytes())
    done = within(there, "check", "s01")
    assert (done.returncode, done.stderr) == (0, "")
    assert "✅ mean gives the mean" in done.stdout


def test_an_edited_step_of_the_instructors_is_an_untouched_stub_in_the_bundle(tmp_path):
    root = small(tmp_path)
    stub = (root / "steps" / "step_01.py").read_bytes()
    courses.put(root, "steps/step_01.py", "mine = 1\n")
    course = loading.load(root)
    bundle.write(course, tmp_path / "class.zip", "class.zip", yes=False)
    with zipfile.ZipFile(tmp_path / "class.zip") as archive:
        assert archive.read("c/steps/step_01.py") == stub


def finished(slug, course):
    return generate.make(course, course.find(slug)).solution.replace("from solutions.", "from steps.")


def stub(slug, course):
    return generate.make(course, course.find(slug)).stub


def mistaken(slug, course):
    checker = checking.of_step(course, course.find(slug))
    return played.text(course, course.find(slug), checker.mistakes[0].other, checker.path)


CASES = {
    "a stub": ("config", {"config": stub}),
    "a solution": ("config", {"config": finished}),
    "a known mistake": ("layer_norm", {"layer_norm": mistaken}),
    "a chain": ("mlp", {"config": finished, "mlp": finished}),
    "a chain that is blocked": ("mlp", {"config": stub, "mlp": finished}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_check_reports_what_it_reports_where_the_course_is_made(name, real, course, nursery, tmp_path):
    slug, desk = CASES[name]
    step = course.find(slug)
    for other, text in desk.items():
        for folder in (real, tmp_path):
            courses.put(folder, f"steps/{course.find(other).name}.py", text(other, course))
    for folder in ("puzzles", "tests/steps"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    courses.put(tmp_path, "steps/.generated.json", (ROOT / "steps" / ".generated.json").read_text(encoding="utf-8"))
    theirs = judge(course._replace(root=tmp_path), Order(step, seed=SEED), nursery)
    done = within(real, "check", step.task, "--json", "--seed", SEED)
    assert done.stderr == ""
    got, expected = json.loads(done.stdout), json.loads(document.encode(theirs))
    for report in (got, expected):
        del report["timing"], report["next"]  # the latter goes by what has passed before
    assert got == expected
    outcome = {"a stub": "failed", "a known mistake": "failed", "a chain that is blocked": "blocked"}
    assert got["outcome"] == outcome.get(name, "passed")
    if name == "a known mistake":
        assert [check["mistake"] for check in got["checks"] if check["mistake"]] != []


def test_the_verbs_around_a_check_work(real, course):
    step = course.find("causal_mask")
    path = real / "steps" / f"{step.name}.py"
    as_given = path.read_bytes()
    for slug in ("config", "causal_mask"):
        courses.put(real, f"steps/{course.find(slug).name}.py", finished(slug, course))
    done = within(real, "check", step.task, "--payoff")
    assert done.returncode == 0
    assert "with your own code" in done.stderr
    assert "did not come to its end" not in done.stderr
    mine = path.read_bytes()
    assert within(real, "reset", step.task, "--yes").returncode == 0
    assert path.read_bytes() == as_given
    assert within(real, "undo", step.task).returncode == 0
    assert path.read_bytes() == mine
    assert "13 passed, 5 planned" in within(real, "progress").stdout
    assert "kept by reset; the file as it is now" in within(real, "history", step.task).stdout
    for number in range(1, 5):
        assert f"Hint {number}/4" in within(real, "hint", step.task).stdout
    over = within(real, "hint", step.task).stdout  # its last line does not send to a solution
    assert over.splitlines()[-1] == f"Next: pixi run {step.task}"


def test_doctor_finds_nothing_wrong_and_a_missing_step_comes_back(real, course):
    done = within(real, "doctor")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Nothing is wrong.")
    path = real / "steps" / f"{course.find('model').name}.py"
    path.unlink()
    done = within(real, "doctor")
    assert done.returncode == 1
    assert "mend it: pixi run reset s10" in done.stdout
    assert within(real, "reset", "s10").returncode == 0
    assert path.is_file()


# ------------------------------------------------------------------------------------------------------ what is in it


def test_no_line_of_a_solution_is_in_any_text_of_the_bundle(made, course):
    answers = set()
    for step in course.steps:
        if course.is_planned(step):
            continue
        inside = False
        for line in map(str.strip, course.read(course.puzzle(step)).splitlines()):
            if line in ("# BEGIN SOLUTION", "# END SOLUTION"):
                inside = line == "# BEGIN SOLUTION"
            elif inside and not line.startswith("# STUB:") and len(line) > 25:
                answers.add(line)
    answers -= NO_ANSWERS
    assert len(answers) > 50
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8", "replace")
            assert [(name, answer) for answer in answers if answer in text] == []


def test_what_spoils_a_step_is_not_in_it_and_nothing_that_git_does_not_keep(made):
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        names = [name.split("/") for name in archive.namelist()]
    assert {parts[0] for parts in names} == {"gpt2-puzzles"}
    folders = {folder for parts in names for folder in parts[:-1]}
    assert (
        folders & {"puzzles", "solutions", "tests", "gate", "templates", "__pycache__", ".autograder", ".git"} == set()
    )
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert {"/".join(parts[1:]) for parts in names} - set(tracked) == {pack.PATH.as_posix()}


def test_the_pack_has_what_a_check_reads(real, course):
    texts = pack.unpacked(real / pack.PATH)
    for step in course.steps:
        if not course.is_planned(step):
            for path in (course.puzzle(step), course.text(step), course.checker(step)):
                assert texts[path.relative_to(ROOT).as_posix()] == path.read_text(encoding="utf-8")
            assert f"puzzles/recorded/{step.slug}.mistakes.json" in texts


def test_the_same_course_gives_the_same_bytes_and_pixiw_may_be_run(made, course):
    steps = [step for step in course.steps if not course.is_planned(step)]
    is_same = bundle.zipped(bundle.folder(course), bundle.contents(course, steps)) == made
    assert is_same  # and not the two themselves: pytest would look for the difference for minutes
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert [entry.filename for entry in archive.infolist()] == sorted(archive.namelist())
        runnable = [entry.filename for entry in archive.infolist() if entry.external_attr >> 16 & 0o111]
    assert runnable == ["gpt2-puzzles/pixiw"]


def test_without_git_the_same_files_are_there_and_no_cache(made, course, monkeypatch):
    monkeypatch.setattr(bundle.subprocess, "run", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError("git")))
    steps = [step for step in course.steps if not course.is_planned(step)]
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        there = {name.partition("/")[2] for name in archive.namelist()}
    assert there - set(bundle.contents(course, steps)) == set()
    assert [name for name in bundle.contents(course, steps) if "__pycache__" in name] == []


def test_the_engine_imports_nothing_that_is_not_there_but_for_the_instructors_verbs(real):
    missing = set()
    for path in (real / "autograder").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "autograder":
                for alias in node.names:
                    for name in (node.module, f"{node.module}.{alias.name}"):
                        own = ROOT / name.replace(".", "/")
                        there = real / name.replace(".", "/")
                        if (own.is_dir() and not there.is_dir()) or (
                            own.with_suffix(".py").is_file() and not there.with_suffix(".py").is_file()
                        ):
                            missing.add((path.name, name.split(".")[1]))
    assert missing == {("cli.py", name) for name in ("adding", "bundle", "founding", "gate", "record")}


def test_its_set_up_names_what_is_there(real):
    pixi = tomllib.loads((real / "pixi.toml").read_text(encoding="utf-8"))
    assert "feature" not in pixi
    assert set(pixi["environments"]) == {"default"}
    for task in pixi["tasks"].values():
        words = task["cmd"].split()
        assert words[1:3] == ["-m", "autograder"] or (real / words[1]).is_file()
    assert set(pixi["tasks"]) & {"generate", "record", "verify", "bundle", "test"} == set()
    project = tomllib.loads((real / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]) == {"setuptools"}
    packages = {str(path.parent.relative_to(real)) for path in (real / "autograder").rglob("__init__.py")}
    assert set(project["tool"]["setuptools"]["packages"]) == {name.replace(os.sep, ".") for name in packages}
    for task in json.loads((real / ".vscode" / "tasks.json").read_text(encoding="utf-8"))["tasks"]:
        assert task["args"][1] in pixi["tasks"]
    for path in (real / "README.md", real / "AGENTS.md", *(real / "steps").glob("*.md")):
        text = re.sub("<!-- Generated .* -->", "", path.read_text(encoding="utf-8"))
        for name in re.findall(r"(?:pixi|pixiw) run ([\w-]+)", text):
            assert name in pixi["tasks"] or name == "NAME", path.name
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (path.parent / target).is_file(), target
    assert "With a maintainer" not in (real / "AGENTS.md").read_text(encoding="utf-8")


def test_pixiw_lists_its_tasks(real, tmp_path):
    done = subprocess.run(
        [sys.executable, "pixiw"], cwd=real, env=os.environ | {"PATH": str(tmp_path), "PYTHONUTF8": "1"},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Step 01: Create Model Configuration" in done.stdout


# -------------------------------------------------------------------------------------------------- what it is not for


@pytest.mark.parametrize("argv", OTHERS, ids=lambda argv: argv[0])
def test_an_instructors_verb_in_a_bundle_is_one_sentence(real, argv):
    done = within(real, *argv)
    says = f"{IS_A_BUNDLE}what this verb works on is not in it: run it where the course is made\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", says)


@pytest.mark.parametrize(
    ("argv", "instead"),
    [
        (["check", "s01", "--tree", "solutions"], "leave --tree out to check your own"),
        (["solution", "s01", "--yes"], "pixi run hint s01 gives a hint"),
    ],
)
def test_finished_code_is_not_in_a_bundle(real, argv, instead):
    done = within(real, *argv)
    says = f"{IS_A_BUNDLE}finished code is not in it: {instead}\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", says)


def test_the_finished_gpt2_does_not_talk_in_a_bundle(real):
    command = [sys.executable, "gpt2.py", "--tree", "solutions", "The"]
    done = subprocess.run(command, cwd=real, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert (
        done.stderr
        == "gpt2: this is a class's bundle, and finished code is not in it: leave --tree out to hear your own\n"
    )


def test_a_damaged_pack_is_named(tmp_path):
    course = loading.load(small(tmp_path / "course"))
    there = unzipped(bundle.zipped("c", bundle.contents(course, list(course.steps))), tmp_path / "there")
    (there / pack.PATH).write_bytes(b"cut off")
    done = within(there, "check", "s01")
    says = "autograder: autograder/course.pack: is damaged: unzip the class's bundle again, and keep your steps/\n"
    assert (done.returncode, done.stderr) == (3, says)


# ---------------------------------------------------------------------------------------------------------- bad input


def is_nothing_written(root):
    return not [path for path in root.rglob("*") if path.suffix in (".zip", ".tmp")]


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("class", 'a bundle is a zip, and "class" does not end in .zip: name it, as in class.zip'),
        ("none/class.zip", "the folder of none/class.zip is not there: make it first, or name another"),
    ],
)
def test_a_place_that_can_be_none_is_wrong_usage(call, tmp_path, out, says):
    root = small(tmp_path)
    assert call("bundle", out, root=root) == (2, "", f"autograder: {says}\n")
    assert is_nothing_written(root)


def test_a_folder_of_that_name_is_left_alone(call, tmp_path):
    (small(tmp_path) / "class.zip").mkdir()
    says = "class.zip is a folder: name a file that is not there yet"
    assert call("bundle", "class.zip") == (2, "", f"autograder: {says}\n")


def test_a_file_that_is_there_is_written_over_only_when_told(call, tmp_path):
    old = courses.put(small(tmp_path), "class.zip", "mine\n")
    code, out, err = call("bundle", "class.zip")
    assert (code, out) == (2, "")
    assert err.startswith('autograder: "class.zip is there already. Write over it?" is asked first')
    assert old.read_text(encoding="utf-8") == "mine\n"
    assert call("bundle", "class.zip", "--yes")[0] == 0
    assert zipfile.is_zipfile(old)


def test_what_is_not_fresh_has_to_be_generated_first(call, tmp_path):
    root = small(tmp_path)
    courses.put(root, "puzzles/mean.py", courses.MEAN.replace("the mean   [2 lines]", "a mean   [2 lines]"))
    code, out, err = call("bundle", "class.zip")
    assert (code, out) == (1, "")
    says = "autograder: steps/step_01.py is not the stub that puzzles/mean.py gives, and so with 2 more: "
    assert err == f"{says}run pixi run generate first\n"
    assert is_nothing_written(root)


def test_a_broken_puzzle_is_named(call, tmp_path):
    root = small(tmp_path)
    courses.put(root, "puzzles/mean.py", courses.MEAN.replace("    # END SOLUTION\n", ""))
    code, out, err = call("bundle", "class.zip")
    assert (code, out) == (3, "")
    assert err.startswith("autograder: puzzles/mean.py:")
    assert err.count("\n") == 1
    assert is_nothing_written(root)


@pytest.mark.parametrize("checker", ["raise ValueError('no')\n", None])
def test_a_broken_checker_is_named(call, tmp_path, checker):
    root = small(tmp_path)
    if checker is None:
        (root / "tests" / "steps" / "mean.py").unlink()
    else:
        courses.put(root, "tests/steps/mean.py", checker)
    code, out, err = call("bundle", "class.zip")
    assert (code, out) == (3, "")
    assert "tests/steps/mean.py" in err
    assert err.count("\n") == 1
    assert is_nothing_written(root)


def test_a_course_without_a_step_that_is_written_gives_nothing(call, tmp_path):
    courses.put(tmp_path, "course.toml", courses.toml({"mean": "The Mean"}))
    says = "no step of the course has a puzzle yet, so there is nothing to give out: write puzzles/mean.py first"
    assert call("bundle", "class.zip") == (1, "", f"autograder: {says}\n")


def test_a_disk_that_is_full_leaves_nothing_half_written(call, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    root = small(tmp_path)
    monkeypatch.setattr(Path, "replace", full)
    says = "class.zip could not be written: No space left on device"
    assert call("bundle", "class.zip") == (1, "", f"autograder: {says}\n")
    assert is_nothing_written(root)
