"""Generic mutants of a finished step: its tree with one thing changed, in the lines that a learner writes.

What is changed: an operator, a comparison, a constant, an axis; a term, a factor, a keyword, a call, an index that is
left out; two arguments that change places; an argument that is returned; a statement that is skipped, or raises. Texts,
type hints and what builds the message of an exception are left alone.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Raise, ast.Delete, ast.Assert)
_COMPOUND = (ast.If, ast.For, ast.While, ast.With)


class Mutant(NamedTuple):
    """A changed program: its text, the line of the finished code that was changed, and the change in words."""

    text: str
    line: int
    change: str
    reaches: bool = False  # it raises at a line: who survives that shows that no check reaches the line


def mutants(code: str, lines: Mapping[int, int] | set[int]) -> Iterator[Mutant]:
    """Yield each different mutant of the code that changes one of the lines."""
    tree = ast.parse(code)
    seen = {ast.unparse(tree)}
    nodes = list(_changeable(tree))
    for index, node in enumerate(nodes):
        if node.lineno not in lines:
            continue
        for change, reaches, made in _changes(node):
            text = _with(tree, index, made)
            if text is not None and text not in seen:
                seen.add(text)
                yield Mutant(text, node.lineno, f"{_short(node)} → {change}", reaches)


def _with(tree: ast.Module, index: int, made: ast.AST) -> str | None:
    """Return the code with the node of that index replaced; None where that is no Python."""
    changed = copy.deepcopy(tree)
    target = list(_changeable(changed))[index]
    replaced = _Replace(target, made).visit(changed)
    try:
        text = ast.unparse(ast.fix_missing_locations(replaced))
        compile(text, "<mutant>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return text


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, made: ast.AST) -> None:
        self._target = target
        self._made = made

    def visit(self, node: ast.AST) -> ast.AST:
        return self._made if node is self._target else self.generic_visit(node)


def _changeable(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Yield the nodes that may be changed, in a fixed order: no type hints, no docstrings, no messages."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "exc", "cause", "msg", "type_comment"):
            continue
        children = value if isinstance(value, list) else [value]
        for child in children:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield child
            yield from _changeable(child)


def _changes(node: ast.AST) -> Iterator[tuple[str, bool, ast.AST]]:
    """Yield what may stand in the node's place, in words and as a tree, and whether it tells what is reached."""
    for made in _in_place_of(node):
        yield _short(made), False, made
    if isinstance(node, _SIMPLE) and not _is_docstring(node):
        yield "nothing", False, ast.Pass()
    if isinstance(node, _SIMPLE):
        stop = ast.Raise(ast.Call(ast.Name("AssertionError", ast.Load()), [], []), None)
        yield "a raise in its place", True, stop


def _in_place_of(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(left, op, right):
            if type(op) in _OPERATORS:
                yield ast.BinOp(left, _OPERATORS[type(op)](), right)
            yield left
            yield right
            if isinstance(op, ast.MatMult | ast.Sub | ast.Div):
                yield ast.BinOp(right, op, left)
        case ast.AugAssign(target, op, value):
            if type(op) in _OPERATORS:
                yield ast.AugAssign(target, _OPERATORS[type(op)](), value)
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
            yield from values
        case ast.Compare(left, ops, comparators):
            for index, each in enumerate(ops):
                yield ast.Compare(left, [*ops[:index], _COMPARISONS[type(each)](), *ops[index + 1 :]], comparators)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() as value):
            yield ast.Constant(value + 1)
            if value > 0:
                yield ast.Constant(value - 1)
        case ast.Constant(float() as value):
            yield ast.Constant(value * 1.01 if value else 0.01)
            yield ast.Constant(value + 1.0)
        case ast.IfExp(_, body, orelse):
            yield body
            yield orelse
        case ast.Subscript(value, ast.Slice(lower, upper, step), context):
            yield value
            if lower is not None and upper is not None:
                yield ast.Subscript(value, ast.Slice(None, upper, step), context)
                yield ast.Subscript(value, ast.Slice(lower, None, step), context)
        case ast.Subscript(value, _, ast.Load()):
            yield value
        case ast.Call():
            yield from _calls(node)
        case ast.If(test, body, orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
            yield ast.If(ast.Constant(False), body, orelse)
            yield ast.If(ast.Constant(True), body, orelse)
        case ast.FunctionDef() | ast.ClassDef() if node.decorator_list:
            for index in range(len(node.decorator_list)):
                fewer = copy.copy(node)
                fewer.decorator_list = node.decorator_list[:index] + node.decorator_list[index + 1 :]
                yield fewer
        case ast.For(target, iterator, body, orelse):
            once = ast.Subscript(
                ast.Call(ast.Name("list", ast.Load()), [iterator], []),
                ast.Slice(ast.Constant(1), None, None),
                ast.Load(),
            )
            yield ast.For(target, once, body, orelse)
    if isinstance(node, ast.Return) and node.value is not None:
        for name in _names(node.value):
            yield ast.Return(ast.Name(name, ast.Load()))


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    """Yield what a call may become: its argument, its receiver, without a keyword, with two arguments exchanged."""
    if node.args and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]
    if isinstance(node.func, ast.Attribute):
        yield node.func.value  # x.detach() → x
    for index in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, node.keywords[:index] + node.keywords[index + 1 :])
    if len(node.args) > 2:
        yield ast.Call(node.func, node.args[:-1], node.keywords)
    for index in range(len(node.args) - 1):
        swapped = [*node.args[:index], node.args[index + 1], node.args[index], *node.args[index + 2 :]]
        yield ast.Call(node.func, swapped, node.keywords)


def _names(value: ast.expr) -> list[str]:
    """Return the names that stand in a value, but not those that are called or looked into."""
    inner = {id(node.value) for node in ast.walk(value) if isinstance(node, ast.Attribute)}
    inner |= {id(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
    return sorted({node.id for node in ast.walk(value) if isinstance(node, ast.Name) and id(node) not in inner})


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _short(node: ast.AST) -> str:
    """Return the node's first line, to be read in a sentence."""
    first, *more = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines() or ["nothing"]
    return first[:70] + (" …" if more or len(first) > 70 else "")
