"""One file made of the finished code of several steps, in their order: imports at its top, each thing defined once."""

from __future__ import annotations

import ast
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from autograder import played
from autograder.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autograder.course import Course, Step

_WIDTH = 100


class _Piece(NamedTuple):
    """What a step adds to the file."""

    imports: tuple[ast.Import | ast.ImportFrom, ...]
    names: tuple[str, ...]
    body: str


def finished(course: Course, steps: Iterable[Step]) -> dict[str, str]:
    """Return the finished code of each step, by slug, as its author wrote it.

    Errors: CourseError, when a puzzle is broken.
    """
    return {step.slug: played.finished(course, step).finished() for step in steps}


def text(course: Course, steps: Sequence[Step], codes: Mapping[str, str], docstring: str) -> str:
    """Return the code of the steps as one file.

    Args:
        codes: each step's code, by slug, with imports from `puzzles`.
        docstring: the file's own, in place of those of the steps.

    Errors: CourseError, when the steps cannot stand in one file: two define the same name, or an earlier step is
    imported under another name, inside a function, or as a module.
    """
    imports, bodies = _Imports(), []
    owners: dict[str, Step] = {}
    for step in steps:
        shown = course.puzzle(step).relative_to(course.root).as_posix()
        piece = _piece(codes[step.slug], shown)
        for name in piece.names:
            owner = owners.setdefault(name, step)
            if owner != step:
                problem = f"defines {name}, as step {owner.id} does: in one file, one would hide the other"
                raise CourseError(problem, shown)
        for node in piece.imports:
            imports.add(node)
        bodies.append(f"{_heading(step)}\n\n\n{piece.body}\n")
    return "\n\n".join([f'"""{docstring}"""\n\n{imports.text()}', *bodies])


@lru_cache(maxsize=64)  # of one mistake after another, all but one step is the same
def _piece(code: str, shown: str) -> _Piece:
    tree = _parsed(code, shown)
    dropped = _dropped(tree, shown)
    imports = [node for node in dropped if isinstance(node, ast.Import | ast.ImportFrom) and not _is_of_a_step(node)]
    return _Piece(tuple(imports), tuple(_defined(tree)), _without(code, dropped).strip("\n"))


class _Imports:
    """What the steps import of libraries: each name once, the standard library first."""

    def __init__(self) -> None:
        self._modules: dict[str, None] = {}
        self._names: dict[str, dict[str, None]] = {}

    def add(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            words = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
            if isinstance(node, ast.Import):
                self._modules[words] = None
            else:
                self._names.setdefault(node.module or "", {})[words] = None

    def text(self) -> str:
        groups: list[list[str]] = [[], [], []]
        for words in sorted(self._modules):
            groups[_group(words)].append(f"import {words}\n")
        for module in sorted(self._names):
            groups[_group(module)].append(f"from {module} import {', '.join(sorted(self._names[module]))}\n")
        return "\n".join("".join(group) for group in groups if group)


def _group(module: str) -> int:
    root = module.split()[0].partition(".")[0]
    return 0 if root == "__future__" else 1 if root in sys.stdlib_module_names else 2


def _parsed(code: str, shown: str) -> ast.Module:
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise CourseError(f"is no Python: {error.msg}", shown, error.lineno) from None


def _dropped(tree: ast.Module, shown: str) -> list[ast.stmt]:
    """Return the statements that have no place in the one file, or another: the docstring, and the imports."""
    dropped: list[ast.stmt] = []
    for node in tree.body:
        if not dropped and node is tree.body[0] and ast.get_docstring(tree) is not None:
            dropped.append(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            dropped.append(node)
            is_renamed = any(alias.asname or alias.name == "*" for alias in node.names)
            if _is_of_a_step(node) and (isinstance(node, ast.Import) or is_renamed):
                raise CourseError("an earlier step has another name here: in one file there is none", shown)
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Import | ast.ImportFrom) and inner not in dropped and _is_of_a_step(inner):
            raise CourseError("an earlier step is imported where it is needed: in one file there is none", shown)
    return dropped


def _is_of_a_step(node: ast.Import | ast.ImportFrom) -> bool:
    modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return any(module.partition(".")[0] == "puzzles" for module in modules)


def _defined(tree: ast.Module) -> Iterable[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _without(code: str, dropped: Iterable[ast.stmt]) -> str:
    gone = {line for node in dropped for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return "\n".join(line for at, line in enumerate(code.split("\n"), 1) if at not in gone)


def _heading(step: Step) -> str:
    line = f"# Step {step.id}: {step.title} "
    return line + "-" * (_WIDTH - len(line))
