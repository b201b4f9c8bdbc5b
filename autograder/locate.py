"""Where in a learner's file a known mistake lies: the same statement, one that makes the same name, or its function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Place(NamedTuple):
    """A line, and whether it is a statement's own; else it is where the function begins that the statement is in."""

    line: int
    is_exact: bool


def place(learner: ast.Module, mistaken: str, right: str) -> Place | None:
    """Return the place in the learner's file; None where it has nothing of that name.

    Args:
        learner: the learner's file.
        mistaken: the finished step with the mistake in it.
        right: the finished step.
    """
    wrong = dict(_definitions(ast.parse(mistaken)))
    good = {name: ast.unparse(node) for name, node in _definitions(ast.parse(right))}
    changed = [name for name, node in wrong.items() if ast.unparse(node) != good.get(name)]
    if not changed:
        return None
    name = max(changed, key=lambda changed_name: changed_name.count("."))  # the innermost that differs
    mine = dict(_definitions(learner)).get(name)
    if mine is None:
        return None
    known = {ast.unparse(statement) for statement in _statements(ast.parse(right))}
    new = [statement for statement in _statements(wrong[name]) if ast.unparse(statement) not in known]
    for same in (ast.unparse, _targets):
        wanted = {same(statement) for statement in new} - {""}
        found = [statement.lineno for statement in _statements(mine) if same(statement) in wanted]
        if found:
            return Place(found[0], is_exact=True)
    return Place(mine.lineno, is_exact=False)


def _targets(statement: ast.stmt) -> str:
    """Return what a statement assigns to, or the word of a return."""
    if isinstance(statement, ast.Return):
        return "return"
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return ", ".join(ast.unparse(target) for target in targets if target is not None)


def _definitions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.stmt]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _NAMED):
            yield f"{prefix}{child.name}", child
            yield from _definitions(child, f"{prefix}{child.name}.")


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the simple statements under a node, in order."""
    for child in ast.walk(node):
        if isinstance(child, ast.stmt) and not hasattr(child, "body"):
            yield child
