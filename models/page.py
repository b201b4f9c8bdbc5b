"""What README.md shows of training.json: the figures, the samples, and the loss curve as an SVG."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BEGIN, END = "<!-- BEGIN GENERATED: figures -->", "<!-- END GENERATED: figures -->"
WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 56, 176, 48, 52  # margins; the right one holds the lines' names

STYLE = """\
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-weight: 600; font-size: 15px }
    .axis { stroke: #8c959f; stroke-width: 1; fill: none }
    .grid { stroke: #d0d7de; stroke-width: 1 }
    .held { stroke: #0969da; stroke-width: 2.5; fill: none }
    .training { stroke: #8250df; stroke-width: 2; fill: none; stroke-dasharray: 2 3 }
    .baseline { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 8 4 }
    .best { fill: #0969da }
    .ground { fill: #ffffff }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .axis { stroke: #7d8590 }
      .grid { stroke: #30363d }
      .held { stroke: #58a6ff }
      .training { stroke: #d2a8ff }
      .baseline { stroke: #ffa657 }
      .best { fill: #58a6ff }
      .ground { fill: #0d1117 }
    }"""

Scale = Callable[[float], float]


def table(record: dict[str, Any]) -> str:
    """Return the losses as lines of Markdown, the largest first."""
    rows = sorted(record["bits_per_byte"].items(), key=lambda row: -row[1])
    width = max(len(name) for name, _ in rows)
    lines = [f"| {'model':{width}} | bits per byte |", f"| {'-' * width} | ------------: |"]
    return "\n".join(lines + [f"| {name:{width}} | {loss:13.3f} |" for name, loss in rows])


def facts(record: dict[str, Any]) -> str:
    text, run, versions = record["text"], record["run"], record["versions"]
    shape = ", ".join(f"`{name}` {record['settings'][name]}" for name in ("n_positions", "n_embd", "n_layer", "n_head"))
    lines = [
        f"parameters: {record['parameters']:,} ({shape}, `vocab_size` {record['settings']['vocab_size']:,})",
        f"the folder: {record['folder_bytes'] / 1e6:.1f} MB",
        f"versions: {', '.join(f'{name} {version}' for name, version in versions.items())}",
        f"seed: {record['settings']['seed']}, one thread",
        f"text: {text['topics']} topics of Python {versions['Python']}, sha256 `{text['sha256']}`",
        f"training: {text['training_bytes']:,} bytes, {text['training_tokens']:,} tokens",
        f"held out: {text['held_out_bytes']:,} bytes, {text['held_out_tokens']:,} tokens",
        f"held-out topics: {', '.join(text['held_out_topics'])}",
        f"run: {run['steps']:,} steps, {run['epochs']:.0f} times through the text, {run['minutes']:.0f} minutes",
        f"kept: step {run['best_step']:,}, the best; at the last step {run['last_loss']:.3f} bits per byte",
    ]
    return "\n".join(f"- {line}" for line in lines)


def figures(record: dict[str, Any]) -> str:
    """Return the generated part of README.md."""
    sample = record["sample"]
    how = f"temperature {sample['temperature']}, top-k {sample['top_k']}, seed {sample['seed']}"
    samples = [("Greedy", sample["greedy"]), (f"Sampled ({how})", sample["sampled"])]
    blocks = [f"{name}:\n\n```text\n{text.rstrip()}\n```" for name, text in samples]
    return "\n\n".join((table(record), facts(record), *blocks))


def with_figures(readme: str, record: dict[str, Any]) -> str:
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n{figures(record)}\n{END}{rest.split(END)[1]}"


def path(history: list[dict[str, float]], name: str, x: Scale, y: Scale) -> str:
    return "M" + " L".join(f"{x(entry['step']):.1f} {y(entry[name]):.1f}" for entry in history)


def grid(last_step: int, lowest: float, highest: float, x: Scale, y: Scale) -> list[str]:
    """Return the axes, a line at each half bit, and about five steps' numbers."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for half_bits in range(round(lowest * 2), round(highest * 2) + 1):
        at = y(half_bits / 2)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{half_bits / 2:.1f}</text>')
    spacing = max(last_step // 500 * 100, 100)
    parts += [
        f'<text x="{x(step):.1f}" y="{bottom + 18}" text-anchor="middle">{step:,}</text>'
        for step in range(0, last_step + 1, spacing)
    ]
    parts.append(f'<path class="axis" d="M{LEFT} {TOP} V{bottom} H{right}"/>')
    parts.append(f'<text x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">step</text>')
    return parts


def spread(wanted: list[tuple[float, str]], gap: float = 17) -> list[tuple[float, str]]:
    """Return the labels from the top down, moved apart until none covers another."""
    placed: list[tuple[float, str]] = []
    for at, text in sorted(wanted):
        placed.append((max(at, placed[-1][0] + gap) if placed else at, text))
    return placed


def description(record: dict[str, Any]) -> str:
    """Return what the picture shows, in words."""
    first, last, losses = record["history"][0], record["history"][-1], record["bits_per_byte"]
    return (
        f"Bits per byte over {last['step']:,} steps. Held out: from {first['held_out']:.2f} at step {first['step']} to"
        f" the best, {losses['tiny-gpt2']:.2f}, at step {record['run']['best_step']:,}. Training, with dropout: from"
        f" {first['training']:.2f} to {last['training']:.2f}. A bigram model of the same tokens stays at"
        f" {losses['bigram of the same tokens']:.2f} on the held-out text."
    )


def loss_curve(record: dict[str, Any]) -> str:
    """Return the SVG: training and held-out loss by step, the bigram's as a level."""
    history, run = record["history"], record["run"]
    bigram, best = record["bits_per_byte"]["bigram of the same tokens"], record["bits_per_byte"]["tiny-gpt2"]
    losses = [entry[name] for entry in history for name in ("training", "held_out")]
    lowest, highest = int(min(losses) * 2) / 2, int(max(losses) * 2) / 2 + 0.5
    right, bottom, last = WIDTH - RIGHT, HEIGHT - BOTTOM, history[-1]

    def x(step: float) -> float:
        return LEFT + (right - LEFT) * step / last["step"]

    def y(loss: float) -> float:
        return bottom - (bottom - TOP) * (loss - lowest) / (highest - lowest)

    labels = spread(
        [
            (y(last["held_out"]) + 4, f"held out {last['held_out']:.2f}"),
            (y(last["training"]) + 4, f"training {last['training']:.2f}"),
            (y(bigram) + 4, f"bigram, held out {bigram:.2f}"),
        ]
    )
    body = [
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="26">Loss of tiny-gpt2, bits per byte</text>',
        *grid(last["step"], lowest, highest, x, y),
        f'<line class="baseline" x1="{LEFT}" x2="{right}" y1="{y(bigram):.1f}" y2="{y(bigram):.1f}"/>',
        f'<path class="training" d="{path(history, "training", x, y)}"/>',
        f'<path class="held" d="{path(history, "held_out", x, y)}"/>',
        f'<circle class="best" cx="{x(run["best_step"]):.1f}" cy="{y(best):.1f}" r="4.5"/>',
        *(f'<text x="{right + 8}" y="{at:.1f}">{text}</text>' for at, text in labels),
    ]
    names = 'role="img" aria-labelledby="title description"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {names}>',
        '  <title id="title">Loss of tiny-gpt2 while it was trained</title>',
        f'  <desc id="description">{description(record)}</desc>',
        f"  <style>\n{STYLE}\n  </style>",
    ]
    return "\n".join([*head, *(f"  {part}" for part in body), "</svg>\n"])
