"""A GPT-2 checkpoint in Hugging Face's format: what its folder says, and its tensors, mapped from their file.

Whatever is wrong with it is a BadCheckpoint of one sentence, before anything has been built.
"""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autograder.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

CONFIG = "config.json"
# The seven numbers, and what Hugging Face takes where a file leaves one out; n_inner is then 4 * n_embd.
SEVEN: Mapping[str, int | float | None] = {
    "vocab_size": 50257,
    "n_positions": 1024,
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "n_inner": None,
    "layer_norm_epsilon": 1e-5,
}
EOS = 50256
# What this course's GPT-2 has built in: a checkpoint that was trained with something else would talk nonsense in it.
BUILT_IN: Mapping[str, object] = {
    "activation_function": "gelu_new",
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "reorder_and_upcast_attn": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
    "do_layer_norm_before": True,
}
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
PREFIX, HEAD, TABLE = "transformer.", "lm_head.weight", "transformer.wte.weight"
BUFFERS = (".attn.bias", ".attn.masked_bias")  # the causal mask in old files


class BadCheckpoint(UsageError):
    pass


class Settings(NamedTuple):
    seven: dict[str, int | float]
    eos_token_ids: frozenset[int]


def read_settings(folder: Path, shown: str) -> Settings:
    """Return the numbers of config.json, and the tokens that end a text."""
    values = _read_object(folder / CONFIG, f"{shown}/{CONFIG}")
    if values.get("model_type") != "gpt2":
        raise BadCheckpoint(f"{shown} is not a GPT-2: its model_type is {_brief(values.get('model_type'))}")
    for name, expected in BUILT_IN.items():
        if (given := values.get(name, expected)) != expected:
            known = f"this course's GPT-2 has {_brief(expected)}"
            raise BadCheckpoint(f"{shown} has {name} {_brief(given)}, and {known}")
    seven = {name: _number(name, values.get(name, default), shown) for name, default in SEVEN.items() if default}
    width = values.get("n_inner")
    seven["n_inner"] = 4 * seven["n_embd"] if width is None else _number("n_inner", width, shown)
    if seven["n_embd"] % seven["n_head"]:
        raise BadCheckpoint(f"{shown} has n_embd {seven['n_embd']}, which is no multiple of n_head {seven['n_head']}")
    return Settings({name: seven[name] for name in SEVEN}, _eos(folder, shown, values))


def _number(name: str, value: object, shown: str) -> int | float:
    fraction = name == "layer_norm_epsilon"
    if isinstance(value, bool) or not isinstance(value, (int, float) if fraction else int):
        raise BadCheckpoint(f"{shown} has {name} {_brief(value)}, which is no {'' if fraction else 'whole '}number")
    if not (math.isfinite(value) and value > 0):
        raise BadCheckpoint(f"{shown} has {name} {_brief(value)}, which is not above zero")
    return value


def _eos(folder: Path, shown: str, values: dict[str, Any]) -> frozenset[int]:
    generation = "generation_config.json"  # wins over config.json, as in transformers' own generate
    if (folder / generation).is_file():
        values = values | _read_object(folder / generation, f"{shown}/{generation}")
    given = values.get("eos_token_id", EOS)
    return frozenset(token for token in (given if isinstance(given, list) else [given]) if isinstance(token, int))


def find_weights(folder: Path, shown: str) -> Path:
    """Return the file that holds the weights, or the index of the files that do."""
    for name in WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise BadCheckpoint(f"{shown} has no weights: a {WEIGHTS[0]} or a {WEIGHTS[2]} is missing")


def read_weights(folder: Path, shown: str) -> dict[str, Tensor]:
    """Return the tensors under the file's names.

    They are mapped: a page is read when a number on it is asked for, and belongs to the file, not to this process. So
    a dictionary of them all costs no memory. What is written to one stays here, and does not reach the file.
    (A ``.bin`` from before torch 1.6 cannot be mapped and is read whole.)
    """
    path = find_weights(folder, shown)
    if path.suffix != ".json":
        tensors = _read_file(path, shown)
    else:
        tensors = {}
        for shard, names in _shards(path, shown).items():
            held = _read_file(shard, shown)
            if absent := [name for name in names if name not in held]:
                raise BadCheckpoint(f"{shown}/{shard.name} has no {absent[0]}, which {path.name} expects in it")
            tensors |= {name: held[name] for name in names}
    return tensors


def _shards(index: Path, shown: str) -> dict[Path, list[str]]:
    table = _read_object(index, f"{shown}/{index.name}").get("weight_map")
    if not isinstance(table, dict) or not table or not all(isinstance(name, str) for name in table.values()):
        raise BadCheckpoint(f'{shown}/{index.name} has no "weight_map" from the tensors to their files')
    shards: dict[Path, list[str]] = {}
    for tensor, name in table.items():
        if Path(name).name != name or "\\" in name:
            raise BadCheckpoint(f"{shown}/{index.name} names {_brief(name)}, which is no file beside it")
        shards.setdefault(index.parent / name, []).append(tensor)
    for shard in shards:
        if not shard.is_file():
            raise BadCheckpoint(f"{shown}/{shard.name} is missing: {index.name} expects weights in it")
    return shards


def _read_file(path: Path, shown: str) -> dict[str, Tensor]:
    return _read_safetensors(path, shown) if path.suffix == ".safetensors" else _read_bin(path, shown)


def _read_safetensors(path: Path, shown: str) -> dict[str, Tensor]:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 it is no dictionary
    except Exception as error:  # a stranger's file: whatever is wrong with it gets one sentence
        raise BadCheckpoint(f"{shown}/{path.name} is cut off, or no safetensors file: {_brief(error)}") from error


def _read_bin(path: Path, shown: str) -> dict[str, Tensor]:
    import torch

    try:
        held = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # torch's own words tell how to run a stranger's code, and are not repeated
        problem = "is cut off, or holds more than tensors, which could run code: it was not loaded"
        raise BadCheckpoint(f"{shown}/{path.name} {problem}") from error
    if not isinstance(held, dict) or not held:
        raise BadCheckpoint(f"{shown}/{path.name} holds no table of tensors")
    for name, tensor in held.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided:
            raise BadCheckpoint(f"{shown}/{path.name} holds {_brief(name)}, which is no plain tensor")
    return {name: tensor.detach() for name, tensor in held.items()}


def require_numbers(weights: Mapping[str, Tensor], shown: str) -> None:
    """Refuse weights that are NaN, infinite, or no fractions at all. This reads them all, and copies none."""
    import torch

    for name, tensor in weights.items():
        if name.endswith(BUFFERS) or not tensor.numel():
            continue
        if tensor.dtype not in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
            kind = str(tensor.dtype).removeprefix("torch.")
            raise BadCheckpoint(f"{shown} is quantised, or no GPT-2: {_brief(name)} is of {kind}")
        low, high = torch.aminmax(tensor)  # NaN if there is one; isfinite of the whole would be another tensor
        if not (torch.isfinite(low) and torch.isfinite(high)):
            raise BadCheckpoint(f"{shown} has broken weights: {_brief(name)} holds NaN or infinity")


def shapes(seven: Mapping[str, int | float]) -> Iterator[tuple[str, list[int]]]:
    """Yield each parameter's name, with the prefix, and its shape as a checkpoint has it: matrices are [in, out]."""
    vocab_size, n_positions, n_embd, n_layer, _, n_inner, _ = map(int, seven.values())
    yield TABLE, [vocab_size, n_embd]
    yield PREFIX + "wpe.weight", [n_positions, n_embd]
    block = {"ln_1": [n_embd], "attn.c_attn": [n_embd, 3 * n_embd], "attn.c_proj": [n_embd, n_embd]}
    block |= {"ln_2": [n_embd], "mlp.c_fc": [n_embd, n_inner], "mlp.c_proj": [n_inner, n_embd]}
    for layer in range(n_layer):
        for part, shape in block.items():
            yield f"{PREFIX}h.{layer}.{part}.weight", shape
            yield f"{PREFIX}h.{layer}.{part}.bias", shape[-1:]
    yield PREFIX + "ln_f.weight", [n_embd]
    yield PREFIX + "ln_f.bias", [n_embd]


def faults(seven: Mapping[str, int | float], weights: Mapping[str, Tensor]) -> list[str]:
    """Return what does not fit: this is for telling a wrong file from a wrong step, whose own words are shown."""
    import torch

    given = {
        name if name.startswith(PREFIX) or name == HEAD else PREFIX + name: tensor
        for name, tensor in weights.items()
        if not name.endswith(BUFFERS)
    }
    tied, expected = given.pop(HEAD, None), dict(shapes(seven))
    found = [f"{name} is missing" for name in expected if name not in given]
    found += [f"{name} is unexpected" for name in given if name not in expected]
    for name, shape in expected.items():
        if name in given and list(given[name].shape) != shape:
            found.append(f"{name} is {list(given[name].shape)}, not {shape}")
    if tied is not None and TABLE in given and not torch.equal(tied, given[TABLE]):
        found.append(f"{HEAD} differs from {TABLE}")
    return found


def require_size(seven: Mapping[str, int | float], weights: Mapping[str, Tensor], shown: str) -> None:
    """Refuse a configuration that is out of all proportion to the weights, before a model of that size is built."""
    one = sum(math.prod(shape) for _, shape in shapes({**seven, "n_layer": 1}))
    none = sum(math.prod(shape) for _, shape in shapes({**seven, "n_layer": 0}))
    described = none + int(seven["n_layer"]) * (one - none)
    held = sum(tensor.numel() for tensor in weights.values())
    if described > 10 * held:
        raise BadCheckpoint(
            f"{shown} does not fit together: {CONFIG} describes {described:,} numbers, its weights are {held:,}"
        )


def _read_object(path: Path, shown: str) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:  # a ValueError: no UTF-8, no JSON
        raise BadCheckpoint(f"{shown} cannot be read as JSON: {_brief(error)}") from error
    if not isinstance(values, dict):
        raise BadCheckpoint(f"{shown} is not a JSON object")
    return values


def _brief(value: object) -> str:
    """Return a stranger's value as a part of one line."""
    text = " ".join(str(value).split()) if isinstance(value, Exception) else repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
