"""`python -m autograder VERB`. A learner's verbs are kept clear of everything but the standard library."""

from __future__ import annotations

import os
import sys
import time


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    _open_what_is_closed()
    try:
        return _run(arguments)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if not name or name == "autograder" or name in sys.stdlib_module_names:
            raise
        from autograder.client import road
        from autograder.versions import installing

        print(f"autograder: {name} is not installed: {installing(road())}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:  # while it was still being imported what says so elsewhere
        from autograder.console import interrupted

        return interrupted()


def _open_what_is_closed() -> None:
    """Have three standard streams, where one was closed for us: what is written there goes nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def _run(arguments: list[str]) -> int:
    if arguments and arguments[0] in ("check", "bug"):
        return _judged(arguments[0], arguments[1:])
    from autograder import desk

    if arguments and arguments[0] in desk.VERBS:
        return desk.run(arguments)
    from autograder.cli import run

    return run(arguments)


def _judged(verb: str, argv: list[str]) -> int:
    """Have code judged by the warm server, or where there is none, or it ends meanwhile, here."""
    from autograder import warm

    started = time.monotonic()
    answer = warm.judged(verb, argv, started)
    if answer.code is not None:
        return answer.code
    if answer.lost:
        from autograder.console import complain

        complain("the warm server ended while it answered: here is all of it, without it")
    announced = answer.announced and not answer.lost
    if verb == "bug":
        from autograder import desk

        return desk.run([verb, *argv], announced=announced)
    from autograder import client

    return client.check(argv, started, announced=announced)


def _leave(code: int) -> None:
    """End the process. A check's is not taken apart: with torch in it that would take half a second."""
    if sys.argv[1:2] in (["check"], ["bug"]):  # which have closed all that they had open
        try:
            for stream in filter(None, (sys.stdout, sys.stderr)):
                stream.flush()
        except OSError:  # nobody reads any more: that is told on the ordinary way out
            sys.exit(code)
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    _leave(main())
