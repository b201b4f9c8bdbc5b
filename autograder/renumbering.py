"""A learner's file whose imports follow their steps to new numbers, and nothing else in it changes by a byte."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MODULE = re.compile(r"(?:(?:steps|solutions)\.)?step_(\d{2,})")
_IN_TEXT = re.compile(r"(?:^|\.)step_(\d{2,})(?:\.|$)")


class Unusual(Exception):
    """An import that cannot follow: the text says which, and in which line."""


def followed(text: str, numbers: Mapping[int, int]) -> str:
    """Return the file with the steps that it imports under their new numbers.

    Args:
        text: the learner's file.
        numbers: the new number of each step that has another one now, by the old.

    Errors: Unusual, when an import is written so that it cannot follow, or the file is no Python.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unusual(f"it is no Python ({error})") from error
    lines = text.split("\n")
    edits = sorted({edit for node in ast.walk(tree) for edit in _edits(node, numbers, lines)}, reverse=True)
    for number, start, end, new in edits:  # the last first, so that the places of the others stay
        line = lines[number].encode()
        lines[number] = (line[:start] + new.encode() + line[end:]).decode()
    return "\n".join(lines)


def _edits(node: ast.AST, numbers: Mapping[int, int], lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield what to write where: line, first and last byte in it, the new words."""
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if _new(module, numbers):
            yield _in_line(node, module, _new(module, numbers), lines)
        elif module in ("", "steps", "solutions"):
            for alias in node.names:
                if new := _new(alias.name, numbers):
                    yield _alias(alias, new if alias.asname else f"{new} as {alias.name}")
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if new := _new(alias.name, numbers):
                if not alias.asname:
                    raise Unusual(f"line {node.lineno} has `import {alias.name}`: give it a name with `as`")
                yield _alias(alias, new)
    elif isinstance(node, ast.JoinedStr) and _is_made_of_parts(node):
        raise Unusual(f"line {node.lineno} makes a step's name of parts: import the step by its name")
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        found = _IN_TEXT.search(node.value)
        if found and int(found[1]) in numbers and len(node.value) < 100:
            raise Unusual(f'line {node.lineno} names "{node.value}" in a text: import it by its name')


def _is_made_of_parts(node: ast.JoinedStr) -> bool:
    """Return whether a formatted text is a step's module, its number filled in: f"steps.step_{n}"."""
    texts = [part.value for part in node.values if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(re.search(r"\b(?:steps|solutions)\.step_$", text) for text in texts)


def _new(name: str, numbers: Mapping[int, int]) -> str:
    """Return a module's name under its new number; nothing, when it is no step's, or keeps its number."""
    found = _MODULE.fullmatch(name)
    if found is None or int(found[1]) not in numbers:
        return ""
    return f"{name[: found.start(1)]}{numbers[int(found[1])]:02d}"


def _alias(alias: ast.alias, new: str) -> tuple[int, int, int, str]:
    return alias.lineno - 1, alias.col_offset, alias.col_offset + len(alias.name), new


def _in_line(node: ast.ImportFrom, module: str, new: str, lines: list[str]) -> tuple[int, int, int, str]:
    """Return the edit of `from MODULE import …`, where the module stands on the statement's first line."""
    line = lines[node.lineno - 1].encode()
    found = re.compile(rb"from\s+\.*" + re.escape(module).encode() + rb"\b").match(line, node.col_offset)
    if found is None:
        raise Unusual(f"line {node.lineno} imports {module} over several lines: write it on one")
    return node.lineno - 1, found.end() - len(module), found.end(), new
