"""What goes to a worker arrives whole and in order, and holds nobody up."""

import os
import threading
import time
from io import FileIO

import pytest

from autograder.outbox import Outbox

LARGE = bytes(range(256)) * 20_000  # more than any pipe has room for


@pytest.fixture
def pipe():
    """Return a pipe's end to read from, and the outbox at its other end."""
    reads, writes = os.pipe()
    outbox = Outbox(FileIO(writes, "w"))
    with FileIO(reads, "r") as reader:
        yield reader, outbox
    outbox.close()


def received(reader, count):
    data = b""
    while len(data) < count:
        data += reader.read(count - len(data))
    return data


@pytest.mark.parametrize("frames", [[b"one", b"two"], [LARGE], [LARGE, b"small", LARGE, b"last"]], ids=len)
def test_frames_that_nobody_reads_yet_hold_nobody_up_and_arrive_in_order(pipe, frames):
    reader, outbox = pipe
    started = time.monotonic()
    for frame in frames:
        outbox.send(frame)
    assert time.monotonic() - started < 30
    assert received(reader, sum(map(len, frames))) == b"".join(frames)
    outbox.settle(30.0)
    assert not outbox.is_writing
    outbox.send(b"after")
    assert received(reader, 5) == b"after"


def test_a_small_frame_takes_no_thread(pipe):
    _, outbox = pipe
    before = threading.active_count()
    outbox.send(b"x" * 4096)
    assert threading.active_count() == before
    assert not outbox.is_writing


@pytest.mark.parametrize("frame", [b"small", LARGE], ids=["small", "large"])
def test_whoever_does_not_read_any_more_is_no_error(pipe, frame):
    reader, outbox = pipe
    reader.close()
    outbox.send(frame)
    outbox.settle(30.0)
    assert not outbox.is_writing


def test_one_that_is_closed_in_the_middle_of_a_frame_is_let_go_of(pipe):
    reader, outbox = pipe
    outbox.send(LARGE)
    assert outbox.is_writing
    reader.close()
    outbox.settle(30.0)
    assert not outbox.is_writing
    outbox.close()
    outbox.send(b"late")
