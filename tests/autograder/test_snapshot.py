"""Whatever a check reads of a course is looked at when a check that was made ahead is asked for."""

import os
import sys
from pathlib import Path

import pytest

from autograder import course as courses
from autograder import snapshot
from autograder.judge import Order, judge
from autograder.supervisor import Limits

ROOT = Path(__file__).resolve().parents[2]
STEPS = [step for step in courses.load(ROOT).steps if not courses.load(ROOT).is_planned(step)]
opened = []
listens = []


def listen(event, arguments):
    if listens and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        opened.append(os.fsdecode(arguments[0]))


sys.addaudithook(listen)  # it stays as long as the process does


@pytest.fixture
def desk(tmp_path):
    for name in ("steps", "solutions", "puzzles", "tests/steps"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "config.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "course.toml").write_text("x = 1\n", encoding="utf-8")
    return tmp_path


def files(root):
    return snapshot.contents(root).files


@pytest.mark.parametrize("tree", ["steps", "solutions"])
@pytest.mark.parametrize("step", STEPS, ids=[step.slug for step in STEPS])
def test_a_check_reads_no_file_that_is_not_looked_at(nursery, step, tree):
    course = courses.load(ROOT)
    looked_at = {path for path, *_ in snapshot.times(ROOT)}
    opened.clear()
    listens.append(True)
    try:
        judge(course, Order(step, tree), nursery, Limits())
    finally:
        listens.clear()
    own = [Path(path) for path in opened if Path(path).is_absolute() and Path(path).is_relative_to(ROOT)]
    not_the_courses = (ROOT / "autograder", ROOT / "tests/autograder", ROOT / ".pixi", ROOT / ".venv")
    read = {str(path) for path in own if not any(path.is_relative_to(folder) for folder in not_the_courses)}
    assert str(course.stub(step, tree)) in read
    assert read <= looked_at


@pytest.mark.parametrize("name", ["course.toml", "steps/config.py", "solutions/config.py", "puzzles/config.py"])
@pytest.mark.parametrize("look", [snapshot.times, files])
def test_a_change_is_seen(desk, name, look):
    before = look(desk)
    assert look(desk) == before
    (desk / name).write_text("x = 12\n", encoding="utf-8")
    changed = look(desk)
    assert changed != before
    (desk / name).unlink()
    assert look(desk) not in (before, changed)


def test_the_same_size_and_time_are_not_the_same_contents(desk):
    path = desk / "steps/config.py"
    before, status = files(desk), path.stat()
    path.write_text("x = 2\n", encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert files(desk) != before


@pytest.mark.parametrize("look", [snapshot.times, files])
def test_a_file_that_comes_and_a_folder_that_goes_are_seen(desk, look):
    before = look(desk)
    (desk / "steps/conftest.py").write_text("", encoding="utf-8")
    assert look(desk) != before
    (desk / "steps").rename(desk / "gone")
    assert look(desk) != before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_is_no_ordinary_file_holds_nobody_up(desk):
    os.mkfifo(desk / "steps/pipe.py")
    (desk / "steps/folder.py").mkdir()
    (desk / "steps/nowhere.py").symlink_to(desk / "nothing")
    assert files(desk) == files(desk)
    assert snapshot.times(desk) == snapshot.times(desk)


def test_of_a_very_long_file_the_size_tells(desk):
    path = desk / "steps/config.py"
    path.write_bytes(b"#" * 3_000_000)
    before = files(desk)
    path.write_bytes(b"#" * 3_000_001)
    assert files(desk) != before


def test_what_has_not_changed_for_a_while_is_not_read_again(desk):
    path = str(desk / "steps/config.py")
    before = snapshot.contents(desk)
    assert path not in before.settled  # it was written just now: it may be written again in the same tick
    known = before.files[path][0]
    kept = before._replace(files=before.files | {path: (known, b"not read")}, settled=frozenset([path]))
    assert snapshot.contents(desk, kept).files == kept.files
    assert path in snapshot.contents(desk, kept).settled
    assert snapshot.contents(desk, kept._replace(settled=frozenset())).files == before.files
    Path(path).write_text("x = 3\n", encoding="utf-8")
    assert snapshot.contents(desk, kept).files[path][1] == b"x = 3\n"


def test_a_file_that_is_old_is_settled():
    assert str(ROOT / "course.toml") in snapshot.contents(ROOT).settled
