"""What a process of the engine was made of: its own files, and the libraries that are installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ENGINE = Path(__file__).parent


def made_of() -> str:
    """Return words that differ once a file of the engine, or what is installed, has changed.

    An installation, a removal or an upgrade of a library changes the folder that holds it.
    """
    folders = [_of(entry) for entry in sys.path if entry]
    return f"{sys.version} {folders} {sorted(_files(str(_ENGINE)))}"


def _files(folder: str) -> list[tuple[str, int, int]]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found += _files(entry.path) if entry.name != "__pycache__" else []
            else:
                status = entry.stat()
                found.append((entry.path, status.st_mtime_ns, status.st_size))
    return found


def _of(path: str) -> tuple[str, int]:
    """Return when a folder of modules was changed last; the engine's own is looked at file by file."""
    if Path(path) == _ENGINE.parent:  # where a learner's files may lie, and change
        return (path, 0)
    try:
        return (path, Path(path).stat().st_mtime_ns)
    except OSError:
        return (path, 0)
