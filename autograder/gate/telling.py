"""What the gate has proved, in words: a paragraph a step as soon as all of it is done, and a bar until then."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from autograder.console import say
from autograder.gate import idle
from autograder.gate.proof import Proof

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autograder.course import Course, Step
    from autograder.gate.line import Task

_WORDS = {
    "checks": "checks",
    "words": "the text's promises kept",
    "mistakes": "mistakes named",
    "variants": "variants accepted",
    "mutants": "generic mutants killed",
    "seeds": "seeds agreed",
    "pairs": "pairs of mistakes told no wrong name",
    "laws": "laws that hold of all that is right",
    "transcripts": "transcripts as kept",
    "cancelling": "cancelling pairs caught",
    "itself": "red when it is broken on purpose",
    "rejections": "checks that reject something",
}


def show(
    course: Course, steps: Sequence[Step], work: Sequence[Task], proofs: Iterable[tuple[Task, Proof]]
) -> dict[str, list[Proof]]:
    """Print each step's proofs when all of them are there, and return them by slug, the parts of one put together."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    started = time.monotonic()
    waiting = {step.slug: sum(task.slug == step.slug for task in work) for step in steps}
    parts: dict[str, dict[str, list[Proof]]] = {step.slug: {} for step in steps}
    whole: dict[str, list[Proof]] = {}
    columns = TextColumn("proving"), BarColumn(), MofNCompleteColumn(), TextColumn("proofs"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("", total=len(work))
        for task, proof in proofs:
            parts[task.slug].setdefault(task.room, []).append(proof)
            waiting[task.slug] -= 1
            progress.advance(bar)
            if not waiting[task.slug]:
                whole[task.slug] = [joined(each) for each in parts[task.slug].values()]
                step = next(step for step in steps if step.slug == task.slug)
                if parts[task.slug].keys() >= {"mistakes", "mutants"}:
                    whole[task.slug].append(idle.prove(course, step, whole[task.slug]))
                for line in lines(step, whole[task.slug]):
                    say(line)
    faults = sum(len(proof.faults) for proofs_of in whole.values() for proof in proofs_of)
    hold = sum(not any(proof.faults for proof in proofs_of) for proofs_of in whole.values())
    ending = f", {faults} to mend" if faults else ""
    say(f"{hold} of {len(whole)} steps hold{ending}, in {_minutes(time.monotonic() - started)}.")
    return whole


def joined(parts: Sequence[Proof]) -> Proof:
    """Return the parts of one proof as one."""
    kills: dict[str, list[str]] = {}
    for part in parts:
        kills |= part.kills
    return Proof(
        parts[0].room,
        sum(part.done for part in parts),
        sum(part.of for part in parts),
        [fault for part in parts for fault in part.faults],
        kills,
        [note for part in parts for note in part.notes],
        parts[0].seconds,
    )


def lines(step: Step, proofs: Sequence[Proof]) -> list[str]:
    """Return what is told of a step: its counts on one line, then each fault and each declared equivalent."""
    by_room: Mapping[str, Proof] = {proof.room: proof for proof in proofs}
    counts = [
        f"{words} {by_room[room].done}/{by_room[room].of}"
        for room, words in _WORDS.items()
        if room in by_room and (by_room[room].of or by_room[room].faults)  # a step need not have laws, or what cancels
    ]
    faults = [fault for proof in proofs for fault in proof.faults]
    notes = [note for proof in proofs for note in proof.notes]
    made = [f"{'❌' if faults else '✅'} {step.task} {step.slug}: {', '.join(counts)}"]
    made += [f"   {fault}" for fault in faults]
    return made + [f"   {note}" for note in notes]


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} minutes"
