"""What the verbs around a check do and say: hint, progress, solution, reset, undo, history.

Their arguments are read in ``desk``.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from autograder import client
from autograder import course as courses
from autograder.console import agreed, complain, is_terminal, note, pour, say, say_next, wrapped
from autograder.errors import CourseError, NotDone, UsageError
from autograder.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autograder.course import Course, Step
    from autograder.history import Version


@contextmanager
def _opened() -> Iterator[tuple[Course, Memory]]:
    """Give the course and what is remembered of the learner; what went wrong with the latter is told at the end."""
    course = courses.load(courses.find_root(client.here()))
    memory = Memory(course.root)
    try:
        yield course, memory
    finally:
        _tell(memory)


def _tell(memory: Memory) -> None:
    """Tell what went wrong, once: before the line that names the next act, where there is one."""
    while memory.troubles:
        complain(memory.troubles.pop(0))


def _run(verb: str, step: Step) -> str:
    return f"{client.road()} {verb} {step.task}" if verb else f"{client.road()} {step.task}"


def hint(step: str | None, number: int | None) -> None:
    """Give the next hint, or an earlier one again; none is given before the one above it in the list."""
    with _opened() as (course, memory):
        _hint(course, client.ready_step(course, step) if step else _next(course, memory), memory, number)


def _hint(course: Course, step: Step, memory: Memory, number: int | None) -> None:
    from autograder.hints import ladder, plain

    hints = ladder(course, step)
    total, taken = len(hints), memory.state(step.slug).hints
    if number is not None and not 1 <= number <= total:
        raise UsageError(f"step {step.id} has hints 1 to {total}: {number} is none of them")
    if number is not None and number > taken + 1:
        raise UsageError(
            f"hint {number} of step {step.id} comes after hint {taken + 1}: take it by {_run('hint', step)}"
        )
    is_over = number is None and taken >= total
    shown = number if number is not None and number <= taken else memory.take_hint(step.slug, total)
    say(wrapped(f"Hint {shown}/{total} for step {step.id}: {plain(hints[shown - 1].text)}"))
    if is_over:
        say("")
        say(wrapped(f"These were all {total} hints, and this is the last one again. The text is steps/{step.name}.md."))
    if memory.troubles:
        _tell(memory)
        complain(f"where hints cannot be counted, they can be read in steps/{step.name}.md")
    say("")
    if is_over and not course.is_bundle:
        say_next(f"{_run('', step)}, or {_run('solution', step)} for the finished code")
    elif max(shown, taken) < total:
        say_next(f"{_run('', step)}, or {_run('hint', step)} for the next hint")
    else:
        say_next(_run("", step))


def progress(*, plain: bool, as_json: bool) -> None:
    """Show how the learner stands with each step, and which one is next."""
    from autograder.progress import next_step, standings, unknown
    from autograder.views import progress as view

    with _opened() as (course, memory):
        found = list(standings(course, memory))
        strange, following = unknown(course, memory), next_step(found)
        if as_json:
            say(view.document(course, found, strange, following, client.road()))
            return
        is_drawn = is_terminal() and not plain
        for line in view.drawn(course, found) if is_drawn else view.plain(course, found):
            say(wrapped(line, view.HANG if is_drawn else 2))
        say("")
        for slug in strange:
            say(wrapped(_carry_over(slug), 2))
        _tell(memory)
        if following:
            say_next(_run("", following))
        else:
            say("Every step that is there has passed.")


def _carry_over(slug: str) -> str:
    lost = f"There is work recorded under {slug}, which course.toml no longer has"
    names = f".autograder/steps/{slug}.jsonl to .autograder/steps/NEW_NAME.jsonl"
    return f"{lost}: to carry it over to the step's new name, rename {names}"


def solution(step: str, *, yes: bool) -> None:
    """Print the finished code; ask first when the step has not passed."""
    with _opened() as (course, memory):
        chosen = client.ready_step(course, step)
        course.require("finished code", f"{_run('hint', chosen)} gives a hint")
        text = _solution_text(course, chosen)
        question = f"Step {chosen.id} has not passed yet. Print its solution?"
        if not memory.state(chosen.slug).has_passed and not agreed(question, yes=yes):
            raise NotDone(f"nothing was printed. {_run('hint', chosen)} gives a hint")
        pour(text.encode())
        _tell(memory)
        note(f"Next: {_run('', chosen)}")


def _solution_text(course: Course, step: Step) -> str:
    from autograder.files import read_text
    from autograder.generate import GENERATED

    name = f"solutions/{step.name}.py"
    try:
        text = read_text(course.stub(step, "solutions"))
    except (OSError, UnicodeDecodeError):
        raise CourseError(f"is missing or cannot be read: {client.road()} generate makes it", name) from None
    head, _, body = text.partition("\n")
    return body if GENERATED.match(head) else text


def reset(step: str, *, yes: bool) -> None:
    """Write the stub again, and say where the file that it replaces is kept."""
    from autograder import restore

    with _opened() as (course, memory):
        chosen = client.ready_step(course, step)
        name = f"steps/{chosen.name}.py"
        found = restore.look(course, chosen)
        question = f"Write the stub over {name}? Your file is kept, and {_run('undo', chosen)} brings it back."
        if found.kind == "edited" and not agreed(question, yes=yes):
            raise NotDone(f"nothing was written: {name} is as it was")
        kept = restore.reset(course, chosen, memory, found)
        if found.kind == "untouched":
            say(wrapped(f"There is nothing to reset: {name} is the stub, as generated."))
        elif kept is None:
            say(wrapped(f"{name} was missing: it is there again, as the stub."))
        else:
            say(wrapped(f"{name} is the stub again. {_run('undo', chosen)} brings back what it was, kept in"))
            say(memory.archive.path(kept).relative_to(course.root).as_posix())
        _tell(memory)
        say_next(_run("", chosen))


def undo(step: str) -> None:
    """Bring back what the last reset, or the last undo, replaced."""
    from autograder import restore, stubs
    from autograder.history import local_time

    with _opened() as (course, memory):
        chosen = client.ready_step(course, step)
        before = restore.undo(course, chosen, memory)
        what = ", the untouched stub" if stubs.is_untouched(course, chosen) else ""
        when = local_time(before.when)
        say(wrapped(f"steps/{chosen.name}.py is as it was before the {before.verb} of {when}{what}."))
        _tell(memory)
        say_next(f"{_run('', chosen)}, or {_run('undo', chosen)} to take this back")


def history(step: str, number: int | None, *, diff: bool) -> None:
    """List the versions, or print one, or how the file now differs from it."""
    from autograder.history import versions

    with _opened() as (course, memory):
        chosen = client.ready_step(course, step)
        present = _present(course, chosen)
        found = versions(memory.events(chosen.slug), present)
        if number is not None:
            _show_version(memory, chosen, _find(found, number, chosen), present, diff)
        elif diff:
            raise UsageError(f"--diff needs a version's number: {_run('history', chosen)} N --diff")
        elif found:
            _list_versions(memory, chosen, found)
        else:
            say(wrapped(f"No version of steps/{chosen.name}.py has been checked yet."))
            _tell(memory)
            say_next(_run("", chosen))


def _list_versions(memory: Memory, step: Step, found: Sequence[Version]) -> None:
    from autograder.history import local_time

    say(wrapped(f"Versions of steps/{step.name}.py, newest first:"))
    for version in found:
        marks = [version.words]
        marks += ["the file as it is now"] if version.is_present else []
        marks += [] if memory.archive.has(version.sha256) else ["its text is not kept"]
        when = f"{version.number:4d}  {local_time(version.when)}  "
        say(wrapped(when + "; ".join(marks), len(when)))
    _tell(memory)
    say_next(f"{_run('history', step)} {found[0].number} prints that version; --diff shows what has changed since")


def _find(found: Sequence[Version], number: int, step: Step) -> Version:
    for version in found:
        if version.number == number:
            return version
    extent = f"its versions are 1 to {len(found)}" if found else "no version of it has been checked yet"
    raise UsageError(f"step {step.id} has no version {number}: {extent}")


def _show_version(memory: Memory, step: Step, version: Version, present: bytes | None, diff: bool) -> None:
    from autograder.history import difference

    data = memory.version(version.sha256)
    if data is None:
        raise NotDone(f"the text of version {version.number} of step {step.id} is not kept (any more)")
    if not diff:
        pour(data)
        return
    if present is None:
        raise NotDone(f"steps/{step.name}.py is not there: {_run('reset', step)} brings the stub back")
    lines = difference(data, present, (f"version {version.number}", f"steps/{step.name}.py"))
    if lines:
        pour("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
    else:
        say(f"Version {version.number} says the same as steps/{step.name}.py.")


def _present(course: Course, step: Step) -> bytes | None:
    try:
        return course.stub(step).read_bytes()
    except OSError:
        return None


def _next(course: Course, memory: Memory) -> Step:
    from autograder.progress import next_step, standings

    step = next_step(standings(course, memory))
    if step is None:
        raise UsageError(
            f"every step that is there has passed: name one, as in {client.road()} hint {course.steps[0].task}"
        )
    return step


def server(action: str) -> None:
    """Say how old the warm server of this checkout is and what it uses, or end it."""
    from autograder import warm

    found = warm.ask(action)
    if found is None and warm.is_between(str(courses.find_root(client.here()))):
        say("A warm server of this course is just starting, or ending.")
        say_next(f"{client.road()} server {action}, in some seconds")
    elif found is None:
        say("No warm server runs for this course.")
        say_next(f"{_run('', _first())} starts one, and leaves it for the checks after it")
    elif action == "stop":
        say(wrapped("The warm server ends, once the checks that are under way are done."))
        say_next(f"{_run('', _first())} starts another")
    else:
        pid, age_s, requests = map(int, found)
        say(f"The warm server of this course is process {pid}.")
        used = f"uses {_memory_mb(pid)} MB of memory"
        say(wrapped(f"It is {_age(age_s)} old, {used}, and has made {_checks(requests)}."))
        say_next(f"{client.road()} server stop ends it; after 15 idle minutes it ends by itself")


def _first() -> Step:
    return courses.load(courses.find_root(client.here())).steps[0]


def _age(age_s: int) -> str:
    return f"{age_s} seconds" if age_s < 120 else f"{age_s // 60} minutes"


def _checks(number: int) -> str:
    return "1 check" if number == 1 else f"{number} checks"


def _memory_mb(pid: int) -> int:
    """Return what a process and all that came of it use, with what they share counted once."""
    import psutil

    from autograder.family import shared_once_bytes

    leader = psutil.Process(pid)
    return round(shared_once_bytes([leader, *leader.children(recursive=True)]) / 2**20)
