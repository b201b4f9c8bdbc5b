"""The command line: each verb's arguments and words. What it does lies in the module of its name."""

from __future__ import annotations

import functools
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from autograder import __version__, client, desk
from autograder import course as courses
from autograder.console import INTERRUPTED, complain, ended, say, wrapped
from autograder.errors import Stale, UsageError

if TYPE_CHECKING:
    from autograder.course import Course, Step

# These verbs read their arguments themselves: with typer, and the pydantic that it needs for each, they would be slow.
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
_LEARNERS, _INSTRUCTORS = "Commands for learners", "Commands for instructors"


class _Verbs(typer.core.TyperGroup):
    """The verbs, in the help those of learners first."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        del ctx
        for title in (_LEARNERS, _INSTRUCTORS):
            verbs = [verb for verb in self.commands.values() if getattr(verb, "rich_help_panel", title) == title]
            with formatter.section(title):
                formatter.write_dl([(verb.name, verb.get_short_help_str(formatter.width)) for verb in verbs])


app = typer.Typer(
    name="autograder",
    cls=_Verbs,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Check the steps of the course, and keep the course itself true.",
)
_of_learners = functools.partial(app.command, rich_help_panel=_LEARNERS)
_of_instructors = functools.partial(app.command, rich_help_panel=_INSTRUCTORS)
_Steps = Annotated[list[str] | None, typer.Argument(help="7, 07, s07, step_07 or attention; all of them when left out")]


def run(argv: list[str]) -> int:
    """Run a verb; return its exit code. What is wrong is one sentence on standard error."""
    return ended(lambda: _invoke(argv))


def _invoke(argv: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        result = command.main(argv, prog_name="autograder", standalone_mode=False)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        if not hasattr(error, "format_message"):  # click's own errors of usage know how to say it
            raise
        if argv:
            complain(f"{error.format_message()} `autograder --help` lists the verbs")
        else:
            print(error.format_message(), file=sys.stderr)  # no verb: the help itself
        return 2
    if result == INTERRUPTED:  # typer makes an exit code of Ctrl-C, and says nothing
        complain("interrupted")
    return result if isinstance(result, int) else 0


def _course() -> Course:
    """Return the course of an instructor's verb: a class's bundle is none."""
    course = courses.load(courses.find_root(client.here()))
    course.require("what this verb works on", "run it where the course is made")
    return course


def _ready(course: Course, names: list[str] | None) -> list[Step]:
    if names:
        return [client.ready_step(course, name) for name in names]
    return [step for step in course.steps if not course.is_planned(step)]


@app.callback(invoke_without_command=True)
def _main(version: Annotated[bool, typer.Option("--version", help="Name the versions that matter.")] = False) -> None:
    if version:
        from autograder.versions import installed

        python = ".".join(map(str, sys.version_info[:3]))
        found = {"autograder": __version__, "python": python} | installed(["torch", "transformers", "tokenizers"])
        for name, number in found.items():
            say(f"{name} {number}")
        raise typer.Exit(0)


@_of_learners(context_settings=_PASSED_ON, short_help="Check a step. Example: autograder check 7")
def check(context: typer.Context) -> None:
    """Check a step."""
    raise typer.Exit(client.check(context.args, time.monotonic()))


def _around_a_check(context: typer.Context) -> None:
    raise typer.Exit(desk.run([str(context.info_name), *context.args]))


for _name, _verb in desk.VERBS.items():
    _of_learners(_name, context_settings=_PASSED_ON, short_help=_verb.summary)(_around_a_check)


@_of_learners(short_help="Say what is wrong with the set-up, and what mends it.")
def doctor() -> None:
    """Look at the set-up: Python, the libraries, the course's files, the console, a worker.

    Example: pixi run doctor
    """
    from autograder.doctor import examine

    unwell = 0
    for finding in examine(courses.find_root(client.here()), client.road()):
        say(wrapped(f"{'✅' if finding.well else '❌'} {finding.sentence}", 3))
        if not finding.well:
            unwell += 1
            say(wrapped(f"   mend it: {finding.mend}", 5))
    say("Nothing is wrong." if not unwell else f"{unwell} to mend.")
    raise typer.Exit(1 if unwell else 0)


@_of_instructors(short_help="Make stubs, solutions, texts and tables from puzzles/.")
def generate(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 on any difference.")] = False,
) -> None:
    """Make stubs, solutions, texts and tables from puzzles/. An edited step is left alone, and named.

    Example: pixi run generate --check
    """
    course = _course()
    from autograder import generate as generating

    if not check:
        for line in generating.write(course, generating.plan(course)):
            say(line)
        return
    differences = generating.check(course)
    for difference in differences:
        say(difference.sentence)
        if difference.diff:
            say("\n".join(difference.diff))
    if differences:
        raise Stale(f"{len(differences)} not fresh")
    say("Everything that is generated is fresh.")


@_of_instructors(short_help="Record the outputs that the texts show, from real runs.")
def record(
    steps: _Steps = None,
    mistakes: Annotated[
        bool, typer.Option("--mistakes", help="What learners see of each mistake, in its place.")
    ] = False,
) -> None:
    """Run each untouched stub and each solution with a fixed seed, and keep what they print.

    Example: pixi run record layer_norm
    """
    course = _course()
    from autograder import record as recording

    made = (recording.mistakes if mistakes else recording.record)(course, _ready(course, steps))
    if not steps and not mistakes and (course.root / "book").is_dir():
        made.append(recording.picture_of(course, made))
    written = recording.write(made)
    for path in written:
        say(f"wrote {path.relative_to(course.root).as_posix()}")
    if not written:
        say("Every recording is as it was.")


@_of_instructors(short_help="Prove what must hold of a step before a learner sees it.")
def verify(
    steps: _Steps = None,
    only: Annotated[list[str] | None, typer.Option(help="Prove this alone: mistakes, mutants, seeds …")] = None,
    changed: Annotated[bool, typer.Option("--changed", help="The steps that a change touched, says git.")] = False,
) -> None:
    """Prove of each step all that CONTRIBUTING lists, and say of what does not hold where it is and what mends it.

    Example: pixi run verify layer_norm --only mistakes
    """
    course = _course()
    from autograder.gate import line, telling

    unknown = [name for name in only or () if name not in line.NAMES]
    if unknown:
        raise UsageError(f"there is no proof called {unknown[0]}: there are {', '.join(line.NAMES)}")
    ready = _ready(course, steps)
    if changed:
        from autograder.gate import changed as changes

        ready = changes.steps(course, ready)
        if not ready:
            say("No step was touched.")
            return
    work = line.tasks(ready, only or line.NAMES)
    proofs = telling.show(course, ready, work, line.prove(course, work))
    faults = sum(len(proof.faults) for each in proofs.values() for proof in each)
    if faults:
        raise Stale(f"{faults} to mend")


@_of_instructors(short_help="Add a step between two others, and all that follows from it.")
def new(
    slug: Annotated[str, typer.Argument(help="The concept's name, as a module: dropout")],
    after: Annotated[str, typer.Option(help="The step that it comes after.")],
    title: Annotated[str, typer.Option(help="Its title, as learners read it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; list what would change.")] = False,
) -> None:
    """Add a step after another: later steps get other numbers, and learners' own files and imports follow.

    Example: pixi run new dropout --after position_embedding --title "Dropout"
    """
    course = _course()
    from autograder import adding
    from autograder.memory import Memory

    addition = adding.plan(course, slug, adding.find_place(course, after), title)
    if not dry_run:
        adding.carry_out(course, addition, Memory(course.root))
    for line in addition.lines:
        say(f"would {line}" if dry_run else line)
    if not dry_run:
        say(f"Now write puzzles/{slug}.py, puzzles/{slug}.md and tests/steps/{slug}.py. Then pixi run record {slug},")
        say(f"record --mistakes {slug} and generate, and verify {slug}: CONTRIBUTING.md shows it all with an example.")


@_of_instructors("new-course", short_help="Make a course of your own, with one step that works.")
def new_course(
    folder: Annotated[str, typer.Argument(help="Where it goes: a folder that is not there yet.")],
    title: Annotated[str, typer.Option(help="Its title, as learners read it.")] = "A Course of Puzzles",
) -> None:
    """Make a course on this engine, about anything, in a folder of its own: set-up for both roads, one step, its tests.

    Example: pixi run new-course ../sorting --title "Sorting, one puzzle at a time"
    """
    _course()  # in a course whole enough to make another from
    from autograder import founding

    made = founding.found(client.here() / folder, title)
    say(f"{folder} holds a course of one step, {made.steps[0].title}. In it, pixi run s01 checks the step.")
    say(f"Its README says how to add yours: pixi run new SLUG --after {made.steps[0].slug} --title TITLE")


@_of_instructors(short_help="Make a page: which check rejects which mistake.")
def report(
    steps: _Steps = None,
    out: Annotated[str, typer.Option(help="Where the page goes.")] = ".autograder/report.html",
) -> None:
    """Try the steps' mistakes and mutants, and make one page of what the checks catch and what learners see.

    Example: pixi run report layer_norm
    """
    course = _course()
    from autograder.files import write_text
    from autograder.gate import line, page, telling

    ready = _ready(course, steps)
    work = line.tasks(ready, page.ROOMS)
    proofs = telling.show(course, ready, work, line.prove(course, work))
    path = course.root / out
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, page.page(course, ready, proofs))
    say(f"wrote {out}")


@_of_instructors(short_help="Make a zip for a class: all but the finished code.")
def bundle(
    out: Annotated[str, typer.Argument(metavar="OUT.zip", help="Where the zip goes.")],
    yes: Annotated[bool, typer.Option("--yes", help="Agree to write over a file that is there.")] = False,
) -> None:
    """Make what a class is given: untouched steps, texts, engine and set-up. Every check works; no solution is in it.

    Example: pixi run bundle class.zip
    """
    course = _course()
    from autograder import bundle as bundling

    for line in bundling.write(course, client.here() / out, out, yes=yes):
        say(line)
