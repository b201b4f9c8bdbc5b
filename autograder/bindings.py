"""What gives a name its meaning: imports, assignments, definitions, parameters, and the statements that hold them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
STAR = "*"
MANY = 64  # more meanings than this no honest name has; the limit keeps hostile files from taking forever


@dataclass(eq=False, slots=True)
class Binding:
    """One place that gives a name its meaning."""

    name: str
    node: ast.AST
    value: ast.expr | None = None  # the expression that it stands for, where there is one
    dotted: str | None = None  # what an import brings; the module's name for a star import
    unit: Unit | None = None  # the top-level statement that binds it, for a name of the module

    @property
    def informative(self) -> bool:
        return self.dotted is not None or self.value is not None


UNBOUND = Binding("", ast.Pass())
NOTHING: frozenset[Binding] = frozenset({UNBOUND})


@dataclass(eq=False, slots=True)
class Unit:
    """A top-level statement, or the head of a compound one; what is inside a top-level ``if`` is a unit of its own."""

    number: int
    node: ast.AST
    time: int = 0
    nodes: list[ast.expr] = field(default_factory=list)  # what is read, children before parents
    stores: list[ast.expr] = field(default_factory=list)  # attributes and items that are assigned or deleted
    attributes: list[Binding] = field(default_factory=list)  # what an import in a class's body makes an attribute
    nodes_at_import: int = 0
    stores_at_import: int = 0


def join(sets: Iterable[frozenset[Binding]]) -> frozenset[Binding]:
    merged = frozenset[Binding]().union(*sets)
    if len(merged) <= MANY:
        return merged
    return frozenset(sorted(merged, key=lambda b: (not b.informative, getattr(b.node, "lineno", 0)))[:MANY])


def unpack(target: ast.expr, value: ast.expr | None, node: ast.AST) -> Iterator[Binding]:
    pairs: list[tuple[ast.expr, ast.expr | None]] = [(target, value)]
    while pairs:
        target, value = pairs.pop()
        if isinstance(target, ast.Name):
            yield Binding(target.id, node, value)
        elif isinstance(target, ast.Starred):
            pairs.append((target.value, None))
        elif isinstance(target, (ast.Tuple, ast.List)):
            values: Sequence[ast.expr | None] = [None] * len(target.elts)
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
                starred = any(isinstance(element, ast.Starred) for element in (*value.elts, *target.elts))
                values = values if starred else value.elts
            pairs.extend(zip(target.elts, values, strict=True))


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[Binding]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            first = alias.name.partition(".")[0]
            yield Binding(alias.asname or first, node, dotted=alias.name if alias.asname else first)
        elif node.level == 0:
            dotted = node.module if alias.name == STAR else f"{node.module}.{alias.name}"
            yield Binding(alias.asname or alias.name, node, dotted=dotted)
        elif alias.name != STAR:
            yield Binding(alias.asname or alias.name, node)


def bindings_of(node: ast.AST) -> Iterator[Binding]:
    match node:
        case ast.Import() | ast.ImportFrom():
            yield from imported(node)
        case ast.Assign():
            for target in node.targets:
                yield from unpack(target, node.value, node)
        case ast.AnnAssign(value=ast.expr()) | ast.NamedExpr():
            yield from unpack(node.target, node.value, node)
        case ast.AugAssign() | ast.For() | ast.AsyncFor():
            yield from unpack(node.target, None, node)
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                if item.optional_vars is not None:
                    yield from unpack(item.optional_vars, None, node)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield Binding(node.name, node)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield Binding(name, node)
        case ast.MatchMapping(rest=str(name)):
            yield Binding(name, node)
        case _ if type(node).__name__ == "TypeAlias":  # Python 3.12 and later
            yield from unpack(node.name, None, node)  # type: ignore[attr-defined]


def parameters(arguments: ast.arguments) -> Iterator[Binding]:
    """A parameter may be its default, and then it is what the default is."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(positional) - len(arguments.defaults)), *arguments.defaults, *arguments.kw_defaults]
    for argument, default in zip((*positional, *arguments.kwonlyargs), defaults, strict=True):
        yield Binding(argument.arg, argument, default)
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            yield Binding(rest.arg, rest)


def same_scope(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of these that bind in their own scope: not what is inside functions, lambdas and classes."""
    stack = list(reversed(body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, (*DEFINITIONS, ast.Lambda)):
            stack.extend(getattr(node, "decorator_list", ()))
        else:
            stack.extend(reversed(list(ast.iter_child_nodes(node))))
