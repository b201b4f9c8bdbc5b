"""Hugging Face's GPT-2 configuration, which step 01 must not wait for: importing transformers takes seconds.

The values are committed with the library's version and the hash of the file that they came from. Both are compared
with what is installed, without importing it; where one differs, the values are computed again, in another process, into
the user's own cache.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from autograder.errors import InternalError

FIELDS = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon")
COMMITTED = Path(__file__).with_name("gpt2_config.json")
_FILE = Path("models", "gpt2", "configuration_gpt2.py")
_COMPUTE = """
import dataclasses, json, transformers
known = {field.name: field.default for field in dataclasses.fields(transformers.GPT2Config)}
print(json.dumps({name: known[name] for name in %r}))
"""


class Config(NamedTuple):
    """The seven values, the version of the library that gave them, and whether it is the one that is installed."""

    values: dict[str, int | float]
    version: str
    origin: str  # committed | cache | computed | committed, transformers not installed


@functools.cache
def gpt2_config() -> Config:
    """Return the seven numbers.

    Errors: InternalError, when another version is installed and its values cannot be computed.
    """
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    installed = fingerprint()
    if installed is None:
        return Config(effective(committed["values"]), committed["version"], "committed, transformers not installed")
    if installed == (committed["version"], committed["sha256"]):
        return Config(effective(committed["values"]), installed[0], "committed")
    cached = cache_folder() / f"gpt2-config-{installed[0]}-{installed[1][:16]}.json"
    known = _kept(cached)
    if known is not None:
        return Config(effective(known), installed[0], "cache")
    computed = compute()
    _keep(cached, computed)
    return Config(effective(computed), installed[0], "computed")


def fingerprint() -> tuple[str, str] | None:
    """Return the installed transformers' version and the hash of its configuration's file, without importing it."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or not spec.submodule_search_locations:
        return None
    try:
        data = (Path(spec.submodule_search_locations[0]) / _FILE).read_bytes()
        version = importlib.metadata.version("transformers")
    except (OSError, importlib.metadata.PackageNotFoundError):
        return None
    return version, hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def compute() -> dict[str, Any]:
    """Return the seven values as the installed transformers has them, `n_inner` None included.

    Errors: InternalError, when it cannot be imported.
    """
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    command = [sys.executable, "-c", _COMPUTE % (FIELDS,)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise InternalError(f"transformers cannot be imported: {last[0]}")
    values: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return values


def effective(values: dict[str, Any]) -> dict[str, int | float]:
    """Return the values with `n_inner` as the width that Hugging Face uses where its configuration has None."""
    width = values["n_inner"] if values["n_inner"] is not None else 4 * values["n_embd"]
    return {**values, "n_inner": width}


def answered_by() -> dict[str, Any]:
    config = gpt2_config()
    return {"version": config.version, "origin": config.origin}


def cache_folder() -> Path:
    """Return the folder of the user's own caches for this course."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "gpt2-puzzles"


def _kept(path: Path) -> dict[str, Any] | None:
    """Return the values of a cache's file, None when it is not there or is not as it was written."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(values, dict) or set(values) != set(FIELDS):
        return None
    numbers = [value for name, value in values.items() if name != "n_inner" or value is not None]
    return values if all(type(number) in (int, float) for number in numbers) else None


def _keep(path: Path, values: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, and nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(values), encoding="utf-8")
        new.replace(path)
