"""A page for reviewers: which check rejects what, lines that none reaches, what hints give away, what learners see."""

from __future__ import annotations

import html
import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from autograder import checking, hints, played, transcript
from autograder.files import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autograder.checking import Checker
    from autograder.course import Course, Step
    from autograder.gate.proof import Proof

ROOMS = ("checks", "words", "mistakes", "variants", "mutants")
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24;
  background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { border: 1px solid #c4cad1; padding: .2rem .5rem; text-align: left; vertical-align: bottom; }
thead th { font-weight: 600; background: #f0f2f5; }
td.yes { text-align: center; background: #e6f3ea; }
pre { background: #f6f8fa; padding: .8rem; overflow-x: auto; font: 13px/1.4 ui-monospace, monospace; }
.fault { color: #a40e26; }
nav a { margin-right: .8rem; }
@media (prefers-color-scheme: dark) {
  body { color: #e2e6ea; background: #16191d; } a { color: #8ab4f8; }
  thead th, pre { background: #22262b; } th, td { border-color: #444b53; }
  td.yes { background: #1d3a27; } .fault { color: #ff8a8a; }
}
"""
_TOKEN = re.compile(r"\w+|[^\w\s]")


def page(course: Course, steps: Sequence[Step], proofs: Mapping[str, Sequence[Proof]]) -> str:
    """Return the whole page, which fetches nothing."""
    title = html.escape(f"{course.title}: what the checks catch")
    links = "".join(f'<a href="#{step.slug}">{step.id} {html.escape(step.title)}</a>' for step in steps)
    body = "\n".join(_step(course, step, {proof.room: proof for proof in proofs[step.slug]}) for step in steps)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{title}</h1>\n<nav>{links}</nav>\n{body}\n</body></html>\n"
    )


def _step(course: Course, step: Step, proofs: Mapping[str, Proof]) -> str:
    checker = checking.of_step(course, step)
    faults = [str(fault) for proof in proofs.values() for fault in proof.faults]
    parts = [
        f'<h2 id="{step.slug}">Step {step.id}: {html.escape(step.title)}</h2>',
        _counts(proofs),
        *(f'<p class="fault">{html.escape(fault)}</p>' for fault in faults),
        "<h3>Which check rejects which mistake</h3>",
        _kills(checker, proofs["mistakes"]),
        "<h3>Generic mutants by the check that rejects them first</h3>",
        _firsts(proofs["mutants"]),
        "<h3>Time of each check, with the solution</h3>",
        _times(proofs["checks"]),
        "<h3>What the hints share with the solution</h3>",
        _leakage(course, step),
        "<h3>What a learner sees of each mistake</h3>",
        _seen(course, step),
    ]
    return "\n".join(parts)


def _counts(proofs: Mapping[str, Proof]) -> str:
    items = (f"{proof.room} {proof.done}/{proof.of}" for proof in proofs.values())
    return f"<p>{html.escape(', '.join(items))}</p>"


def _kills(checker: Checker, proof: Proof) -> str:
    names = [check.id for check in checker.checks]
    rows = [
        [html.escape(mistake), *("✓" if name in failed else "" for name in names)]
        for mistake, failed in proof.kills.items()
    ]
    return _table(["mistake", *map(html.escape, names)], rows)


def _firsts(proof: Proof) -> str:
    counts: dict[str, int] = {}
    for failed in proof.kills.values():
        counts[failed[0]] = counts.get(failed[0], 0) + 1
    rows = [[html.escape(name), str(count)] for name, count in sorted(counts.items(), key=lambda item: -item[1])]
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in proof.notes)
    return _table(["check", "mutants"], rows) + (f"<ul>{notes}</ul>" if notes else "")


def _times(proof: Proof) -> str:
    rows = [[html.escape(name), f"{seconds * 1000:.0f} ms"] for name, seconds in proof.seconds.items()]
    return _table(["check", "time"], rows)


def _leakage(course: Course, step: Step) -> str:
    puzzle = played.finished(course, step)
    code = puzzle.finished().splitlines()
    tokens = _TOKEN.findall("\n".join(code[line - 1] for line in puzzle.fenced()))
    rows = []
    for number, hint in enumerate(hints.ladder(course, step), 1):
        words = _TOKEN.findall(hint.text)
        same = SequenceMatcher(None, words, tokens, autojunk=False).find_longest_match()
        rows.append([str(number), str(same.size), html.escape(" ".join(words[same.a : same.a + same.size]))])
    return _table(["hint", "longest run of tokens", "which"], rows)


def _seen(course: Course, step: Step) -> str:
    path = transcript.path(course, step)
    if not path.is_file():
        return "<p>Nothing is kept: pixi run record --mistakes makes it.</p>"
    return "".join(
        f"<details><summary>{html.escape(name)}</summary><pre>{html.escape(text)}</pre></details>"
        for name, text in transcript.apart(read_text(path)).items()
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>None.</p>"
    first = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    return f'<td class="yes">{text}</td>' if text == "✓" else f"<td>{text}</td>"
