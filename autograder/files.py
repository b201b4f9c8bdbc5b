"""Reading and writing the course's own text files: UTF-8, plain newlines, whole or not at all."""

import os
from pathlib import Path


def read_text(path: Path) -> str:
    """Return the text with plain newlines, so that a checkout with CRLF reads as any other."""
    return path.read_text(encoding="utf-8-sig")


def write_text(path: Path, text: str) -> None:
    """Write ``text`` so that a reader, or a crash, sees the old file or the new one and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
