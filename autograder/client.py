"""`autograder check`: prints the first line at once, has the step judged, and shows the report.

Imports the standard library alone until the first line is out.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from autograder import course as courses
from autograder.errors import AutograderError, UsageError

if TYPE_CHECKING:
    from autograder.course import Course, Step
    from autograder.report import Report

_EXAMPLES = """\
examples:
  pixi run s07                     check step 07
  pixi run check attention --json  the same by name, as one JSON document
  pixi run s07 --seed 91c2         with the inputs of an earlier run
  pixi run check 7 --file mine.py  another file in place of steps/step_07.py; nothing is recorded
"""
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. `{road()} check --help` shows how")


def check(argv: list[str]) -> int:
    """Run the verb; return its exit code. What is wrong is one sentence on standard error."""
    started = time.monotonic()
    try:
        return _check(argv, started)
    except AutograderError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        with contextlib.suppress(OSError):  # whoever read our output has gone; nothing is left to say to them
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _check(argv: list[str], started: float) -> int:
    options = _parse(argv)
    course = courses.load(courses.find_root(here()))
    step = ready_step(course, options.step)
    if options.json:
        return _judged(course, step, options, started)
    _print_first_line(step)
    return _judged(course, step, options, started)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="autograder check",
        description="Check a step: one line for each thing that it asks for.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", metavar="STEP", help="7, 07, s07, step_07 or attention")
    parser.add_argument("--file", metavar="PATH", help="judge this file in place of the step's own; records nothing")
    parser.add_argument(
        "--tree", choices=("steps", "solutions"), default="steps", help="whose files: yours, or the finished ones"
    )
    parser.add_argument(
        "--seed", metavar="S", help="the inputs of an earlier run, by the seed that its last lines show"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--plain", action="store_true", help="no colour and no wrapping, as in a pipe")
    parser.add_argument("--cold", action="store_true", help="start every process anew")
    options = parser.parse_args(argv)
    if options.seed is not None and not (options.seed.isalnum() and len(options.seed) <= 16):
        raise UsageError(
            f'"{options.seed}" is no seed: it is what stands after "seed" at the end of a run, such as 91c2'
        )
    return options


def ready_step(course: Course, name: str) -> Step:
    step = course.find(name)
    if course.is_planned(step):
        raise UsageError(f"step {step.id}, {step.title}, is planned: it has no files yet")
    return step


def here() -> Path:
    """Return the folder where the user stands: pixi runs a task at the project's root, and says where it was called."""
    return Path(os.environ.get("INIT_CWD") or Path.cwd())


def _judged(course: Course, step: Step, options: argparse.Namespace, started: float) -> int:
    from autograder.judge import Order, judge
    from autograder.nursery import Nursery
    from autograder.report import EXIT_CODES

    file = here() / options.file if options.file else None
    shown = (options.file or "").encode("utf-8", "backslashreplace").decode()  # a name need not be UTF-8
    order = Order(step, options.tree, file, shown, options.seed, road(), started)
    with Nursery() as nursery:
        report = judge(course, order, nursery)
    _show(report, options)
    return EXIT_CODES[report.outcome]


def _show(report: Report, options: argparse.Namespace) -> None:
    if options.json:
        from autograder.views import document

        sys.stdout.write(document.encode(report))
    elif options.plain or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        from autograder.views import plain

        plain.write(report, sys.stdout)
    else:
        from rich.console import Console

        from autograder.views import terminal

        terminal.write(report, Console(highlight=False))
    sys.stdout.flush()


def _print_first_line(step: Step) -> None:
    line = f"Running tests for Step {step.id}: {step.title}..."
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def road() -> str:
    """Return the words that run a task on the road that was taken."""
    return "./pixiw run" if os.environ.get("PIXIW") else "pixi run"
