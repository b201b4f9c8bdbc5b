"""Where a checkpoint lies: in a folder, in Hugging Face's cache on this machine, or, last, on the hub."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.client import road
from autograder.errors import UsageError
from playground import checkpoint, text

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?", re.ASCII)


def find_folder(model: str, here: Path, default: Path) -> Path:
    """Return the folder of the checkpoint that the user names; a relative one is looked for where the user stands."""
    folder = here / model if model else default
    if folder.is_dir():
        if not (folder / checkpoint.CONFIG).is_file():
            raise UsageError(f"{model or folder} is no checkpoint: there is no {checkpoint.CONFIG} in it")
        return folder
    if not model:
        raise UsageError(f"models/{default.name} is missing: `{road()} train-tiny` makes it")
    if folder.exists():
        raise UsageError(f"{model} is a file: --model takes the folder that it lies in")
    if not _NAME.fullmatch(model):
        raise UsageError(f"{model} is no folder here, and cannot be a name on the Hugging Face hub")
    _settle()
    return _cached(model) or _downloaded(model)


def _settle() -> None:
    """Set what huggingface_hub reads once, when it is imported."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")


def _cached(name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name, checkpoint.CONFIG)
    if not isinstance(found, str):
        return None
    folder = Path(found).parent
    files = {path.name for path in folder.iterdir()}
    return folder if weights_among(files) and text.among(files) else None  # else an interrupted download


def _downloaded(name: str) -> Path:
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        model = HfApi().model_info(name, timeout=10, files_metadata=True)
        files = {entry.rfilename for entry in model.siblings or []}
        if checkpoint.CONFIG not in files:
            raise UsageError(f"{name} on the hub is no checkpoint: it has no {checkpoint.CONFIG}")
        folder = Path(hf_hub_download(name, checkpoint.CONFIG)).parent
        checkpoint.read_settings(folder, name)  # before gigabytes of another kind of model are fetched
        needed = wanted(name, files)
        print(f"Downloading {name}: {_size(model, needed)}, once.", file=sys.stderr, flush=True)
        return Path(snapshot_download(name, allow_patterns=sorted(needed)))
    except UsageError:
        raise
    except (RepositoryNotFoundError, GatedRepoError) as error:
        raise UsageError(f"{name} is no folder here, and no model on the hub that you may read") from error
    except Exception as error:  # each layer under the hub's client has its own; all say that the way is not open
        offline = f"`{road()} gpt2` without --model, or with --model FOLDER, works offline"
        problem = f"{name} is no folder here and not in Hugging Face's cache, and the hub cannot be reached"
        raise UsageError(f"{problem}: {offline}") from error


def weights_among(files: set[str]) -> str | None:
    return next((name for name in checkpoint.WEIGHTS if name in files), None)


def wanted(name: str, files: set[str]) -> set[str]:
    """Return the files of the hub that are needed: one kind of weights, one kind of tokenizer, the settings."""
    weights, tokenizer = weights_among(files), text.among(files)
    if not weights or not tokenizer:
        raise UsageError(f"{name} on the hub has no {'tokenizer' if weights else 'weights'} that this can read")
    needed = {checkpoint.CONFIG, "generation_config.json", weights, *tokenizer}
    if weights.endswith(".index.json"):
        stem, _, kind = weights.removesuffix(".index.json").rpartition(".")
        needed |= {file for file in files if file.startswith(f"{stem}-") and file.endswith(f".{kind}")}
    return needed & files


def _size(model: ModelInfo, needed: set[str]) -> str:
    size_bytes = sum(entry.size or 0 for entry in model.siblings or [] if entry.rfilename in needed)
    return f"{size_bytes / 1e6:,.0f} MB"
