"""`autograder check`: prints the first line at once, has the step judged, and shows the report.

Imports the standard library alone until the first line is out.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TextIO

from autograder import course as courses
from autograder import progress, warm
from autograder.console import complain, ended, is_terminal, note, say
from autograder.errors import InternalError, UsageError
from autograder.memory import Memory
from autograder.views.plain import encodable

if TYPE_CHECKING:
    from collections.abc import Callable

    from autograder.beside import Beside
    from autograder.course import Course, Step
    from autograder.judge import Judged, Order
    from autograder.nursery import Nursery
    from autograder.report import Report
    from autograder.supervisor import Limits

_EXAMPLES = """\
examples:
  pixi run s07                     check step 07
  pixi run check attention --json  the same by name, as one JSON document
  pixi run s07 --seed 91c2         with the inputs of an earlier run
  pixi run check 7 --file mine.py  another file in place of steps/step_07.py; nothing is recorded
"""
_SAME_FAILURES = 3


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. `{road()} check --help` shows how")


class Cold(Exception):
    """A check that a warm server's judge cannot make: it has to be made where it was asked for."""


class Warmth(NamedTuple):
    """What a check finds ready where it is made by a warm server's judge, and how that tells the client how far it is.

    It says "announced" once the first line is out, and "writing" before the report. `ahead` gives what was found before
    anybody asked, where that still holds. `seed` is one that has been rehearsed, for whoever asked for none.
    """

    nursery: Nursery
    limits: Limits
    beside: Beside | None = None
    seed: str | None = None
    ahead: Callable[[Order], Judged | None] = lambda _: None
    say: Callable[[str], None] = lambda _: None

    def order(self, order: Order) -> Order:
        """Return an order as a warm judge is given it."""
        return order._replace(worker="warm", beside=self.beside, seed=order.seed or self.seed)


def check(argv: list[str], started: float, warmth: Warmth | None = None, *, announced: bool = False) -> int:
    """Run the verb; return its exit code. What is wrong is one sentence on standard error.

    Args:
        argv: the arguments after the verb.
        started: when the check was asked for, on the monotonic clock.
        warmth: what is ready, for a warm server's judge.
        announced: whether the first line is on the screen already.

    Errors: Cold, where `warmth` is given and does not do.
    """
    return ended(lambda: _check(argv, started, warmth, announced))


def _check(argv: list[str], started: float, warmth: Warmth | None, announced: bool) -> int:
    wanted = asked(argv)
    if warmth and (wanted.options.cold or wanted.options.debug):
        raise Cold
    if wanted.step is None:
        say("Every step has passed: all there is, you have written.")
        return 0
    if not wanted.options.json and not announced:
        print_first_line(wanted.step, sys.stdout)
        if warmth:
            warmth.say("announced")
    code = _judged(wanted, wanted.step, started, warmth)
    if not warmth and not wanted.options.cold:
        warm.leave_server(str(wanted.course.root), argv)
    return code


class Asked(NamedTuple):
    """What the arguments of a check ask for; no step, when every step has passed."""

    options: argparse.Namespace
    course: Course
    memory: Memory
    step: Step | None


def asked(argv: list[str]) -> Asked:
    """Return what a check's arguments ask for.

    Errors: UsageError, CourseError; SystemExit, of `--help`.
    """
    options = _parse(argv)
    course = courses.load(courses.find_root(here()))
    if options.tree == "solutions":
        course.require("finished code", "leave --tree out to check your own")
    memory = Memory(course.root)
    step = ready_step(course, options.step) if options.step else progress.next_step(progress.standings(course, memory))
    return Asked(options, course, memory, step)


@lru_cache(maxsize=1)  # a warm judge reads the arguments of a check up to three times
def _parser() -> _Parser:
    parser = _Parser(
        prog="autograder check",
        description="Check a step: one line for each thing that it asks for.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("step", metavar="STEP", nargs="?", help="7, 07, s07, step_07 or attention; else the next that has not passed")
    add("--file", metavar="PATH", help="judge this file in place of the step's own; records nothing")
    add("--tree", choices=("steps", "solutions"), default="steps", help="whose files: yours, or the finished ones")
    add("--seed", metavar="S", help="the inputs of an earlier run, by the seed that its last lines show")
    add("--json", action="store_true", help="print one JSON document")
    add("--plain", action="store_true", help="no colour and no wrapping, as in a pipe")
    add("--junit", metavar="FILE", help="also write the report as JUnit XML")
    add("--editor", action="store_true", help="one line a failure, path:line:column: error: …, for an editor to read")
    add("--payoff", action="store_true", help="when it passes, show what the step is good for, with your own code")
    add("--debug", action="store_true", help="make the first failing call again in the foreground, for breakpoint()")
    add("--cold", action="store_true", help="start every process anew")
    return parser


def _parse(argv: list[str]) -> argparse.Namespace:
    options = _parser().parse_args(argv)
    if options.seed is not None and not (options.seed.isalnum() and options.seed.isascii() and len(options.seed) <= 16):
        raise UsageError(f'"{options.seed}" is no seed: it is what stands after "seed" at a run\'s end, such as 91c2')
    return options


def ready_step(course: Course, name: str) -> Step:
    """Return the step of that name.

    Errors: UsageError, when there is none, or it is planned.
    """
    step = course.find(name)
    if course.is_planned(step):
        raise UsageError(f"step {step.id}, {step.title}, is planned: it has no files yet")
    return step


def here() -> Path:
    """Return the folder where the user stands: pixi runs a task at the project's root, and says where it was called."""
    return Path(os.environ.get("INIT_CWD") or Path.cwd())


def order(step: Step, options: argparse.Namespace, started: float) -> Order:
    """Return what a judge is told of a check."""
    from autograder.judge import Order

    file = here() / options.file if options.file else None
    shown = (options.file or "").encode("utf-8", "backslashreplace").decode()  # a name need not be UTF-8
    return Order(step, options.tree, file, shown, options.seed, road(), started)


def _judged(wanted: Asked, step: Step, started: float, warmth: Warmth | None) -> int:
    from autograder.judge import judged
    from autograder.nursery import Nursery
    from autograder.report import EXIT_CODES
    from autograder.waiting import told

    options, course, memory, _ = wanted
    made = order(step, options, started)
    if warmth:
        found = _judged_warm(course, made, warmth)
    else:
        with Nursery() as nursery, told(nursery):
            found = judged(course, made, nursery)
    report = found.report
    own = made.file is None and options.tree == "steps"
    passed = own and report.outcome == "passed" and not options.json
    first = passed and is_terminal() and not memory.state(step.slug).has_passed
    if own:
        report = _remembered(course, memory, found)
    _show(course, report, options)
    for trouble in memory.troubles:
        complain(trouble)
    if options.debug:
        _debug(found)
    if first or (passed and options.payoff):
        _pay_off(course, step, memory)
    elif own and options.payoff and not options.json:
        note("\nWhat the step is good for is shown when it passes.")
    return EXIT_CODES[report.outcome]


def _judged_warm(course: Course, order: Order, warmth: Warmth) -> Judged:
    """Return what a warm server's judge finds, or has found before anybody asked.

    Errors: Cold, where the course would be called broken: it may be the server that is.
    """
    from autograder.judge import judged, timed
    from autograder.waiting import told

    try:
        known = warmth.ahead(order)
        with told(warmth.nursery):
            found = (
                timed(known, order.started)
                if known
                else judged(course, warmth.order(order), warmth.nursery, warmth.limits)
            )
    except InternalError:
        raise Cold from None
    if found.report.outcome == "internal":
        raise Cold
    warmth.say("writing")
    return found


def _remembered(course: Course, memory: Memory, found: Judged) -> Report:
    """Remember a check, and return its report; after the same failure for the third time it offers the next hint."""
    from msgspec import structs

    report = found.report
    slug = report.step.slug
    if found.data is None:
        return report
    failed = [check.id for check in report.checks if check.outcome != "passed"]
    memory.remember_check(
        slug, found.data, report.outcome, failed, report.seed, report.blocked_by, unfinished=found.unfinished
    )
    if report.outcome == "passed":
        following = progress.next_step(progress.standings(course, memory))
        return structs.replace(report, next=f"{road()} {following.task}") if following else report
    if report.outcome != "failed" or memory.same_failure_count(slug) < _SAME_FAILURES:
        return report
    from autograder.hints import ladder

    taken, total = memory.state(slug).hints, len(ladder(course, course.find(slug)))
    task = f"{road()} hint s{report.step.number:02d}"
    hint = f"hint {min(taken + 1, total)} of {total}"
    says = f"the same checks failed {_SAME_FAILURES} times or more: {hint} is there for you"
    return structs.replace(report, notes=[*report.notes, says], next=task)


def _show(course: Course, report: Report, options: argparse.Namespace) -> None:
    """Show a report in the views that were asked for."""
    if options.editor:
        from autograder.views import editor

        for line in editor.lines(report):
            note(line)
    if options.json:
        from autograder.views import document

        sys.stdout.write(document.encode(report))
    elif os.environ.get("GITHUB_ACTIONS") == "true":
        from autograder.views import github

        for line in github.lines(report, here() if options.file else course.root):
            print(line)
        with github.silenced(sys.stdout):
            _show_on_screen(report, options)
    else:
        _show_on_screen(report, options)
    sys.stdout.flush()
    if options.junit:
        from autograder.views import junit

        junit.write(report, here() / options.junit)


def _show_on_screen(report: Report, options: argparse.Namespace) -> None:
    if options.plain or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        from autograder.views import plain

        plain.write(report, sys.stdout)
        return
    from rich.console import Console

    from autograder.views import terminal

    terminal.write(report, Console(highlight=False))


def _pay_off(course: Course, step: Step, memory: Memory) -> None:
    """Show what the step is good for. The verdict stands already: what goes wrong here changes nothing."""
    from autograder import payoff

    note(f"\nWhat you can now do, with your own code (the end of steps/{step.name}.md):\n")
    if payoff.show(course, step):
        return
    says = "the example did not come to its end"
    used = payoff.leans_on(course, step)
    doubtful = [each.step for each in progress.standings(course, memory) if each.step in used and each.kind != "passed"]
    if doubtful:
        names = " and ".join(each.id for each in doubtful)
        files = f"step{'s' if len(doubtful) > 1 else ''} {names}, which {'have' if len(doubtful) > 1 else 'has'}"
        complain(f"{says}. It also uses your {files} not passed: {road()} {doubtful[0].task}")
    else:
        complain(f"{says}: run it by hand, from steps/{step.name}.md")


def _debug(found: Judged) -> None:
    """Make the first failing call again, in the foreground."""
    from autograder import debug

    if found.report.outcome == "passed" or found.program is None:
        complain("no call has failed, so there is none to make again")
        return
    call = next((check.call for check in found.report.checks if check.call and check.outcome != "passed"), None)
    complain(f"once more, in the foreground: {call or found.report.file}")
    debug.replay(found.program, found.first_failure)


def print_first_line(step: Step, stream: TextIO) -> None:
    """Print the line that stands there while a check is made."""
    print(encodable(f"Running tests for Step {step.id}: {step.title}...", stream), file=stream, flush=True)


def road() -> str:
    """Return the words that run a task on the road that was taken."""
    return "./pixiw run" if os.environ.get("PIXIW") else "pixi run"
