"""Train models/tiny-gpt2, on one core in well under an hour.

./pixiw run train-tiny             train; after an interruption, go on from the last evaluation
./pixiw run train-tiny --restart   forget what an interrupted run left
./pixiw run train-tiny --sample    let the model that is there talk
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import sys
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models import baselines, corpus, folder, page
from models.trainer import Run, Settings, Tokens, bits, train

HERE = Path(__file__).resolve().parent
CHECKPOINT = HERE.parent / ".autograder" / "train-tiny" / "checkpoint.pt"
RECORD = folder.FOLDER / "training.json"


def tokenized(split: corpus.Split, tokenizer: tokenizers.Tokenizer) -> Tokens:
    training, held_out = list(split.training.values()), list(split.held_out.values())
    return Tokens(
        corpus.encode(tokenizer, training),
        corpus.encode(tokenizer, held_out),
        sum(map(corpus.byte_count, training)),
        sum(map(corpus.byte_count, held_out)),
    )


def train_with_progress(settings: Settings, tokens: Tokens) -> Run:
    """Train with a bar on stderr, and a line there at each evaluation."""
    columns = TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True, highlight=False, soft_wrap=True)) as progress:
        bar = progress.add_task("", total=settings.steps)

        def on_step(run: Run) -> None:
            progress.update(bar, completed=run.step)
            if run.history and (last := run.history[-1])["step"] == run.step:
                progress.console.print(
                    f"step {run.step:5}: training {last['training']:.3f}, held out {last['held_out']:.3f},"
                    f" best {run.best_loss:.3f} bits per byte, {run.seconds / 60:.1f} minutes"
                )

        return train(settings, tokens, CHECKPOINT, on_step=on_step)


def compared(run: Run, split: corpus.Split, tokens: Tokens, vocab_size: int) -> dict[str, float]:
    """Return each model's bits per byte on the held-out text."""
    texts = list(split.held_out.values())
    training, held_out = (baselines.as_bytes(list(part.values())) for part in (split.training, split.held_out))
    by_token = {
        f"{name} of the same tokens": baselines.fitted(tokens.training, order, vocab_size).bits(tokens.held_out)
        for name, order in (("bigram", 2), ("trigram", 3))
    }
    by_byte = {"bigram of bytes": baselines.fitted(training, 2, 257).bits(held_out)}
    counted = by_token | by_byte | {"tiny-gpt2": bits(run.model, tokens.held_out)}
    return baselines.compressors(texts) | {name: total / tokens.held_out_bytes for name, total in counted.items()}


def excerpt_record(run: Run, split: corpus.Split, tokens: Tokens, vocab_size: int) -> dict[str, Any]:
    """Return the losses on the one held-out topic that is kept beside the model."""
    size = corpus.byte_count(split.held_out[split.excerpt])
    document = [tokens.held_out[list(split.held_out).index(split.excerpt)]]
    bigram = baselines.fitted(tokens.training, 2, vocab_size)
    losses = {"tiny-gpt2": bits(run.model, document) / size, "bigram of the same tokens": bigram.bits(document) / size}
    return {"topic": split.excerpt, "bytes": size, "bits_per_byte": losses}


def text_record(split: corpus.Split, tokens: Tokens) -> dict[str, Any]:
    return {
        "source": "pydoc_data.topics",
        "sha256": split.sha256,
        "topics": split.topics,
        "training_bytes": tokens.training_bytes,
        "training_tokens": sum(map(len, tokens.training)),
        "held_out_bytes": tokens.held_out_bytes,
        "held_out_tokens": sum(map(len, tokens.held_out)),
        "held_out_topics": list(split.held_out),
    }


def run_record(run: Run, settings: Settings, tokens: Tokens) -> dict[str, Any]:
    seen = run.step * settings.batch_size * settings.n_positions
    return {
        "steps": run.step,
        "best_step": run.best_step,
        "last_loss": run.history[-1]["held_out"],
        "epochs": seen / sum(map(len, tokens.training)),
        "minutes": run.seconds / 60,
    }


def sample_record() -> dict[str, Any]:
    model, tokenizer = folder.load()
    return {
        "prompt": folder.PROMPT,
        "new_tokens": folder.NEW_TOKENS,
        "temperature": folder.TEMPERATURE,
        "top_k": folder.TOP_K,
        "seed": folder.SAMPLE_SEED,
        "greedy": folder.sample(model, tokenizer, greedy=True),
        "sampled": folder.sample(model, tokenizer, greedy=False),
    }


def make(settings: Settings) -> dict[str, Any]:
    """Train, write the folder, and return the record of it all."""
    torch.set_num_threads(settings.threads)
    split = corpus.split_topics()
    tokenizer = corpus.train_tokenizer(list(split.training.values()), settings.vocab_size)
    tokens = tokenized(split, tokenizer)
    run = train_with_progress(settings, tokens)
    folder.write(folder.FOLDER, run.model, tokenizer, split.held_out[split.excerpt])
    return {
        "versions": {
            "Python": platform.python_version(),
            "torch": torch.__version__.partition("+")[0],
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
        },
        "settings": dataclasses.asdict(settings),
        "text": text_record(split, tokens),
        "parameters": sum(weight.numel() for weight in run.model.parameters()),
        "folder_bytes": folder.size_bytes(),
        "run": run_record(run, settings, tokens),
        "bits_per_byte": compared(run, split, tokens, settings.vocab_size),
        "excerpt": excerpt_record(run, split, tokens, settings.vocab_size),
        "sample": sample_record(),
        "history": run.history,
    }


def publish(record: dict[str, Any]) -> None:
    """Write the record, the loss curve, and README.md's figures."""
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    (HERE / "loss.svg").write_text(page.loss_curve(record), encoding="utf-8", newline="\n")
    readme = HERE / "README.md"
    text = page.with_figures(readme.read_text(encoding="utf-8"), record)
    readme.write_text(text, encoding="utf-8", newline="\n")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="train-tiny", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--restart", action="store_true", help="forget what an interrupted run left")
    parser.add_argument("--sample", action="store_true", help="train nothing; print the samples that README.md shows")
    options = parser.parse_args(arguments)
    transformers.utils.logging.disable_progress_bar()
    if options.sample:
        sample = sample_record()
        print(f"Greedy:\n\n{sample['greedy']}\n\nSampled:\n\n{sample['sampled']}")
        return 0
    if options.restart:
        CHECKPOINT.unlink(missing_ok=True)
    try:
        record = make(Settings())
    except KeyboardInterrupt:
        print("train-tiny: stopped. The same command goes on from the last evaluation.", file=sys.stderr)
        return 130
    publish(record)
    CHECKPOINT.unlink(missing_ok=True)
    print(page.table(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
