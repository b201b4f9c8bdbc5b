"""A file that is saved is told of in that moment, once it is whole; where the system cannot tell, nothing is."""

import os
import select
import sys
import types

import pytest

from autograder import watch


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "steps"
    made.mkdir()
    return made


@pytest.fixture
def watched(folder):
    if sys.platform != "linux":
        pytest.skip("only Linux tells without a thread")
    made = watch.Watch()
    made.look_at(folder)
    yield made
    made.close()


def is_told(watched):
    told = bool(select.select([watched.number], [], [], 0)[0])
    watched.clear()
    return told


def test_a_file_is_told_of_once_it_is_whole(watched, folder):
    for _ in range(2):
        with (folder / "step_01.py").open("w") as file:
            file.write("half of it")
            file.flush()
            assert not is_told(watched)
        assert is_told(watched)
        assert not is_told(watched)


def test_a_file_that_takes_the_place_of_another_or_goes_is_told_of(watched, folder, tmp_path):
    (tmp_path / "new").write_text("all of it", encoding="utf-8")
    (tmp_path / "new").replace(folder / "step_01.py")
    assert is_told(watched)
    (folder / "step_01.py").unlink()
    assert is_told(watched)


def test_what_is_read_or_in_another_folder_is_not_told_of(watched, folder, tmp_path):
    (tmp_path / "elsewhere.py").write_text("", encoding="utf-8")
    list(folder.iterdir())
    assert not is_told(watched)


def test_another_folder_of_the_same_name_is_watched_once_it_is_looked_at(watched, folder):
    folder.rename(folder.with_name("before"))
    folder.mkdir()
    watched.look_at(folder)
    watched.clear()
    (folder / "step_01.py").write_text("", encoding="utf-8")
    assert is_told(watched)


@pytest.mark.parametrize("system", ["darwin", "linux"])
def test_where_the_system_cannot_tell_there_is_no_number(monkeypatch, folder, system):
    """Another system, or a user whose processes watch as much as one user may."""
    monkeypatch.setattr(watch, "sys", types.SimpleNamespace(platform=system))
    monkeypatch.setattr(watch.ctypes, "CDLL", lambda _: types.SimpleNamespace(inotify_init1=lambda _: -1))
    made = watch.Watch()
    assert made.number is None
    made.look_at(folder)
    made.clear()
    made.close()


def test_a_watch_that_is_closed_keeps_no_file_open(watched):
    number = watched.number
    watched.close()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(number)
