"""Checks the direction of imports: import-linter as one process started with `python`, which it has no way for itself."""

import sys

from importlinter.cli import lint_imports

if __name__ == "__main__":
    sys.exit(lint_imports())
