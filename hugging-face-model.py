"""Print Hugging Face's GPT-2: its configuration, its modules with their shapes, and its parameters.

The model is built without weights, and the network is left alone unless `--online` is given.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from torch import nn
    from transformers import GPT2Config, GPT2LMHeadModel

GPT2 = "openai-community/gpt2"
SEVEN = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon")
EXAMPLE = """examples:
  pixi run huggingface
  pixi run huggingface --model my-folder            a folder with a config.json
  pixi run huggingface --model openai-community/gpt2-medium --online
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="hugging-face-model.py",
        description="Print Hugging Face's GPT-2: configuration, modules, parameters. No weights are loaded.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", metavar="NAME_OR_FOLDER", default=GPT2, help=f"another GPT-2 (default: {GPT2})")
    parser.add_argument("--online", action="store_true", help="ask the hub for what is not on this machine")
    arguments = parser.parse_args()
    if not arguments.model:
        parser.error("--model needs a folder or a name")
    print(f"Hugging Face's GPT-2: {arguments.model}", flush=True)  # before the imports, which take seconds

    quiet(online=arguments.online)
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        print(f"{error}: run this as `pixi run huggingface`, or `./pixiw run huggingface`.", file=sys.stderr)
        return 1
    config, source = load(arguments.model, online=arguments.online)
    print(f"values: {source}", "", *configuration(config), "", sep="\n", flush=True)
    print(*modules(build(arguments.model, config)), sep="\n", flush=True)
    return 0


def stop(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(2)


def quiet(*, online: bool) -> None:
    """Set what huggingface_hub and transformers read once, when they are imported."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["HF_HUB_VERBOSITY"] = os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
    if not online:
        os.environ["HF_HUB_OFFLINE"] = "1"


def load(model: str, *, online: bool) -> "tuple[GPT2Config, str]":
    """Return the configuration and where it is from: a folder, the hub's cache, the hub, transformers' defaults."""
    from transformers import GPT2Config, __version__

    folder = Path(model)
    if folder.exists() and not (folder / "config.json").is_file():
        stop(f"{model} is not a folder with a config.json: give --model such a folder, or a name on the hub.")
    values = read(model, local=True)
    source = f"config.json in the folder {model}" if folder.exists() else "the hub's copy in this machine's cache"
    if values is None and folder.exists():
        stop(f"The config.json in {model} cannot be read as a JSON object.")
    if values is None and online:
        print(f"Asking the hub for {model}; without a network that takes half a minute.", file=sys.stderr, flush=True)
        values, source = read(model, local=False), "the hub"
    if values is None and model in (GPT2, "gpt2"):
        return GPT2Config(), f"transformers {__version__}'s own defaults, which are GPT-2's (124M)"
    if values is None:
        tried = "the hub has no such model, or did not answer" if online else "--online asks the hub for it"
        stop(f"{model} is no folder here and not in the hub's cache on this machine; {tried}.")
    if values.get("model_type") != "gpt2":
        stop(f"{model} is not a GPT-2: its model_type is {values.get('model_type')!r}.")
    try:
        return GPT2Config.from_dict(values), source
    except Exception as error:  # noqa: BLE001 a stranger's file: whatever is wrong with it gets one sentence
        stop(f"{model} is not a GPT-2 configuration: {one_line(error)}")


def read(model: str, *, local: bool) -> dict[str, Any] | None:
    from transformers import GPT2Config

    try:
        values, _ = GPT2Config.get_config_dict(model, local_files_only=local)
    except (OSError, ValueError, TypeError, AttributeError):  # not there, no possible name, or no JSON object
        return None
    return values if isinstance(values, dict) and values else None


def build(model: str, config: "GPT2Config") -> "GPT2LMHeadModel":
    """Return the model on the device "meta": shapes without memory, so that it takes no time and no weights."""
    import torch
    from transformers import GPT2LMHeadModel

    try:
        with torch.device("meta"):
            return GPT2LMHeadModel(config)
    except Exception as error:  # noqa: BLE001 as above: n_head that does not divide n_embd, a negative size, …
        stop(f"No GPT-2 can be built from {model}: {one_line(error)}")


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def configuration(config: "GPT2Config") -> Iterator[str]:
    yield "Configuration: the seven numbers of GPT2Config"
    for name in SEVEN:
        value = getattr(config, name)
        meaning = f"   which means 4 * n_embd = {4 * config.n_embd}" if name == "n_inner" and value is None else ""
        yield f"  {name:<34}{value}{meaning}"
    yield ""
    yield "Its other entries"
    for name, value in config.to_diff_dict().items():
        if name not in SEVEN and name != "transformers_version":
            yield f"  {name:<34}{value}"


def modules(model: "GPT2LMHeadModel") -> Iterator[str]:
    yield f"{'Modules':<32}{'weight + bias':<26}{'parameters':>14}"
    seen: set[int] = set()
    yield from tree("", model, 0, seen)
    total = sum(parameter.numel() for parameter in model.parameters())
    yield ""
    yield "Inside h the counts are those of one block."
    yield "Conv1D keeps its weight as [in, out]; nn.Linear keeps [out, in]."
    if model.lm_head.weight is model.transformer.wte.weight:
        yield "lm_head.weight is wte.weight, the same tensor (tied): it is counted once."
    yield f"Total: {total:,} parameters"


def tree(name: str, module: "nn.Module", depth: int, seen: set[int]) -> Iterator[str]:
    """Yield a line for the module and, below it, one for each of its children; equal blocks are folded into one."""
    from torch import nn

    own = list(module.parameters(recurse=False))
    shapes = " + ".join(str(list(parameter.shape)) for parameter in own)
    kind = type(module).__name__
    count = sum(parameter.numel() for parameter in module.parameters() if id(parameter) not in seen)
    children = list(module.named_children())
    if isinstance(module, nn.ModuleList):
        kind = f"{len(children)} x {type(module[0]).__name__}" if children else "no blocks"
        children = list(module[0].named_children()) if children else []
    elif own and all(id(parameter) in seen for parameter in own):
        shapes += "  tied to wte"
    elif isinstance(module, nn.Dropout):
        shapes = f"p={module.p}"
    label = "  " * depth + (f"{name}: {kind}" if name else kind)
    yield f"{label:<32}{shapes:<26}{count:>14,}"
    for child_name, child in children:
        yield from tree(child_name, child, depth + 1, seen)
    seen.update(id(parameter) for parameter in own)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a folder's name in a console that cannot encode it
    try:
        sys.exit(main())
    except BrokenPipeError:  # `| head -1`: nobody reads on, and the interpreter's own last flush must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit(130)
