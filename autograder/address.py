"""Where the warm server of a checkout is to be found, what may be said there, and to whom it belongs.

One socket a checkout and user, in a folder that only that user can open. Imports next to nothing: a check begins here.
"""

from __future__ import annotations

import os
import stat
import sys
import zlib

HAS_SERVERS = hasattr(os, "fork") and sys.platform != "win32"
# For a process that is there to be forked: torch's memory in large pages, which are quicker to copy the tables of.
FORKS_QUICKLY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"} if sys.platform == "linux" else {}
# Between a server and a judge that was forked ahead of its request: it has made a check; it is to make it again.
READY, AGAIN = b"r", b"a"
_LONGEST = 100  # bytes of a socket's path, whose last ones are ".sock" or ".new": macOS has room for 103
_VERSION = "1"
_SIZE_DIGITS = 7


class Request:
    """What is asked of a server, and all that the answer depends on in the process that asks.

    No NamedTuple: typing takes 6 ms to import.
    """

    def __init__(
        self,
        verb: str,
        python: str,
        root: str,
        folder: str,
        started: str,
        encodings: str,
        argv: tuple[str, ...] = (),
        environment: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Take what is asked.

        Args:
            verb: check, bug, status or stop.
            python: as `python` gives it.
            root: the course's.
            folder: where the user stands.
            started: on the system's monotonic clock.
            encodings: of standard output and standard error, with how each treats what it cannot write.
            argv: the arguments after the verb.
            environment: the names and values of the client's.
        """
        self.verb = verb
        self.python = python
        self.root = root
        self.folder = folder
        self.started = started
        self.encodings = encodings
        self.argv = argv
        self.environment = environment

    def is_of_the_same_check_as(self, other: Request) -> bool:
        """Return whether both ask for the same in the same place, whenever and on whichever terminal."""
        mine, its = vars(self) | {"started": "", "encodings": ""}, vars(other) | {"started": "", "encodings": ""}
        return mine == its

    def encode(self) -> bytes:
        """Return it as bytes, which begin with how many there are: nothing in it can hold a NUL."""
        pairs = [text for pair in self.environment for text in pair]
        single = (self.verb, self.python, self.root, self.folder, self.started, self.encodings)
        texts = [_VERSION, *single, str(len(self.argv)), *self.argv, *pairs]
        body = b"\0".join(map(os.fsencode, texts))
        return b"%d\n%b" % (len(body), body)


def read(heard: bytes) -> Request | None:
    """Return the request of all that was heard so far; None while it is not whole.

    Errors: ValueError, when it is no request, or one of another version.
    """
    size, newline, body = heard.partition(b"\n")
    if not newline and len(size) < _SIZE_DIGITS:
        return None
    if not size.isdigit() or len(size) > _SIZE_DIGITS:
        raise ValueError("a request begins with its size")
    if len(body) < int(size):
        return None
    request = _decode(body)
    if request is None:
        raise ValueError("a request of another version")
    return request


def _decode(data: bytes) -> Request | None:
    """Return the request of a body; None when it is of another version, or no request."""
    texts = [os.fsdecode(text) for text in data.split(b"\0")]
    if len(texts) < 8 or texts[0] != _VERSION or not texts[7].isdigit():
        return None
    rest = texts[8:]
    argv, pairs = rest[: int(texts[7])], rest[int(texts[7]) :]
    if len(pairs) % 2:
        return None
    verb, python_, root, folder, started, encodings = texts[1:7]
    environment = tuple(zip(pairs[::2], pairs[1::2], strict=True))
    return Request(verb, python_, root, folder, started, encodings, tuple(argv), environment)


def python() -> str:
    """Return which Python this is, and of which environment."""
    return f"{sys.executable} {sys.version} {sys.prefix} {os.environ.get('PYTHONPATH', '')}"


def socket_path(root: str) -> str | None:
    """Return the path of a checkout's socket; None where it would be too long for one."""
    folder = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - see `is_ours`
    path = f"{folder.rstrip('/')}/autograder-{os.geteuid()}/{zlib.crc32(os.fsencode(root)):08x}.sock"
    return path if len(os.fsencode(path)) <= _LONGEST else None


def lock_path(path: str) -> str:
    """Return the path of what a server holds locked as long as it lives, from its socket's."""
    return f"{path.removesuffix('.sock')}.lock"


def is_ours(path: str) -> bool:
    """Return whether a socket's folder is this user's, and closed to everyone else."""
    try:
        found = os.lstat(path.rpartition("/")[0])
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077


def is_wanted() -> bool:
    """Return whether a server may be used and left behind here: a machine that builds or tests wants neither."""
    return HAS_SERVERS and os.environ.get("CI", "").lower() in ("", "0", "false")
