"""The command line of the verbs around a check. It is kept clear of all but the standard library, as ``client`` is:
the verbs answer at once, and typer with pydantic takes longer than any of them.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

from autograder import client, console
from autograder.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.client import Warmth

Argument: TypeAlias = tuple[str, dict[str, Any]]


class Verb(NamedTuple):
    summary: str
    about: str
    examples: str
    arguments: tuple[Argument, ...]


_SPELLINGS = "7, 07, s07, step_07 or attention"
_STEP: Argument = ("step", {"metavar": "STEP", "help": _SPELLINGS})
_YES: Argument = ("--yes", {"action": "store_true", "help": "agree to what is asked"})

VERBS = {
    "hint": Verb(
        "Give the next hint for a step.",
        "Give the next hint: from a question to the shape of the answer. None is a line of the solution.",
        "hint 7       the next hint for step 07\nhint 7 1     its first hint once more\nhint         for the next step",
        (
            ("step", {"metavar": "STEP", "nargs": "?", "help": f"{_SPELLINGS}; the next one when left out"}),
            ("number", {"metavar": "NUMBER", "nargs": "?", "type": int, "help": "an earlier hint, once more"}),
        ),
    ),
    "progress": Verb(
        "Show how far you are.",
        'Show how you stand with each step, and which one is next. "Passed" is said of the file as it is now.',
        "progress\nprogress --json",
        (
            ("--plain", {"action": "store_true", "help": "say it in words alone, as in a pipe"}),
            ("--json", {"action": "store_true", "dest": "as_json", "help": "print one JSON document"}),
        ),
    ),
    "solution": Verb(
        "Print a step's finished code.",
        "Print a step's finished code. It asks first when the step has not passed yet.",
        "solution attention",
        (_STEP, _YES),
    ),
    "reset": Verb(
        "Write a step's stub again; your file is kept.",
        "Write a step's stub again, to start anew. Your file is kept first, and undo brings it back.",
        "reset 7      asks before it writes over what you wrote\nreset 7 --yes",
        (_STEP, _YES),
    ),
    "undo": Verb(
        "Bring back the file that the last reset replaced.",
        "Bring back the file that the last reset replaced. What is there now is kept: a second undo brings that back.",
        "undo 7",
        (_STEP,),
    ),
    "history": Verb(
        "List the checked versions of a step's file.",
        "List the versions of a step's file that were checked, newest first, or print one of them.",
        "history 7\nhistory 7 3 > mine.py\nhistory 7 3 --diff",
        (
            _STEP,
            ("number", {"metavar": "N", "nargs": "?", "type": int, "help": "print this version"}),
            ("--diff", {"action": "store_true", "help": "show how your file now differs from version N"}),
        ),
    ),
    "server": Verb(
        "Say how the warm server does, or stop it.",
        "Checks leave a process behind that makes the next ones quick. It ends by itself when nobody checks anything.",
        "server status   its age, memory and checks\nserver stop     end it; the next check starts another",
        (("action", {"choices": ("status", "stop"), "help": "what to do"}),),
    ),
    "bug": Verb(
        "Find the one mistake in a finished part.",
        "Write a finished part with one mistake in it, drawn for you alone; then check what you have mended.",
        "bug1          writes steps/bug_1.py, or checks it\nbug1 --all    shows all that fails\n"
        "bug1 --new    draws another mistake; your file is kept",
        (
            ("part", {"metavar": "PART", "nargs": "?", "help": "1 or bug1; the first one when left out"}),
            (
                "--all",
                {
                    "action": "store_true",
                    "dest": "show_all",
                    "help": "show all that fails, in full",
                },
            ),
            ("--new", {"action": "store_true", "help": "draw another mistake"}),
            _YES,
        ),
    ),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. {client.road()} {self.prog.split()[-1]} --help shows how")


def run(argv: Sequence[str], warmth: Warmth | None = None, *, announced: bool = False) -> int:
    """Run the verb that ``argv`` begins with; return its exit code.

    Args:
        argv: the verb and its arguments.
        warmth: what is ready, for a warm server's judge.
        announced: whether the first line is on the screen already.

    Errors: client.Cold, where `warmth` is given and does not do.
    """
    return console.ended(lambda: _run(argv[0], argv[1:], warmth, announced))


def _run(name: str, argv: Sequence[str], warmth: Warmth | None, announced: bool) -> int:
    try:
        options = _parser(name, VERBS[name]).parse_args(argv)
    except SystemExit:  # of --help
        return 0
    if name == "bug":
        from autograder.bug import bug

        return bug(**vars(options), warmth=warmth, announced=announced)
    from autograder import verbs

    getattr(verbs, name)(**vars(options))
    return 0


def _parser(name: str, verb: Verb) -> _Parser:
    examples = "".join(f"\n  {client.road()} {line}" for line in verb.examples.splitlines())
    parser = _Parser(
        prog=f"autograder {name}",
        description=verb.about,
        epilog=f"examples:{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for argument, settings in verb.arguments:
        parser.add_argument(argument, **settings)
    return parser
