"""Checks the direction of imports: import-linter has no `python -m` of its own."""

import sys

from importlinter.cli import lint_imports

if __name__ == "__main__":
    sys.exit(lint_imports())
