"""What a learner sees of each mistake is what was kept: a change of a word is seen by whoever reviews it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder import rejections, transcript
from autograder.files import read_text
from autograder.gate.proof import Fault, Proof

if TYPE_CHECKING:
    from autograder.gate.stand import Stand


def made(stand: Stand) -> dict[str, str]:
    """Return what a learner sees who makes each mistake, by its name."""
    return {mistake.name: transcript.of(stand.told(mistake), stand.course) for mistake in stand.mistakes}


def rejected(stand: Stand) -> dict[str, rejections.Sets]:
    """Return which checks reject each mistake, on both seeds."""
    return {
        mistake.name: [list(each) for each in dict.fromkeys(tuple(sorted(shown)) for shown in stand.known(mistake))]
        for mistake in stand.mistakes
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
    if rejections.read(stand.course, stand.step) != rejected(stand):
        where = stand.relative(rejections.path(stand.course, stand.step))
        faults.append(Fault(where, "other checks reject a mistake now than were recorded", mend))
    return Proof("transcripts", len(now) - len(other), len(now), faults)
