"""Versions of learners' files, each under the hash of its bytes: the same version is there once, and damage shows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from typing import TYPE_CHECKING

from autograder.files import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

# Another process may be about to name a version that it has only now put here: so young, none is dropped.
YOUNG_S = 60.0


class Archive:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.py"

    def put(self, data: bytes, *, durable: bool = False) -> str:
        """Keep ``data`` and return its hash; ``durable`` waits until the disk has it.

        Errors: OSError.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        if self.get(sha256) is None:
            write_bytes(path, data, durable=durable)
        else:
            with contextlib.suppress(OSError):  # only its age: it is there all the same
                os.utime(path)
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """Return a version's bytes, None where it is not here (any more) or is not what it was."""
        try:
            data = self.path(sha256).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def has(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def size_bytes(self, sha256: str) -> int:
        """Return how much a version takes, 0 where it is not here."""
        try:
            return self.path(sha256).stat().st_size
        except OSError:
            return 0

    def is_old(self, sha256: str) -> bool:
        """Return whether a version is here and was put here long enough ago to be dropped."""
        try:
            return time.time() - self.path(sha256).stat().st_mtime > YOUNG_S
        except OSError:
            return False

    def drop(self, sha256: str) -> None:
        with contextlib.suppress(OSError):
            self.path(sha256).unlink()
