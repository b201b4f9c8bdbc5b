"""Asks the warm server for a verdict, and leaves one behind for the next. Imports next to nothing of the library.

Whatever goes wrong with a server, the answer is then a cold one: slower, and the same.
"""

from __future__ import annotations

import _socket  # and not `socket`, which is made of it, and takes half as long to import as Python to start
import os
import sys

from autograder import address
from autograder.root import find

_TAKEN_S = 2.0  # a server that lives takes a request in milliseconds, on a machine that is not busy
_BEAT_S = 5.0  # and gives a sign of life each second
_STREAMS = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))  # as the system takes them over


class Answer:
    """What came of asking: an exit code, or none; and whether the verb's first line is on the screen already."""

    def __init__(self, code: int | None, *, announced: bool = False, lost: bool = False) -> None:
        """Take them; `lost` is an answer that ended in the middle of its report."""
        self.code = code
        self.announced = announced
        self.lost = lost


def judged(verb: str, argv: list[str], started: float) -> Answer:
    """Have a check, or a hunt's, made by the server, which writes on our own terminal; no code when it has to be here.

    Args:
        verb: check or bug.
        argv: the arguments after it.
        started: when it was asked for, on the monotonic clock.
    """
    if "--cold" in argv or not _is_wanted():
        return Answer(None)
    request = _request(verb, str(started), tuple(argv), tuple(os.environ.items()))
    channel = _connected(request)
    if channel is None:
        return Answer(None)
    assert request is not None
    try:
        return _followed(channel) if _handed_over(request, channel) else Answer(None)
    finally:
        channel.close()


def ask(verb: str) -> list[str] | None:
    """Ask this checkout's server something else, and return the words of its answer; None when there is none."""
    request = _request(verb)
    channel = _connected(request)
    if channel is None or request is None:
        return None
    try:
        channel.settimeout(_BEAT_S)
        channel.sendall(request.encode())
        heard = b""
        while data := channel.recv(4096):
            heard += data
    except OSError:
        return None
    finally:
        channel.close()
    return heard.decode().split()


def is_between(root: str) -> bool:
    """Return whether a server of a checkout is there that nobody can ask: it is starting, or ending."""
    path = address.socket_path(root) if address.HAS_SERVERS else None
    if path is None or not address.is_ours(path):
        return False
    import fcntl

    try:
        with open(address.lock_path(path)) as lock:  # noqa: PTH123
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def leave_server(root: str, argv: list[str] | None = None) -> None:
    """Start a server that outlives us, unless one is wanted by nobody here, or there already.

    Args:
        root: of the course.
        argv: of the check that was made, which it is to know; None of another verb.
    """
    if not _is_wanted() or address.socket_path(root) is None:
        return
    request = _request("check", "", tuple(argv), tuple(os.environ.items())) if argv is not None else None
    import contextlib
    import subprocess

    engine = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    server = subprocess.Popen(
        [sys.executable, "-m", "autograder.server", root],
        cwd=engine,
        env={**os.environ, **address.FORKS_QUICKLY},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert server.stdin is not None
    with contextlib.suppress(OSError), server.stdin as stream:  # it may have ended: another was there
        stream.write(request.encode() if request else b"")


def _is_wanted() -> bool:
    """Return whether a server may be asked, and can be told where to write."""
    return address.is_wanted() and sys.stdout is not None and sys.stderr is not None


def _request(
    verb: str, started: str = "", argv: tuple[str, ...] = (), environment: tuple[tuple[str, str], ...] = ()
) -> address.Request | None:
    here = os.getcwd()  # noqa: PTH109
    root = find(os.environ.get("INIT_CWD") or here)
    if root is None:
        return None
    streams = ",".join(f"{stream.encoding},{stream.errors}" for stream in (sys.stdout, sys.stderr))
    return address.Request(verb, address.python(), root, here, started, streams, argv, environment)


def _connected(request: address.Request | None) -> _socket.socket | None:
    path = address.socket_path(request.root) if request and address.HAS_SERVERS else None
    if path is None or not address.is_ours(path):
        return None
    channel = _socket.socket(_socket.AF_UNIX)
    try:
        channel.settimeout(_TAKEN_S)
        channel.connect(path)
    except OSError:
        channel.close()
        return None
    return channel


def _handed_over(request: address.Request, channel: _socket.socket) -> bool:
    """Send a request, with our streams; return whether that could be done."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        data = request.encode()
        sent = channel.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, _STREAMS)])
        channel.sendall(data[sent:])
    except OSError:  # it ended just now; or one of the three is closed
        return False
    return True


def _went(channel: _socket.socket) -> bool:
    """Tell the server that we wait for it, so that none but it writes; return whether it is still there."""
    try:
        channel.sendall(b"go\n")
    except OSError:
        return False
    return True


def _followed(channel: _socket.socket) -> Answer:
    """Wait until the server has answered, is done for, or says that the answer has to be made here."""
    words: set[str] = set()
    heard = b""
    while True:
        try:
            channel.settimeout(_BEAT_S if words else _TAKEN_S)
            data = channel.recv(4096)
        except OSError:
            data = b""
        *lines, heard = (heard + data).split(b"\n")
        for line in lines:
            word, _, number = line.decode().partition(" ")
            words.add(word)
            if word == "exit":
                return Answer(int(number))
            if word == "taken" and not _went(channel):
                return Answer(None)
        if not data or "cold" in words:
            return Answer(None, announced="announced" in words, lost="writing" in words)
