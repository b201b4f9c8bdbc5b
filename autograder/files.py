"""Reading and writing the course's own text files: UTF-8, plain newlines, whole or not at all."""

import os
from pathlib import Path


def read_text(path: Path) -> str:
    """Return the text with plain newlines, so that a checkout with CRLF reads as any other."""
    return path.read_text(encoding="utf-8-sig")


def write_text(path: Path, text: str) -> None:
    """Write ``text`` so that a reader, or a crash, sees the old file or the new one and nothing between."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write ``data`` as ``write_text`` does; ``durable`` waits until the disk has it, in case the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
