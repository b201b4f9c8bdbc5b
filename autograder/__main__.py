"""`python -m autograder VERB`. A learner's verbs are kept clear of everything but the standard library."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
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


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["check"]:
        from autograder.client import check

        return check(arguments[1:])
    from autograder import desk

    if arguments and arguments[0] in desk.VERBS:
        return desk.run(arguments)
    from autograder.cli import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
