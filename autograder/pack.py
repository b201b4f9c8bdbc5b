"""The course's own sources in one file inside the engine, as a class's bundle has them.

Packed, so that an editor's search does not come upon a solution. That is no secrecy: whoever wants to unpack it can.
The client of every check imports this module, and few courses are bundles: what it takes is imported where it is used.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

PATH = Path("autograder", "course.pack")  # from the course's root


def packed(texts: Mapping[str, str]) -> bytes:
    """Return texts as a pack; they are named by their paths from the course's root, as `puzzles/config.py`."""
    import json
    import zlib

    return zlib.compress(json.dumps(dict(sorted(texts.items())), ensure_ascii=False).encode(), 9)


@lru_cache(maxsize=4)  # every check asks for some thirty texts
def unpacked(path: Path) -> Mapping[str, str]:
    """Return the texts of a pack.

    Errors: ValueError, when it is damaged.
    """
    import json
    import zlib

    try:
        texts = json.loads(zlib.decompress(path.read_bytes()))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not isinstance(texts, dict):
        raise ValueError("it holds no texts")
    return texts
