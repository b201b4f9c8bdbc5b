"""Whether the function that a check called lacks a `return`, by the syntax tree: None may be returned on purpose."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from autograder.bindings import same_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

_CALL = re.compile(r"(\w+)\(")
_METHOD = re.compile(r"\)\.(\w+)\([^()]*\)$")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def is_missing(tree: ast.Module, call: str) -> bool:
    """Return whether the function that was called last is in the file and has no `return` with a value.

    Args:
        call: the call in words, `LayerNorm(8)(x)    x: [batch=2, dim=8]`.
    """
    words = call.partition("    ")[0]
    first = _CALL.match(words)
    found = _last(tree.body, first[1]) if first else None
    if isinstance(found, ast.ClassDef):
        method = _METHOD.search(words)
        names = [method[1]] if method else ["forward", "__call__"] if ")(" in words else []
        found = next((inner for name in names if (inner := _last(found.body, name))), None)
    if not isinstance(found, _FUNCTIONS):
        return False
    return not any(isinstance(node, ast.Return) and node.value is not None for node in same_scope(found.body))


def _last(body: Sequence[ast.stmt], name: str) -> ast.stmt | None:
    named = [node for node in body if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and node.name == name]
    return named[-1] if named else None
