"""The versions that matter, read from what is installed without importing it."""

from __future__ import annotations

import functools
import importlib.metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def installing(road: str) -> str:
    """Return the act that installs what is missing, on the road that was taken."""
    return "pixi install" if road.startswith("pixi") else f"remove the folder .venv, then {road} doctor"


def installed(names: Sequence[str]) -> dict[str, str]:
    """Return the version of each library, leaving out one that is not installed; a local build's mark is cut off."""
    found = {}
    for name in names:
        try:
            found[name] = _version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache  # of what is installed while this process runs: a search of the folders takes a millisecond
def _version(name: str) -> str:
    return importlib.metadata.version(name)
