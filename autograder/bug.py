"""What the verb `bug` does and says: a finished part with one mistake is written, judged, and at last explained."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from autograder import client, files, warm
from autograder import course as courses
from autograder.casebook import Casebook
from autograder.console import agreed, columns, complain, is_terminal, say, say_next, wrapped
from autograder.errors import CourseError, NotDone
from autograder.hunt import Hunt, Part, part_called
from autograder.memory import text_sha256
from autograder.views.layout import fitted, printable, quoted
from autograder.waiting import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.client import Warmth
    from autograder.course import Step
    from autograder.culprit import Culprit, Suspects
    from autograder.run import Verdict
    from autograder.trial import Trial
    from autograder.views.layout import Line

_TRIALS = 12


def bug(
    part: str | None,
    *,
    new: bool,
    show_all: bool,
    yes: bool,
    warmth: Warmth | None = None,
    announced: bool = False,
) -> int:
    """Write the part with a mistake, or judge it where it is there; return the exit code.

    Args:
        part: its number, as the user writes it; None for the first that is whole.
        new: draw another mistake.
        show_all: show all that fails.
        yes: the user agrees to what is asked.
        warmth: what is ready, for a warm server's judge.
        announced: whether the first line is on the screen already.

    Errors: client.Cold, where `warmth` is given and does not do.
    """
    course = courses.load(courses.find_root(client.here()))
    chosen = part_called(course, part)
    book = Casebook(course.root, chosen.name)
    hunt = Hunt(chosen, book, warmth, announced)
    try:
        code = 0
        if chosen.path.exists() and not new:
            code = _check(hunt, show_all)
        else:
            _write(hunt, new=new, yes=yes)
    finally:
        for trouble in book.troubles:
            complain(trouble)
    if warmth is None:
        warm.leave_server(str(course.root))
    return code


# ------------------------------------------------------------------------------------------------------------- writing


def _write(hunt: Hunt, *, new: bool, yes: bool) -> None:
    """Draw a mistake and write the file, or the same file again where it has gone missing."""
    part, book = hunt.part, hunt.book
    draws = book.draws()
    present = _present(part)
    if present is not None and _is_unsolved_work(present, book):
        question = f"Draw another mistake and write it over {part.shown}? Your file is kept."
        if not agreed(question, yes=yes):
            raise NotDone(f"nothing was written: {part.shown} is as it was")
    hunt.announce(f"Writing {part.shown}: the finished {part.extent}, with one mistake...")
    suspects = part.suspects()
    before = book.hunted()
    again = suspects.named(*before) if before and not new else None
    culprit, seed = (again, before.seed) if again and before else _drawn(hunt, suspects, {each.text for each in draws})
    hunt.begin_to_write()
    present = _present(part)  # as it is now: it may have been saved meanwhile
    kept = None if present is None else _keep(part, book, present)
    if not again:
        book.remember_draw(seed, culprit.sha256)
    try:
        files.write_text(part.path, culprit.text)
    except OSError as error:
        if not again and before is not None:
            book.remember_draw(*before)  # it is still that one's file
        raise NotDone(f"{part.shown} could not be written ({error.strerror}): it is as it was") from error
    say("")
    if again:
        say(wrapped(f"{part.shown} was not there: it is written again, with the same mistake."))
    _introduce(part)
    if kept is not None:
        say(wrapped(f"Your file is kept as {kept}."))
    say("")
    say_next(f"read {part.shown}, then {part.run}")


def _introduce(part: Part) -> None:
    say(wrapped(f"{part.shown} is {part.extent} in one file, finished, and one thing in it is wrong."))
    say(wrapped("It runs, but what it gives is not right. Find out where, and mend it there."))
    say("")
    say("Two ways to look:")
    outside = f"- from outside: {part.run} says how it fails at its end, and --all where else"
    module = f"steps.{part.name}"
    inside = f"- from inside: import {module}, give a part of it and of yours the same weights and inputs, and compare"
    say(wrapped(outside, 2))
    say(wrapped(inside, 2))


def _drawn(hunt: Hunt, suspects: Suspects, known: set[str]) -> tuple[Culprit, str]:
    """Return a mistake that was not drawn before, as long as there is one, and the seed that gives it.

    Errors: NotDone, when none of those that were tried lets the program run and fails by its values.
    """
    from autograder.draw import new_seed

    part, seed = hunt.part, new_seed() + new_seed()
    listed = list(suspects.ordered(seed))
    fresh = [culprit for culprit in listed if culprit.sha256 not in known][:_TRIALS]
    before = [culprit for culprit in listed if culprit.sha256 in known][:_TRIALS]
    with hunt.trial() as trial:
        found = _first(part, trial, fresh, seed) or _first(part, trial, before, seed)
    if found is not None:
        return found, seed
    problem = f"with none of the {len(fresh) + len(before)} mistakes that were tried, {part.extent} run and give wrong"
    raise NotDone(f"{problem} numbers: nothing was written. {part.run} --new tries others")


def _first(part: Part, trial: Trial, culprits: Sequence[Culprit], seed: str) -> Culprit | None:
    """Return the first whose symptom shows in other steps too, as a bug's does; else the first that is fair."""
    from autograder.culprit import reach

    fair = None
    for culprit in culprits:
        found = reach(trial, culprit, part.shown, seed)
        if found:
            return culprit
        if found is not None:
            fair = fair or culprit
    return fair


def _present(part: Part) -> bytes | None:
    try:
        return part.path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotDone(f"{part.shown} could not be read ({error.strerror}), so nothing was written") from error


def _is_unsolved_work(present: bytes, book: Casebook) -> bool:
    text = text_sha256(present)
    draws = book.draws()
    return not (draws and draws[-1].text == text) and not book.has_passed(text)


def _keep(part: Part, book: Casebook, data: bytes) -> str:
    try:
        return book.keep(data)
    except OSError as error:
        reason = f"{part.shown} could not be kept in .autograder/ ({error.strerror}), so nothing was written"
        raise NotDone(reason) from error


# ------------------------------------------------------------------------------------------------------------- judging


def _check(hunt: Hunt, show_all: bool) -> int:
    """Judge the file by the checks of all steps of the part; return the exit code."""
    started = time.monotonic()
    part, book = hunt.part, hunt.book
    hunt.announce(f"Checking {part.shown} by the checks of {part.extent}...")
    from autograder.draw import new_seed
    from autograder.report import EXIT_CODES, worst
    from autograder.submission import Unreadable, read

    try:
        submission = read(part.course, part.path, part.shown)
    except Unreadable as error:
        hunt.begin_to_write()
        return _cannot_be_judged(part, book, error)
    seed = new_seed()
    with hunt.trial() as trial, told(trial.nursery):
        found = list(trial.verdicts(submission, seed))
    outcome = worst([verdict.outcome for _, verdict in found])
    if outcome == "internal" and hunt.warmth is not None:
        raise client.Cold
    hunt.begin_to_write()
    book.remember_try(submission.data, outcome)
    say("\nResults:")
    if outcome == "passed" and len(found) == len(part.steps):
        say(wrapped(f"✅ every check of {part.extent} passes: it is mended", 3))
        _tell(part, book)
        return 0
    _show_failures(part, found, show_all)
    worker, taken_ms = "cold" if hunt.warmth is None else "warm", round((time.monotonic() - started) * 1000)
    say(f"learner: {part.shown} · seed {seed} · {worker} · {taken_ms} ms")
    say_next(f"{client.road()} doctor" if outcome == "internal" else f"edit {part.shown}, then {part.run}")
    return EXIT_CODES[outcome]


def _cannot_be_judged(part: Part, book: Casebook, error: Exception) -> int:
    from autograder.submission import Unreadable

    assert isinstance(error, Unreadable)
    if error.data is not None:
        book.remember_try(error.data, "bad_input")
    say("\nResults:")
    place = f" ({error.where.file}:{error.where.line})" if error.where else ""
    say(wrapped(f"❌ {part.shown} cannot be judged: {printable(error.sentence)}{place}", 3))
    if error.where is not None:
        _draw(quoted(error.where))
    say("")
    say_next(f"edit {part.shown}, then {part.run}; {part.run} --new draws another, and keeps this one")
    return 1


def _show_failures(part: Part, found: list[tuple[Step, Verdict]], show_all: bool) -> None:
    from autograder.views.hunt import Failing, failures, passing

    failing = [
        Failing(f"Step {step.id}: {step.title}", verdict.checks, verdict.output)
        for step, verdict in found
        if verdict.outcome != "passed"
    ]
    shown = failing if show_all else failing[-1:]
    untried = len(part.steps) - len(found)
    _draw(failures(shown, len(failing) - len(shown), untried, f"{part.run} --all", in_full=show_all))
    if others := len(found) - len(failing):
        say(wrapped(passing(others)))
    say("")


def _draw(lines: Sequence[Line]) -> None:
    for line in fitted(lines, columns(sys.stdout)) if is_terminal() else lines:
        say(line.text)


def _tell(part: Part, book: Casebook) -> None:
    """Say which mistake it was, in how many attempts it was mended, and how others find such."""
    from autograder.views.hunt import changes

    drawn = book.hunted()
    suspects = part.suspects()
    culprit = suspects.named(*drawn) if drawn else None
    say("")
    if culprit is None:
        lost = ".autograder/ does not have it" if not drawn else "the course has changed since it was drawn"
        say(wrapped(f"Which mistake it was is not known any more: {lost}."))
    else:
        say(wrapped(f"It was {culprit.mistake.name}, in step {culprit.step.id}, {culprit.step.title}:"))
        say(wrapped(f"   {culprit.mistake.says}", 3))
        _draw(list(changes(culprit.text, suspects.right())))
        attempts = book.attempts()
        if attempts:
            say(f"Mended in {attempts} attempt{'s' if attempts > 1 else ''}.")
    advice = _advice(part)
    if advice:
        say("")
        say(wrapped(advice, 2))
    say("")
    say_next(f"{part.run} --new draws another mistake")


def _advice(part: Part) -> str:
    """Return what the course says of finding such bugs; nothing where it says nothing.

    Errors: CourseError, when it cannot be read.
    """
    name = f"puzzles/bugs/{part.name}.md"
    path = part.course.root / name
    try:
        return part.course.read(path).strip() if part.course.has(path) else ""
    except (OSError, UnicodeDecodeError):
        raise CourseError("cannot be read: save it as UTF-8", name) from None
