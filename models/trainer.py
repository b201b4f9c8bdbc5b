"""The training loop. Interrupted or not, the same weights come out: a checkpoint holds all that they depend on."""

from __future__ import annotations

import copy
import hashlib
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

LN2 = math.log(2)


@dataclass(frozen=True)
class Settings:
    """All that a run depends on besides its text."""

    seed: int = 2019
    vocab_size: int = 2000
    n_positions: int = 256
    n_embd: int = 128
    n_layer: int = 4
    n_head: int = 4
    n_inner: int = 512
    dropout: float = 0.1
    batch_size: int = 4
    steps: int = 1700
    warmup_steps: int = 100
    initializer_range: float = 0.08  # about 1/√n_embd: with GPT-2's 0.02 attention starts flat, and stays so for long
    learning_rate: float = 3e-3
    least_learning_rate: float = 1e-4
    weight_decay: float = 0.1
    evaluate_every: int = 100
    patience: int = 10  # evaluations without a better held-out loss before the run stops early
    threads: int = 1  # the order of additions depends on it, and so do the last bits of the weights


@dataclass(frozen=True)
class Tokens:
    """The split as tokens, one list a document, and how many bytes the documents are."""

    training: Sequence[Sequence[int]]
    held_out: Sequence[Sequence[int]]
    training_bytes: int
    held_out_bytes: int


@dataclass
class Run:
    """Where a run stands; losses are in bits per byte."""

    model: GPT2LMHeadModel
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    best_step: int = -1
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def best_loss(self) -> float:
        return min((entry["held_out"] for entry in self.history), default=math.inf)

    def finished(self, settings: Settings) -> bool:
        waited = self.step - self.best_step if self.best_step >= 0 else 0
        return self.step >= settings.steps or waited >= settings.patience * settings.evaluate_every


def sinusoids(n_positions: int, n_embd: int) -> torch.Tensor:
    """Return [n_positions, n_embd]: sines and cosines of falling frequency, between -1 and 1.

    Source: Vaswani et al. 2017, section 3.5.
    """
    frequency = 10_000 ** (-torch.arange(0, n_embd, 2) / n_embd)
    angle = torch.arange(n_positions)[:, None] * frequency  # [n_positions, n_embd / 2]
    return torch.cat((angle.sin(), angle.cos()), dim=1)


def new_model(settings: Settings) -> GPT2LMHeadModel:
    """Return a fresh GPT-2. Its position embeddings start as sinusoids, and are learned from there.

    From random ones, so small a text did not teach it which token is the one before: it stayed close to a bigram model.
    """
    config = GPT2Config(
        vocab_size=settings.vocab_size,
        n_positions=settings.n_positions,
        n_embd=settings.n_embd,
        n_layer=settings.n_layer,
        n_head=settings.n_head,
        n_inner=settings.n_inner,
        resid_pdrop=settings.dropout,
        embd_pdrop=settings.dropout,
        initializer_range=settings.initializer_range,
        attn_pdrop=0.0,  # with it, torch's fused attention is not to be had, and a step takes a quarter longer
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        scale = settings.initializer_range * math.sqrt(2)  # the same spread as that of the token embeddings
        model.transformer.wpe.weight.copy_(scale * sinusoids(settings.n_positions, settings.n_embd))
    return model


def new_run(settings: Settings) -> Run:
    torch.manual_seed(settings.seed)
    model = new_model(settings)
    decayed = [weight for weight in model.parameters() if weight.ndim >= 2]
    others = [weight for weight in model.parameters() if weight.ndim < 2]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return Run(model, torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.99)))


def learning_rate(step: int, settings: Settings) -> float:
    """Return the rate for a step: a linear rise, then half a cosine down to the least."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(settings.steps - settings.warmup_steps, 1)
    span = settings.learning_rate - settings.least_learning_rate
    return settings.least_learning_rate + span * (1 + math.cos(math.pi * done)) / 2


@torch.no_grad()
def bits(model: GPT2LMHeadModel, documents: Sequence[Sequence[int]]) -> float:
    """Return the bits that the documents take; the first token of each is context only.

    Windows of n_positions overlap by half, and a token is counted once: in the first window that holds it.
    """
    model.eval()
    size, total = model.config.n_positions, 0.0
    for document in documents:
        counted = 1
        for start in range(0, max(len(document) - size // 2, 1), size // 2):
            window = torch.tensor(document[start : start + size])
            logits = model(window[None, :-1]).logits[0] if len(window) > 1 else torch.empty(0)
            new = start + len(window) - counted
            if new > 0:
                total += cross_entropy(logits[-new:], window[-new:], reduction="sum").item() / LN2
                counted += new
    return total


def batch(stream: torch.Tensor, settings: Settings) -> torch.Tensor:
    """Return [batch_size, n_positions + 1] tokens from random places of the stream."""
    starts = torch.randint(len(stream) - settings.n_positions, (settings.batch_size,))
    return torch.stack([stream[start : start + settings.n_positions + 1] for start in starts.tolist()])


def train_step(run: Run, stream: torch.Tensor, settings: Settings) -> float:
    """Take one step and return its loss, in nats per token."""
    run.model.train()
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate(run.step, settings)
    tokens = batch(stream, settings)
    logits = run.model(tokens[:, :-1]).logits
    loss = cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
    run.optimizer.step()
    run.optimizer.zero_grad()
    run.step += 1
    return loss.item()


def evaluate(run: Run, tokens: Tokens, training_loss: float) -> None:
    """Add an entry to the history, and keep the weights when they are the best so far."""
    held_out = bits(run.model, tokens.held_out) / tokens.held_out_bytes
    if held_out < run.best_loss:
        run.best_step = run.step
        run.best = copy.deepcopy(run.model.state_dict())
    run.history.append({"step": run.step, "training": training_loss, "held_out": held_out})


def save(run: Run, path: Path, fingerprint: str) -> None:
    state = {
        "fingerprint": fingerprint,
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "rng": torch.get_rng_state(),
        **{name: getattr(run, name) for name in ("step", "seconds", "best_step", "best", "history")},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    half_written = path.with_suffix(".part")
    torch.save(state, half_written)
    half_written.replace(path)


def resume(settings: Settings, path: Path, fingerprint: str) -> Run:
    """Return the run of a checkpoint; a new one when there is none or it is of other settings or another text."""
    run = new_run(settings)
    if not path.exists():
        return run
    state: dict[str, Any] = torch.load(path, weights_only=True)
    if state["fingerprint"] != fingerprint:
        return run
    run.model.load_state_dict(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    for name in ("step", "seconds", "best_step", "best", "history"):
        setattr(run, name, state[name])
    torch.set_rng_state(state["rng"])
    return run


def train(
    settings: Settings,
    tokens: Tokens,
    checkpoint: Path,
    *,
    on_step: Callable[[Run], None] | None = None,
) -> Run:
    """Train to the end, from the checkpoint where there is one, and leave the best weights in the run's model.

    `on_step` is called after each step, and may raise to interrupt: the next call goes on from the last evaluation.
    """
    fingerprint = hashlib.sha256(repr((settings, tokens)).encode("utf-8")).hexdigest()
    run = resume(settings, checkpoint, fingerprint)
    stream = torch.tensor([token for document in tokens.training for token in document])
    per_byte = len(stream) / tokens.training_bytes / LN2
    losses: list[float] = []
    started = time.monotonic() - run.seconds
    while not run.finished(settings):
        losses.append(train_step(run, stream, settings) * per_byte)
        if run.step % settings.evaluate_every == 0 or run.step == settings.steps:
            evaluate(run, tokens, sum(losses) / len(losses))
            losses.clear()
            run.seconds = time.monotonic() - started
            save(run, checkpoint, fingerprint)
        if on_step:
            on_step(run)
    run.model.load_state_dict(run.best)
    run.model.eval()
    return run
