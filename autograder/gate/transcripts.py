"""What a learner sees of each mistake is what was kept: a change of a word is seen by whoever reviews it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder import rejections, transcript
from autograder.files import read_text
from autograder.gate.proof import Fault, Proof
from autograder.gate.stand import SEEDS

if TYPE_CHECKING:
    from autograder.checking import Mistake
    from autograder.gate.stand import Stand


def made(stand: Stand) -> dict[str, str]:
    """Return what a learner sees who makes each mistake, by its name."""
    return {mistake.name: transcript.of(stand.told(mistake), stand.course) for mistake in stand.mistakes}


def rejected(stand: Stand) -> dict[str, rejections.Sets]:
    """Return which checks reject each mistake, on both seeds."""

    def sets(mistake: Mistake) -> rejections.Sets:
        shown = (stand.known(mistake, seed) for seed in SEEDS)
        return [list(each) for each in dict.fromkeys(tuple(sorted(each)) for each in shown)]

    return {mistake.name: sets(mistake) for mistake in stand.mistakes}


def _as_recorded(stand: Stand) -> bool:
    """Return whether what is recorded of each mistake is what rejects it now, on the first seed."""
    recorded = rejections.read(stand.course, stand.step)
    return {name: sets[:1] for name, sets in recorded.items()} == {
        mistake.name: [sorted(stand.known(mistake))] for mistake in stand.mistakes
    }


def prove(stand: Stand) -> Proof:
    """Prove that the transcripts that are kept are what a learner sees now, and which checks reject each mistake."""
    path = transcript.path(stand.course, stand.step)
    mend = f"pixi run record --mistakes {stand.step.slug} keeps what is seen now: read the difference"
    kept = transcript.apart(read_text(path)) if path.is_file() else {}
    now = made(stand)
    place = stand.relative(path)
    other = [name for name, text in now.items() if kept.get(name) != text]
    faults = [Fault(place, f"what a learner sees of {name} is not what was kept", mend) for name in other]
    faults += [Fault(place, f"there is no mistake called {name}", mend) for name in kept if name not in now]
    if not _as_recorded(stand):
        where = stand.relative(rejections.path(stand.course, stand.step))
        faults.append(Fault(where, "other checks reject a mistake now than were recorded", mend))
    return Proof("transcripts", len(now) - len(other), len(now), faults)
