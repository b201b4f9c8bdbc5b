"""What a learner's code did in place of answering, in words: it raised, ended its process, or had to be ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from autograder import wire
    from autograder.report import Outcome
    from autograder.student import StudentRaised
    from autograder.supervisor import Ended

_LINES, _LONGEST = 3, 600  # lines and characters of an exception's text: some seven lines of a terminal
_SHORT = {"timeout": "a time-out", "crash": "a crash", "limit": "a limit"}


class Trouble(NamedTuple):
    """The outcome, `got` for the line, the sentences below it, the learner's frame that it came from, the call."""

    outcome: Outcome
    got: str
    detail: tuple[str, ...]
    frame: wire.Frame | None = None
    call: str | None = None
    unfinished: bool = False
    untried: bool = False  # nothing came to be asked: whatever is said of how it fails would be untrue


def of_ended(ended: Ended, call: str, frames: Sequence[wire.Frame] = (), references: Collection[str] = ()) -> Trouble:
    """Return the trouble of a worker that is no more; `frames` are those of the program, `references` as below."""
    own = [frame for frame in frames if frame.filename not in references]
    where = ", while the file was being imported" if ended.loading else ""
    detail = [f"your code {ended.sentence}{where}"]
    if ended.outcome == "timeout" and ended.loading:
        detail.append(
            'long work at the top level? Under `if __name__ == "__main__":` it runs by hand, and not in a check'
        )
    elif ended.outcome == "timeout":
        detail.append("a loop that never ends, or a wait for something that never comes?")
    detail += [*_reference(frames, references), *_frames(own, 0)]
    return Trouble(ended.outcome, _SHORT[ended.outcome], tuple(detail), own[-1] if own else None, call or None)


def of_exception(error: StudentRaised, references: Collection[str] = ()) -> Trouble:
    """Return the trouble of code that raised; `references` are files that stand in for a learner's earlier steps."""
    raised, call = error.raised, error.call or None
    own = [frame for frame in raised.frames if frame.filename not in references]
    frame = own[-1] if own else None
    text = _cut(f"{raised.type_name}: {raised.message}" if raised.message else raised.type_name)
    if raised.forbidden:
        says = f"your code called {raised.forbidden}, which this step does without: write it yourself"
        return Trouble("failed", f"a call of {raised.forbidden}", (says,), frame, call, untried=True)
    if raised.builtin == "NotImplementedError" and raised.own:
        todo = (f"not done yet: {raised.message or 'NotImplementedError'}",)
        return Trouble("failed", "nothing yet", todo, frame, call, unfinished=True, untried=True)
    if raised.builtin == "SystemExit":
        return Trouble("error", "an exit", ("your code called sys.exit: a step returns its values",), frame, call)
    if raised.builtin == "MemoryError" or "can't allocate memory" in raised.message:
        return Trouble("limit", "a limit", (f"your code asked for more memory than there is: {text}",), frame, call)
    if raised.builtin in ("SyntaxError", "IndentationError", "TabError") and frame is None:
        return Trouble("bad_input", "a syntax error", (text,), None, call)
    detail = (text, *_advice(raised), *_reference(raised.frames, references), *_frames(own, raised.omitted))
    return Trouble("error", raised.type_name, detail, frame, call)


def _cut(text: str) -> str:
    """Return the first lines of an exception's text, and how much more there is."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    first, more = "\n".join(lines[:_LINES]), len(lines) - _LINES
    if len(first) > _LONGEST:
        first = f"{first[:_LONGEST]} … and {len(first) - _LONGEST:,} more characters"
    return first if more <= 0 else f"{first}\n… and {more} more line{'s' if more > 1 else ''}"


def _reference(frames: Sequence[wire.Frame], references: Collection[str]) -> tuple[str, ...]:
    """Return a sentence where it happened in an earlier step's own code, which a learner has not to look at."""
    last = frames[-1] if frames else None
    if last is None or last.filename not in references:
        return ()
    step = Path(last.filename).stem.replace("_", " ")
    return (f"{step} is right: what is its {last.function} given?",)


def _advice(raised: wire.Raised) -> tuple[str, ...]:
    if raised.builtin == "EOFError":
        return ("there is nobody to answer input() in a check: remove it",)
    if raised.type_name == "BdbQuit":
        return ("a breakpoint() has nobody to talk to here: run the check with --debug",)
    if raised.builtin == "KeyboardInterrupt":
        return ("KeyboardInterrupt came from your own code",)
    return ()


def _frames(frames: Sequence[wire.Frame], omitted: int) -> tuple[str, ...]:
    """Return the learner's frames but the last, which is shown with its line."""
    last = [(frames[-1].filename, frames[-1].line)] if frames else []
    before = [
        f"{frame.filename}:{frame.line}, in {frame.function}"
        for frame in frames[:-1]
        if [(frame.filename, frame.line)] != last  # a comprehension's line, and the function's around it
    ]
    if omitted:
        before.insert(len(before) // 2, f"… {omitted} more frames …")
    return tuple(f"called from {text}" if not text.startswith("…") else text for text in before)
