"""Which steps a change touched: what git says differs from the branch that it goes into."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from autograder.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autograder.course import Course, Step

_BASES = ("origin/main", "main", "HEAD")
# What every step depends on: a change of it touches all of them.
_ALL = re.compile(r"autograder/|course\.toml$|pyproject\.toml$|pixi\.toml$|constraints\.txt$")
_STEP = re.compile(r"(?:puzzles|tests/steps|puzzles/recorded|book/pictures|tests/course/transcripts)/([a-z0-9_]+)\.")


def steps(course: Course, ready: Sequence[Step]) -> list[Step]:
    """Return the steps that the change since the main branch touched, uncommitted files included.

    Errors: UsageError, where git cannot say.
    """
    return touched(_files(course), ready)


def touched(files: Iterable[str], ready: Sequence[Step]) -> list[Step]:
    """Return the steps that these files belong to, each path from the course's root."""
    names = list(files)
    if any(_ALL.match(name) for name in names):
        return list(ready)
    slugs = {found[1] for name in names if (found := _STEP.match(name))}
    return [step for step in ready if step.slug in slugs]


def _files(course: Course) -> set[str]:
    base = next((name for name in _BASES if _git(course, "rev-parse", "--verify", "--quiet", name) is not None), None)
    if base is None:
        raise UsageError("--changed asks git what changed, and this is no git checkout with a commit")
    since = (_git(course, "merge-base", base, "HEAD") or base).strip()
    changed = _git(course, "diff", "--name-only", "--relative", since) or ""
    new = _git(course, "ls-files", "--others", "--exclude-standard") or ""
    return {*changed.splitlines(), *new.splitlines()}


def _git(course: Course, *words: str) -> str | None:
    """Return what git prints; None where it fails, or is not there."""
    try:
        done = subprocess.run(["git", *words], cwd=course.root, capture_output=True, encoding="utf-8", check=False)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
