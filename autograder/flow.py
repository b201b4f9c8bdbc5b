"""Which bindings a name may have where it is read: reaching definitions, by Python's own rules of scope.

A module's code is followed in order, branch by branch; the bodies of its functions afterwards, as they run. Code that
cannot run when the grader imports the file (under ``if TYPE_CHECKING``, ``if False``, ``if __name__ == "__main__"``, or
after a ``return``) is not followed at all. Deep trees are met with loops, not with recursion; only blocks recurse, and
Python itself allows no more than a hundred of them inside each other.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from autograder.bindings import (
    DEFINITIONS,
    MANY,
    NOTHING,
    STAR,
    UNBOUND,
    Binding,
    Unit,
    bindings_of,
    join,
    parameters,
    same_scope,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
TYPE_CHECKING_HOMES = ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING")


@dataclass(eq=False, slots=True)
class Scope:
    kind: str  # module, class, function, comprehension
    parent: Scope | None
    local: dict[str, set[Binding]] = field(default_factory=dict)
    module_names: set[str] = field(default_factory=set)
    layers: list[dict[str, frozenset[Binding]]] = field(default_factory=lambda: [{}])
    running: bool = True

    def now(self, name: str) -> frozenset[Binding]:
        for layer in reversed(self.layers):
            if name in layer:
                return layer[name]
        return NOTHING


@dataclass(frozen=True, slots=True)
class Reference:
    """What a name may mean: at the point where it is read, or, in a function's body, when the module is complete."""

    bindings: frozenset[Binding]
    module_name: str | None = None  # set in a function's body: the name is looked up in the module when it runs


class Flow:
    """Follow a module once, and note for every name that is read which bindings it may have."""

    def __init__(self, tree: ast.Module) -> None:
        self.units: list[Unit] = []
        self.references: dict[ast.Name, Reference] = {}
        self.unit_of: dict[ast.expr, Unit] = {}
        self._bound: dict[ast.AST, list[Binding]] = {}
        self._history: dict[str, list[tuple[int, frozenset[Binding]]]] = defaultdict(list)
        self._later: list[tuple[FunctionNode, Scope, Unit]] = []
        self._dead = False
        self._time = 0
        self._unit = Unit(0, tree)
        self.module = Scope("module", None)
        self._from_functions = self._global_statements(tree)
        self._block(tree.body, self.module)
        self.module.running = False
        for unit in self.units:
            unit.nodes_at_import, unit.stores_at_import = len(unit.nodes), len(unit.stores)
        for function, parent, unit in self._later:  # grows while it is walked: functions inside functions
            self._function(function, parent, unit)

    # What a name is

    def at_the_end(self, name: str) -> frozenset[Binding]:
        return self._with_star(name, self.module.now(name), self.module.now(STAR))

    def ever_since(self, name: str, time: int) -> frozenset[Binding]:
        """What a module's name may be for a function that is called at some moment after ``time``."""
        return self._with_star(name, self._since(name, time), self._since(STAR, time))

    def _since(self, name: str, time: int) -> frozenset[Binding]:
        history = self._history.get(name, [])
        before = [bindings for when, bindings in history if when <= time][-1:] or [NOTHING]
        return join([*before, *(bindings for when, bindings in history if when > time)])

    def _with_star(self, name: str, found: frozenset[Binding], star: frozenset[Binding]) -> frozenset[Binding]:
        found = found | self._from_functions.get(name, frozenset())
        return found | star if UNBOUND in found else found

    def _look_up(self, name: str, scope: Scope) -> Reference:
        found: frozenset[Binding] = frozenset()
        step: Scope | None = self.module if name in scope.module_names else scope
        while step is not None:
            if step.kind == "module":
                in_module = self._with_star(name, step.now(name), step.now(STAR))
                return Reference(found | in_module, None if step.running else name)
            if name in step.local and (step.kind != "class" or step is scope):
                own = step.now(name) if step.running else frozenset(step.local[name])
                found |= own - NOTHING
                if step.kind != "class" or UNBOUND not in own:
                    return Reference(found)
            step = step.parent
            if step is not None and name in step.module_names:
                step = self.module
        return Reference(found)

    # What binds one

    def bindings(self, node: ast.AST) -> list[Binding]:
        if node not in self._bound:
            self._bound[node] = list(bindings_of(node))
        return self._bound[node]

    def _global_statements(self, tree: ast.Module) -> dict[str, frozenset[Binding]]:
        found: dict[str, frozenset[Binding]] = defaultdict(frozenset)
        for definition in ast.walk(tree):
            if isinstance(definition, DEFINITIONS):
                inside = list(same_scope(definition.body))
                names = {name for node in inside if isinstance(node, ast.Global) for name in node.names}
                for binding in (b for node in inside if names for b in self.bindings(node) if b.name in names):
                    found[binding.name] = join([found[binding.name], frozenset({binding})])
        return found

    def _set(self, scope: Scope, name: str, bindings: frozenset[Binding]) -> None:
        scope.layers[-1][name] = bindings
        if scope is self.module:
            self._time += 1
            self._history[name].append((self._time, bindings))

    def _bind(self, node: ast.AST, scope: Scope, *, may: bool = False) -> None:
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        for binding in self.bindings(node):
            if scope is self.module or binding.name in scope.module_names:
                binding.unit = self._unit
            elif scope.kind == "class" and binding.dotted is not None:
                self._unit.attributes.append(binding)
            if may or binding.name == STAR:
                self._add(scope, binding)
            elif binding.name not in scope.module_names:
                self._set(scope, binding.name, frozenset({binding}))

    def _add(self, scope: Scope, binding: Binding) -> None:
        if binding.name not in scope.module_names:
            self._set(scope, binding.name, join([scope.now(binding.name), frozenset({binding})]))

    def _may_bind(self, body: Sequence[ast.AST], scope: Scope) -> None:
        for node in same_scope(body):
            for binding in self.bindings(node):
                self._add(scope, binding)

    def _locals(self, body: Sequence[ast.AST], scope: Scope, own: Iterable[Binding] = ()) -> None:
        """Python decides for a whole function at once which names are its own, dead code included."""
        inside = list(same_scope(body))
        outer: set[str] = set()
        for node in inside:
            if isinstance(node, ast.Global):
                scope.module_names.update(node.names)
            elif isinstance(node, ast.Nonlocal):
                outer.update(node.names)
        outer |= scope.module_names
        for binding in (*own, *(b for node in inside for b in self.bindings(node))):
            if binding.name not in outer:
                scope.local.setdefault(binding.name, set()).add(binding)
        for node in inside:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                scope.local.setdefault(node.target.id, set())

    # Statements

    def _block(self, body: Sequence[ast.AST], scope: Scope) -> None:
        for node in body:
            if self._dead:
                break
            if scope is self.module and isinstance(node, ast.stmt):
                unit = self._unit = Unit(len(self.units), node)
                self.units.append(unit)
                self._statement(node, scope)
                unit.time = self._time
            else:
                self._statement(node, scope)

    def _statement(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._definition(node, scope)
            case ast.If():
                self._if(node, scope)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(node, scope)
            case ast.Try():
                self._try(node, scope)
            case ast.With() | ast.AsyncWith():
                self._with(node, scope)
            case ast.Match():
                self._expression(node.subject, scope)
                self._branches([*([case] for case in node.cases), []], scope)
            case ast.match_case() | ast.ExceptHandler():
                self._case(node, scope)
            case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
                self._children(node, scope)
                self._dead = True
            case ast.Delete():
                self._children(node, scope)
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self._set(scope, target.id, NOTHING)
            case _ if type(node).__name__ == "TryStar":
                self._try(node, scope)  # type: ignore[arg-type]
            case _ if type(node).__name__ == "TypeAlias":
                self._bind(node, scope)  # its value is an annotation
            case _:
                self._children(node, scope)
                self._bind(node, scope)

    def _children(self, node: ast.AST, scope: Scope) -> None:
        """Read a simple statement: its values, then the targets; not its annotation, which nothing runs."""
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            read = ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target)
            self._expression(read, scope)
        for name in ("value", "exc", "cause", "test", "msg", "targets", "target"):
            child = getattr(node, name, None)
            for expression in child if isinstance(child, list) else [child]:
                if isinstance(expression, ast.expr):
                    self._expression(expression, scope)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: Scope) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator, scope)
        if isinstance(node, ast.ClassDef):
            for expression in (*node.bases, *(keyword.value for keyword in node.keywords)):
                self._expression(expression, scope)
            inner = Scope("class", scope)
            self._locals(node.body, inner)
            self._block(node.body, inner)
            inner.running = False
        else:
            self._defer(node, scope)
        self._bind(node, scope)

    def _defer(self, node: FunctionNode, scope: Scope) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self._expression(default, scope)
        self._later.append((node, scope, self._unit))

    def _function(self, node: FunctionNode, parent: Scope, unit: Unit) -> None:
        self._unit, self._dead = unit, False
        scope = Scope("function", parent)
        body: Sequence[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else node.body
        own = list(parameters(node.args))
        self._locals(body, scope, own)
        for parameter in own:
            self._set(scope, parameter.name, frozenset({parameter}))
        if isinstance(node, ast.Lambda):
            self._expression(node.body, scope)
        else:
            self._block(node.body, scope)
        scope.running = False

    def _branches(
        self, alternatives: Sequence[Sequence[ast.AST]], scope: Scope, interrupted: Sequence[ast.AST] = ()
    ) -> None:
        """Take one of these ways; all but the first may begin after any part of ``interrupted`` has run."""
        ends = []
        for number, body in enumerate(alternatives):
            scope.layers.append({})
            self._dead = False
            if number:
                self._may_bind(interrupted, scope)
            self._block(body, scope)
            layer = scope.layers.pop()
            if not self._dead:
                ends.append(layer)
        self._dead = not ends
        for name in {name: None for layer in ends for name in layer}:
            self._set(scope, name, join(layer.get(name) or scope.now(name) for layer in ends))

    def _if(self, node: ast.If, scope: Scope) -> None:
        alternatives: list[Sequence[ast.AST]] = []
        rest: list[ast.stmt] = [node]
        while len(rest) == 1 and isinstance(rest[0], ast.If):  # a chain of elif is as deep as it is long
            node = rest[0]
            self._expression(node.test, scope)
            truth = self._truth(node.test, scope)
            if truth is not False:
                alternatives.append(node.body)
            rest = node.orelse
            if truth is True:
                break
        else:
            alternatives.append(rest)
        self._branches(alternatives, scope)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, scope: Scope) -> None:
        body: Sequence[ast.AST] = node.body
        if isinstance(node, ast.While):
            if self._truth(node.test, scope) is False:
                body = []
            self._may_bind([node.test, *body], scope)
            self._expression(node.test, scope)
        else:
            self._expression(node.iter, scope)
            self._may_bind(body, scope)
            self._expression(node.target, scope)
            self._bind(node, scope, may=True)
        # A `break` leaves the body at any point: what may be bound after the loop is what may be bound in it.
        self._branches([body, []], scope)
        self._dead = False
        self._branches([node.orelse, []], scope)

    def _try(self, node: ast.Try, scope: Scope) -> None:
        handlers = [[handler] for handler in node.handlers]
        self._branches([[*node.body, *node.orelse], *handlers], scope, interrupted=node.body)
        dead = self._dead
        if dead:
            self._may_bind(node.body, scope)
        self._dead = False
        self._block(node.finalbody, scope)
        self._dead = self._dead or dead

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        suppresses = False
        for item in node.items:
            self._expression(item.context_expr, scope)
            called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else None
            suppresses = suppresses or getattr(called, "attr", getattr(called, "id", None)) == "suppress"
            if item.optional_vars is not None:
                self._expression(item.optional_vars, scope)
        self._bind(node, scope)
        if suppresses:
            self._branches([node.body, []], scope, interrupted=node.body)
        else:
            self._block(node.body, scope)

    def _case(self, node: ast.match_case | ast.ExceptHandler, scope: Scope) -> None:
        if isinstance(node, ast.ExceptHandler):
            if node.type is not None:
                self._expression(node.type, scope)
            self._bind(node, scope)
            self._block(node.body, scope)
            if node.name is not None:
                self._set(scope, node.name, NOTHING)
            return
        for pattern in ast.walk(node.pattern):
            if isinstance(pattern, (ast.MatchValue, ast.MatchClass)):
                self._expression(pattern.value if isinstance(pattern, ast.MatchValue) else pattern.cls, scope)
            self._bind(pattern, scope)
        if node.guard is not None:
            self._expression(node.guard, scope)
        self._block(node.body, scope)

    # Expressions

    def _expression(self, root: ast.expr, scope: Scope) -> None:
        stack: list[tuple[ast.AST, Scope, bool]] = [(root, scope, False)]
        while stack:
            node, inside, done = stack.pop()
            if done:
                self._leave(node, inside)
            elif isinstance(node, ast.Lambda):
                self._defer(node, inside)
            elif isinstance(node, COMPREHENSIONS):
                stack.extend(reversed(list(self._comprehension(node, inside))))
            else:
                stack.append((node, inside, True))
                stack.extend((child, inside, False) for child in reversed(list(ast.iter_child_nodes(node))))

    def _leave(self, node: ast.AST, scope: Scope) -> None:
        if not isinstance(node, ast.expr):
            return
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            if isinstance(node, (ast.Attribute, ast.Subscript)):
                self._unit.stores.append(node)
            return
        if isinstance(node, ast.Name):
            self.references[node] = self._look_up(node.id, scope)
        elif isinstance(node, ast.NamedExpr):
            self._bind(node, scope)
        self._unit.nodes.append(node)
        self.unit_of[node] = self._unit

    def _comprehension(self, node: Comprehension, scope: Scope) -> Iterator[tuple[ast.AST, Scope, bool]]:
        inner = Scope("comprehension", scope, running=False)
        for generator in node.generators:
            for binding in unpack(generator.target, None, generator):
                inner.local.setdefault(binding.name, set()).add(binding)
        for number, generator in enumerate(node.generators):
            yield generator.iter, scope if number == 0 else inner, False
            yield generator.target, inner, False
            yield from ((condition, inner, False) for condition in generator.ifs)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            yield part, inner, False

    # Conditions

    def _truth(self, test: ast.expr, scope: Scope, depth: int = 0) -> bool | None:
        """Tell how a condition comes out when the grader imports the file; None where that is open."""
        match test:
            case ast.Constant():
                return bool(test.value)
            case ast.UnaryOp(op=ast.Not()) if depth < MANY:
                truth = self._truth(test.operand, scope, depth + 1)
                return None if truth is None else not truth
            case ast.BoolOp() if depth < MANY:
                truths = [self._truth(value, scope, depth + 1) for value in test.values]
                decisive = isinstance(test.op, ast.Or)
                return decisive if decisive in truths else None if None in truths else not decisive
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as operator], comparators=[right]):
                names = [side for side in (left, right) if isinstance(side, ast.Name) and side.id == "__name__"]
                main = any(isinstance(side, ast.Constant) and side.value == "__main__" for side in (left, right))
                if main and names and self._look_up("__name__", scope).bindings == NOTHING:
                    return isinstance(operator, ast.NotEq)
            case ast.Name():
                return self._flag(self._look_up(test.id, scope).bindings, "")
            case ast.Attribute(value=ast.Name(id=name), attr="TYPE_CHECKING"):
                return self._flag(self._look_up(name, scope).bindings, ".TYPE_CHECKING")
        return None

    def _flag(self, bindings: frozenset[Binding], attribute: str) -> bool | None:
        if all(b.dotted is not None and b.dotted + attribute in TYPE_CHECKING_HOMES for b in bindings):
            return False
        values = [b.value.value for b in bindings if isinstance(b.value, ast.Constant)]
        if self.module.running and not attribute and len(values) == len(bindings):
            truths = {bool(value) for value in values}
            return truths.pop() if len(truths) == 1 else None
        return None
