"""What is remembered of a learner: every line counts, damage costs a line, and a full disk costs no verdict."""

import errno
import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from autograder import archive, journal, memory
from autograder.memory import Memory, text_sha256

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="asks for POSIX's users, mounts or limits")


@pytest.fixture
def desk(tmp_path):
    return Memory(tmp_path)


def checked(desk, data=b"x = 1\n", outcome="failed", failed=("a",), slug="mask", **options):
    desk.remember_check(slug, data, outcome, list(failed), "91c2", **options)


def lines(desk, slug="mask"):
    return desk.journal(slug).read_bytes().splitlines()


def aged(desk):
    """Make every version old enough to be dropped."""
    before = time.time() - 2 * archive.YOUNG_S
    for path in desk.archive.folder.iterdir():
        os.utime(path, (before, before))


# Checks


def test_nothing_is_remembered_where_no_folder_is(desk, tmp_path):
    state = desk.state("mask")
    assert (state.attempts, state.last, state.passed_sha, state.passed_when, state.hints) == (0, None, None, None, 0)
    assert (desk.checks("mask"), desk.slugs(), desk.same_failure_count("mask"), desk.last_kept("mask")) == (
        [],
        [],
        0,
        None,
    )
    assert desk.troubles == []
    assert list(tmp_path.iterdir()) == []


def test_a_check_is_one_small_line_and_a_version(desk):
    checked(desk, b"x = 1\r\n", "failed", ["a", "b"], blocked_by=["config"])
    (entry,) = map(json.loads, lines(desk))
    when = entry.pop("when")
    assert entry == {
        "kind": "check",
        "sha256": hashlib.sha256(b"x = 1\r\n").hexdigest(),
        "text": hashlib.sha256(b"x = 1\n").hexdigest(),
        "outcome": "failed",
        "failed": ["a", "b"],
        "seed": "91c2",
        "blocked_by": ["config"],
    }
    assert abs(time.time() - time.mktime(time.strptime(when, "%Y-%m-%dT%H:%M:%SZ")) + time.timezone) < 60
    assert desk.version(entry["sha256"]) == b"x = 1\r\n"
    assert desk.checks("mask")[0].failed == ("a", "b")
    assert desk.slugs() == ["mask"]


def test_a_broken_course_and_an_unreadable_file_are_no_attempts(desk):
    for outcome in ("failed", "internal", "bad_input", "timeout", "blocked"):
        checked(desk, outcome=outcome)
    state = desk.state("mask")
    assert state.attempts == 3
    assert state.last.outcome == "blocked"
    assert len(desk.checks("mask")) == 5


def test_passed_is_said_of_a_text_whatever_its_newlines(desk):
    checked(desk, b"x = 2\n", "passed", [])
    checked(desk, b"x = 3\n")
    state = desk.state("mask")
    assert state.passed_sha == text_sha256(b"x = 2\n")
    assert state.passed_when is not None
    for same in (b"x = 2\n", b"x = 2\r\n", b"\xef\xbb\xbfx = 2\r"):
        assert state.verdict(text_sha256(same)).outcome == "passed"
    assert state.verdict(text_sha256(b"x = 3\n")).outcome == "failed"
    assert state.verdict(text_sha256(b"x = 4\n")) is None
    assert state.verdict(None) is None


def test_the_last_verdict_on_a_text_counts(desk):
    checked(desk, outcome="passed", failed=[])
    checked(desk, outcome="failed")  # another seed
    checked(desk, outcome="internal")
    assert desk.state("mask").verdict(text_sha256(b"x = 1\n")).outcome == "failed"


def test_the_same_failure_is_counted_by_changed_files(desk):
    counts = []
    for data, outcome, failed in (
        (b"1", "failed", ["a"]),
        (b"1", "failed", ["a"]),  # checked again, unchanged
        (b"2", "failed", ["a"]),
        (b"2", "internal", []),  # the course's fault: passes over
        (b"3", "failed", ["a"]),
        (b"4", "failed", ["a", "b"]),
        (b"5", "error", ["a", "b"]),
        (b"6", "error", ["a", "b"]),
        (b"7", "blocked", []),
        (b"8", "error", ["a", "b"]),
        (b"9", "passed", []),
    ):
        checked(desk, data, outcome, failed)
        counts.append(desk.same_failure_count("mask"))
    assert counts == [1, 1, 2, 2, 3, 1, 1, 2, 0, 1, 0]


def test_a_file_that_is_not_finished_yet_is_no_failure_to_count(desk):
    counts = []
    for data, unfinished in ((b"1", True), (b"2", True), (b"3", True), (b"4", False), (b"5", False), (b"6", True)):
        desk.remember_check("mask", data, "failed", ["a"], "91c2", unfinished=unfinished)
        counts.append(desk.same_failure_count("mask"))
    assert counts == [0, 0, 0, 1, 2, 0]
    assert [check.unfinished for check in desk.checks("mask")] == [True, True, True, False, False, True]


def test_hints_are_counted_to_the_last(desk):
    assert [desk.take_hint("mask", 3) for _ in range(5)] == [1, 2, 3, 3, 3]
    assert desk.state("mask").hints == 3
    assert len(lines(desk)) == 3
    assert desk.state("config").hints == 0


# Versions


def test_the_same_version_is_there_once(desk):
    for _ in range(3):
        checked(desk)
        checked(desk, slug="config")
    assert len(list(desk.archive.folder.iterdir())) == 1


def test_a_version_that_is_damaged_is_none(desk):
    sha256 = desk.keep("mask", b"mine", "reset")
    desk.archive.path(sha256).write_bytes(b"mine!")
    assert desk.version(sha256) is None
    assert desk.keep("mask", b"mine", "reset") == sha256
    assert desk.version(sha256) == b"mine"


def test_the_oldest_versions_go_and_the_newest_stay(desk, monkeypatch):
    monkeypatch.setattr(memory, "VERSIONS_PER_STEP", 3)
    for number in range(6):
        checked(desk, b"%d" % number)
        aged(desk)
    kept = [check for check in desk.checks("mask") if desk.version(check.sha256) is not None]
    assert len(desk.checks("mask")) == 6
    assert [desk.version(check.sha256) for check in kept] == [b"3", b"4", b"5"]


def test_the_versions_of_a_step_are_capped_by_size(desk, monkeypatch):
    monkeypatch.setattr(memory, "BYTES_PER_STEP", 100)
    monkeypatch.setattr(memory, "BYTES_PER_VERSION", 60)
    for number in range(3):
        checked(desk, b"%d" % number * 40)
        aged(desk)
    checked(desk, b"large" * 20)
    found = [desk.version(check.sha256) for check in desk.checks("mask")]
    assert found == [None, b"1" * 40, b"2" * 40, None]


def test_what_undo_or_another_step_needs_stays(desk, monkeypatch):
    monkeypatch.setattr(memory, "VERSIONS_PER_STEP", 1)
    checked(desk, b"shared", slug="config")
    checked(desk, b"shared")
    desk.keep("mask", b"before", "undo")
    desk.keep("mask", b"mine", "reset")
    for number in range(3):
        aged(desk)
        checked(desk, b"%d" % number)
    left = {path.read_bytes() for path in desk.archive.folder.iterdir()}
    assert left == {b"shared", b"mine", b"2"}


def test_a_version_that_was_kept_a_moment_ago_stays(desk, monkeypatch):
    monkeypatch.setattr(memory, "VERSIONS_PER_STEP", 1)
    for number in range(3):
        checked(desk, b"%d" % number)
    assert len(list(desk.archive.folder.iterdir())) == 3


# Damage

GOOD = b'{"kind":"hint","when":"2026-01-01T00:00:00Z","number":2}'
NEWER = b'{"kind":"of a later version","x":[1]}'


@pytest.mark.parametrize(
    "damage",
    [
        b"{",
        b"\0" * 40,
        b"\xff\xfe",
        b"[]",
        b"7",
        b"null",
        b'{"number":1}',
        b'{"kind":"hint"}',
        b'{"kind":"hint","number":true}',
        b'{"kind":"check","when":"x"}',
        GOOD + GOOD,
        b'{"kind":"reset","when":"x","text":"y","sha256":"../../../etc/passwd"}',
        b"[" * 100_000,
        b'{"kind":"hint","number":' + b"9" * 5000 + b"}",
    ],
)
def test_a_damaged_line_is_set_aside_and_every_good_one_kept(desk, damage):
    path = desk.journal("mask")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\n".join([GOOD, damage, NEWER, GOOD, b""]))
    assert desk.state("mask").hints == 2
    assert desk.troubles == [
        (
            ".autograder/steps/mask.jsonl was damaged: 1 line is unreadable, every other line counts, "
            "and it is set aside as .autograder/steps/mask.jsonl.damaged"
        )
    ]
    assert lines(desk) == [GOOD, NEWER, GOOD]
    assert path.with_name("mask.jsonl.damaged").read_bytes() == b"\n".join([GOOD, damage, NEWER, GOOD, b""])
    assert desk.state("mask").hints == 2
    assert len(desk.troubles) == 1
    assert desk.slugs() == ["mask"]


def test_files_that_are_set_aside_are_numbered(desk):
    path = desk.journal("mask")
    path.parent.mkdir(parents=True)
    for number in range(3):
        path.write_bytes(b"{%d\n!\n" % number)
        assert desk.checks("mask") == []
    assert "2 lines are unreadable" in desk.troubles[0]
    names = ["mask.jsonl.damaged", "mask.jsonl.damaged.2", "mask.jsonl.damaged.3"]
    assert sorted(found.name for found in path.parent.iterdir()) == names
    assert [path.with_name(name).read_bytes() for name in names] == [b"{0\n!\n", b"{1\n!\n", b"{2\n!\n"]


def test_a_torn_last_line_does_not_damage_the_next(desk):
    path = desk.journal("mask")
    path.parent.mkdir(parents=True)
    path.write_bytes(GOOD + b'\n{"kind":"che')
    checked(desk)
    assert len(desk.checks("mask")) == 1
    assert desk.state("mask").hints == 2
    assert len(desk.troubles) == 1


def test_a_damaged_file_that_cannot_be_set_aside_stays_and_counts(desk, monkeypatch):
    path = desk.journal("mask")
    path.parent.mkdir(parents=True)
    path.write_bytes(GOOD + b"\n!\n")

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal.os, "write", full)
    assert desk.state("mask").hints == 2
    assert desk.troubles == [
        (
            ".autograder/steps/mask.jsonl was damaged: 1 line is unreadable, every other line counts, "
            "and it could not be set aside (No space left on device)"
        )
    ]
    assert path.read_bytes() == GOOD + b"\n!\n"
    desk.journal("config").write_bytes(b"!\n")
    assert desk.state("config").hints == 0
    assert len(desk.troubles) == 2  # each file has its sentence


# Nothing can be written

CANNOT = """
import os, sys
from pathlib import Path
from autograder.memory import Memory
if hasattr(os, "setuid") and os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
desk = Memory(Path(sys.argv[1]))
desk.remember_check("mask", b"x", "failed", ["a"], "91c2")
desk.remember_check("mask", b"y", "failed", ["a"], "91c2")
print(desk.take_hint("mask", 3), desk.state("mask").attempts)
try:
    desk.keep("mask", b"mine", "reset")
except OSError as error:
    print(error.strerror)
print("\\n".join(desk.troubles))
"""


def told(root):
    done = subprocess.run(
        [sys.executable, "-c", CANNOT, str(root)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@POSIX
@pytest.mark.parametrize("there", [False, True], ids=["no folder", "a folder"])
def test_without_permission_one_sentence_says_so(there):
    with tempfile.TemporaryDirectory() as name:  # not tmp_path: nobody else may look into the folders above that
        root = Path(name)
        if there:
            checked(Memory(root), b"before")
        root.chmod(0o555)
        for folder in root.rglob("*"):
            folder.chmod(0o555)
        try:
            assert told(root) == [
                f"1 {int(there)}",
                "Permission denied",
                "nothing could be remembered of this: .autograder/: Permission denied",
            ]
        finally:
            for folder in [root, *root.rglob("*")]:
                folder.chmod(0o755)


def test_a_file_in_the_folders_place_is_told_once(desk, tmp_path):
    (tmp_path / ".autograder").write_text("a file")
    checked(desk)
    assert desk.take_hint("mask", 3) == 1
    assert desk.state("mask").attempts == 0
    assert desk.slugs() == []
    with pytest.raises(OSError):  # noqa: PT011 (which one differs from system to system)
        desk.keep("mask", b"mine", "reset")
    assert len(desk.troubles) == 1
    assert desk.troubles[0].startswith("nothing could be remembered of this: .autograder/: ")
    assert (tmp_path / ".autograder").read_text() == "a file"


@POSIX
def test_a_full_disk_costs_no_verdict_and_no_line(tmp_path):
    mount, umount = shutil.which("mount"), shutil.which("umount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if not mount or not umount or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount: the next test stands in for it")
    try:
        desk = Memory(tmp_path)
        checked(desk, b"small")
        while True:
            try:
                with (tmp_path / "filler").open("ab", buffering=0) as filler:
                    filler.write(b"x" * 512)
            except OSError:
                break
        before = lines(desk)
        for number in range(200):  # the page of the file has room for a few lines
            checked(desk, b"%d" % number * 1000)
        assert any("No space left on device" in trouble for trouble in desk.troubles)
        assert len(desk.troubles) == 1
        assert lines(desk)[:1] == before
        with pytest.raises(OSError, match="No space left on device"):
            desk.keep("mask", b"mine" * 5000, "reset")
        (tmp_path / "filler").unlink()
        again = Memory(tmp_path)
        checked(again, b"after")
        assert again.checks("mask")[-1].sha256 == hashlib.sha256(b"after").hexdigest()
        assert again.troubles == []  # no line was left in pieces
    finally:
        subprocess.run([umount, str(tmp_path)], check=True)


def test_a_line_that_was_written_in_part_is_taken_back(desk, monkeypatch):
    checked(desk)
    before = desk.journal("mask").read_bytes()
    write = os.write
    monkeypatch.setattr(journal.os, "write", lambda handle, data: write(handle, data[:20]))
    checked(desk, b"y = 2\n")
    assert desk.troubles == ["nothing could be remembered of this: .autograder/: No space left on device"]
    assert desk.journal("mask").read_bytes() == before


def test_a_version_that_cannot_be_kept_has_its_line(desk, monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "write_bytes", full)
    checked(desk)
    assert desk.troubles == ["this version of the file could not be kept: .autograder/: No space left on device"]
    assert desk.version(desk.checks("mask")[0].sha256) is None


# At the same time


def test_a_line_that_is_just_being_written_is_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "lines"
    path.write_bytes(b"1\n[2, ")

    def written_meanwhile(_):
        with path.open("ab") as file:
            file.write(b"3]\n")

    monkeypatch.setattr(journal.time, "sleep", written_meanwhile)
    assert journal.read(path, lambda entry: entry) == ([1, [2, 3]], 0)


def test_a_line_that_was_never_finished_is_damage(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"1\n[2, ")
    assert journal.read(path, lambda entry: entry) == ([1], 1)


def _remember(root, number):
    desk = Memory(root)
    for each in range(50):
        desk.remember_check("mask", b"%d" % (each % 7), "failed", [f"{number}.{each}"], "91c2")
    if desk.troubles:
        raise AssertionError(desk.troubles)


@POSIX
def test_processes_that_remember_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_remember, args=(tmp_path, number)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 8
    desk = Memory(tmp_path)
    found = [check.failed[0] for check in desk.checks("mask")]
    assert sorted(found) == sorted(f"{number}.{each}" for number in range(8) for each in range(50))
    for number in range(8):  # and each process's own in its order
        assert [name for name in found if name.startswith(f"{number}.")] == [f"{number}.{each}" for each in range(50)]
    assert desk.troubles == []
    assert len(list(desk.archive.folder.iterdir())) == 7
