"""Python processes that have torch already: code runs as `python -W error -B -c CODE` runs it, but for the import."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COMMAND = [sys.executable, "-W", "error", "-B"]


class Done(NamedTuple):
    """How a process ended, and what it wrote."""

    code: int
    out: str
    error: str


class FreshPython:
    """One process that has imported torch, and forks itself for each run; where there is no fork, a process a run."""

    def __init__(self, process: subprocess.Popen[str] | None) -> None:
        self._process = process

    def run(self, code: str, folder: Path) -> Done:
        """Run code in a folder."""
        if self._process is None:
            done = subprocess.run(
                [*_COMMAND, "-c", code],
                cwd=folder,
                capture_output=True,
                encoding="utf-8",
                env=_environment(),
                check=False,
            )
            return Done(done.returncode, done.stdout, done.stderr)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([code, str(folder)]) + "\n")
        self._process.stdin.flush()
        return Done(*json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def started() -> Iterator[FreshPython]:
    """Give it, and end it."""
    if not hasattr(os, "fork"):
        yield FreshPython(None)
        return
    pipe = subprocess.PIPE
    command = [*_COMMAND, __file__]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8", env=_environment()) as process:
        yield FreshPython(process)
        assert process.stdin is not None
        process.stdin.close()


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONUTF8": "1"}


def _serve() -> None:
    """Be the process."""
    import torch  # noqa: F401 - what a run is to find

    sys.path[0] = ""  # as `-c` has it
    for line in sys.stdin:
        code, folder = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            child = os.fork()
            if child == 0:
                _be(code, folder, out.fileno(), error.fileno())
            _, status = os.waitpid(child, 0)
            written = []
            for stream in (out, error):
                stream.seek(0)
                written.append(stream.read().decode())
        print(json.dumps([os.waitstatus_to_exitcode(status), *written]), flush=True)


def _be(code: str, folder: str, out: int, error: int) -> None:
    """Be a fork: run the code as the main module, and end."""
    import traceback

    ended = 1
    try:
        os.chdir(folder)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (out, 1), (error, 2)):
            os.dup2(source, target)
        sys.argv = ["-c"]
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(code, "<string>", "exec"), vars(main))  # noqa: S102 - the course's own texts and stubs
        ended = 0
    except SystemExit as end:
        ended = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended)


if __name__ == "__main__":
    _serve()
