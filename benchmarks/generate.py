"""Generating and loading, beside Hugging Face: the same weights, the same machine, one run, in turns, medians.

    python benchmarks/generate.py           a few minutes, and 0.5 GB of temporary space
    python benchmarks/generate.py --quick   the small model alone, in seconds; its figures mean little

The course's side is the finished GPT-2 of solutions/. A ratio above 1 means that the course's is faster, or takes less.
It prints, and asserts nothing: figures belong to a machine, and to what else it was doing.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
# The sizes of models/tiny-gpt2.
TINY = {"vocab_size": 2000, "n_positions": 256, "n_embd": 128, "n_layer": 4, "n_head": 4}
SIZES: dict[str, dict[str, int]] = {
    "tiny, random": TINY,
    "124M, random": {},
}  # GPT2Config's defaults are the 124M model's
Figures = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the small model alone, few tokens, in this process")
    parser.add_argument("--child", metavar="JSON", help=argparse.SUPPRESS)
    parser.add_argument("--threads", metavar="N", type=int, default=1, help="of torch (default: 1, which is steadiest)")
    options = parser.parse_args(arguments)
    os.environ |= {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    os.environ["OMP_NUM_THREADS"] = str(options.threads)  # the children's
    if options.child:
        print(json.dumps(measured(json.loads(options.child))))
        return 0
    print(
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, threads: {options.threads}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as scratch:
        if options.quick:
            report(measured, scratch, {"tiny, random": TINY}, rounds=1, new_tokens=(4, 4))
        else:
            report(in_a_child, scratch, SIZES, rounds=9, new_tokens=(64, 12))
    return 0


def report(
    measure: Callable[[Figures], Figures],
    scratch: str,
    sizes: dict[str, dict[str, int]],
    *,
    rounds: int,
    new_tokens: tuple[int, int],
) -> None:
    print(f"\n{'tokens per second':<20}{'prompt':>8}{'new':>6}{'course':>10}{'HF':>10}{'ratio':>8}{'same ids':>10}")
    for (name, values), count in zip(sizes.items(), new_tokens, strict=False):
        got = measure({"what": "generate", "sizes": values, "prompt": 32, "new": count, "rounds": rounds})
        speeds = f"{got['course']:>10.1f}{got['hugging_face']:>10.1f}{got['ratio']:>8.2f}"
        print(f"{name:<20}{32:>8}{count:>6}{speeds}{'yes' if got['same'] else 'no':>10}", flush=True)

    name, values = list(sizes.items())[-1]
    measure({"what": "save", "sizes": values, "folder": scratch})
    turns = [
        {how: measure({"what": "load", "how": how, "folder": scratch}) for how in ("course", "hugging_face")}
        for _ in range(min(rounds, 3))
    ]
    print(f"\n{'loading: ' + name:<40}{'course':>12}{'HF':>12}{'ratio':>8}")
    rows = {
        "load_s": "seconds to the loaded model",
        "first_token_s": "seconds to the first token",
        "peak_mb": "peak memory above the imports, MB",
    }
    for key, label in rows.items():
        course, theirs = (statistics.median(turn[how][key] for turn in turns) for how in ("course", "hugging_face"))
        if theirs:
            print(f"{label:<40}{course:>12.2f}{theirs:>12.2f}{theirs / course:>8.2f}")
    print("\nPages of the mapped file count as memory here; the system takes them back when it needs them.")
    print("The course's loading makes sure that every weight is a number, and starts from a model with fresh weights.")


def in_a_child(order: Figures) -> Figures:
    """Measure in a process of its own: what a process once took counts as its peak for good."""
    command = [
        sys.executable,
        str(Path(__file__).resolve()),
        "--child",
        json.dumps(order),
        "--threads",
        os.environ["OMP_NUM_THREADS"],
    ]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def measured(order: Figures) -> Figures:
    what = {"generate": generating, "save": saving, "load": loading}[order.pop("what")]
    figures: Figures = what(**order)
    return figures


def hugging_face(sizes: dict[str, int]) -> Any:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(**sizes)).eval()


def generating(*, sizes: dict[str, int], prompt: int, new: int, rounds: int) -> Figures:
    import torch

    from autograder import course as courses
    from playground.learner import Learner

    theirs = hugging_face(sizes)
    theirs.generation_config.eos_token_id = None  # all tokens are to be made
    config = theirs.config
    names = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon")
    seven = {name: getattr(config, name) for name in names} | {"n_inner": config.n_inner or 4 * config.n_embd}
    learner = Learner(courses.load(ROOT), "solutions")
    mine = learner.build(seven)
    learner.fill(mine, theirs.state_dict(), seven, "Hugging Face's model")
    ids = torch.randint(config.vocab_size, (1, prompt), generator=torch.Generator().manual_seed(1))
    how = {"do_sample": False, "use_cache": False, "pad_token_id": 0, "attention_mask": torch.ones_like(ids)}
    sides = {
        "course": lambda count: learner.generate(mine, ids, count),
        "hugging_face": lambda count: theirs.generate(ids, max_new_tokens=count, **how),
    }
    spent: dict[str, list[float]] = {side: [] for side in sides}
    made = {}
    for side, generate in sides.items():
        generate(2)  # what is done once is not counted
        made[side] = generate(new)
    for _ in range(rounds):
        for side, generate in sides.items():
            started = time.perf_counter()
            generate(new)
            spent[side].append(time.perf_counter() - started)
    speeds = {side: new / statistics.median(times) for side, times in spent.items()}
    ratios = [theirs_s / ours_s for ours_s, theirs_s in zip(spent["course"], spent["hugging_face"], strict=True)]
    return speeds | {"ratio": statistics.median(ratios), "same": torch.equal(made["course"], made["hugging_face"])}


def saving(*, sizes: dict[str, int], folder: str) -> Figures:
    hugging_face(sizes).save_pretrained(folder)
    return {}


def loading(*, how: str, folder: str) -> Figures:
    """Load the folder's checkpoint, and make a token with it: only then has every mapped weight been read."""
    import torch

    load = by_step_12 if how == "course" else by_from_pretrained
    ready = load(Path(folder))
    before, started = peak_mb(), time.perf_counter()
    model = ready()
    loaded = time.perf_counter()
    with torch.no_grad():
        model(torch.tensor([[0]]))
    return {
        "load_s": loaded - started,
        "first_token_s": time.perf_counter() - started,
        "peak_mb": peak_mb() - before,
    }


def by_step_12(folder: Path) -> Callable[[], Any]:
    import safetensors  # noqa: F401 as torch, it is imported before the clock starts

    from autograder import course as courses
    from playground import checkpoint
    from playground.learner import Learner

    learner = Learner(courses.load(ROOT), "solutions")

    def load() -> Any:
        settings = checkpoint.read_settings(folder, "folder")
        return learner.load(folder, settings.seven, "folder")

    return load


def by_from_pretrained(folder: Path) -> Callable[[], Any]:
    from transformers import GPT2LMHeadModel

    return lambda: GPT2LMHeadModel.from_pretrained(folder, local_files_only=True)


def peak_mb() -> float:
    """Return the most memory that this process has had so far; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


if __name__ == "__main__":
    sys.exit(main())
