"""What a name of a learner's file stands for in the libraries (``torch.nn.LayerNorm``), and what code reaches."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from typing import TYPE_CHECKING

from autograder.bindings import DEFINITIONS, MANY, STAR, UNBOUND, Binding, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from autograder.flow import Flow

Names = frozenset[str]
NO_NAMES: Names = frozenset()
LONGEST = 200  # characters; a forbidden name is far shorter, and a longer one still begins with it
SETTERS = ("builtins.setattr", "builtins.delattr", "operator.setitem", "unittest.mock.patch.object")
ROUNDS = 8  # each follows one more alias that stands below its use, as in a loop


def is_under(dotted: str, home: str) -> bool:
    return dotted == home or dotted.startswith(home + ".")


def is_dotted(text: object) -> bool:
    return isinstance(text, str) and all(part.isidentifier() for part in text.split("."))


def constant(call: ast.Call, position: int) -> str | None:
    argument = call.args[position] if position < len(call.args) else None
    return str(argument.value) if isinstance(argument, ast.Constant) and is_dotted(argument.value) else None


def is_constant(node: ast.AST) -> bool:
    """A number or a text that has a name: nothing can change it, to whatever it is handed."""
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(
        node.value, (ast.Constant, ast.UnaryOp, ast.BinOp)
    )


class Naming:
    """Give every expression of a file the dotted names that it may stand for.

    ``()`` marks what a call returns, and ``@3`` what the file's own top-level statement 3 defines.
    """

    def __init__(self, flow: Flow, choose: Callable[[ast.Name], frozenset[Binding]]) -> None:
        self._choose = choose
        self._of: dict[ast.expr, Names] = {}
        nodes = [node for unit in flow.units for node in unit.nodes]
        for _ in range(ROUNDS):
            changed = False
            for node in nodes:
                names = self._name(node)
                if names != self.of(node):
                    self._of[node] = names
                    changed = True
            if not changed:
                break

    def of(self, node: ast.expr | None) -> Names:
        return NO_NAMES if node is None else self._of.get(node, NO_NAMES)

    def of_binding(self, binding: Binding, name: str) -> Names:
        if binding is UNBOUND:
            return frozenset({f"builtins.{name}"}) if hasattr(builtins, name) else NO_NAMES
        if binding.dotted is not None:
            return frozenset({f"{binding.dotted}.{name}" if binding.name == STAR else binding.dotted})
        if isinstance(binding.node, DEFINITIONS) and binding.unit is not None:
            return frozenset({f"@{binding.unit.number}"})
        return self.of(binding.value)

    def _name(self, node: ast.expr) -> Names:
        names: Iterable[str] = NO_NAMES
        match node:
            case ast.Name():
                names = (name for binding in self._choose(node) for name in self.of_binding(binding, node.id))
            case ast.Attribute():
                names = (f"{name}.{node.attr}" for name in self.of(node.value))
            case ast.Call():
                names = self._call(node)
            case ast.Subscript(slice=ast.Constant(value=str(key))) if is_dotted(key):
                names = self._item(self.of(node.value), key)
            case ast.NamedExpr():
                names = self.of(node.value)
            case ast.IfExp():
                names = self.of(node.body) | self.of(node.orelse)
            case ast.BoolOp():
                names = (name for value in node.values for name in self.of(value))
        found = {name[:LONGEST] for name in names}
        return frozenset(found if len(found) <= MANY else sorted(found, key=lambda name: (len(name), name))[:MANY])

    def _call(self, node: ast.Call) -> Iterator[str]:
        for function in self.of(node.func):
            text, attribute = constant(node, 0), constant(node, 1)
            first = self.of(node.args[0]) if node.args else NO_NAMES
            if function == "builtins.getattr" and attribute is not None:
                yield from (f"{name}.{attribute}" for name in first)
            elif function == "builtins.vars":
                yield from (f"{name}.__dict__" for name in first)
            elif function == "functools.partial":
                yield from first
            elif function == "importlib.import_module" and text is not None:
                yield text
            elif function == "builtins.__import__" and text is not None:
                whole = len(node.args) > 3 or any(keyword.arg == "fromlist" for keyword in node.keywords)
                yield text if whole else text.partition(".")[0]
            elif not function.endswith("()"):
                yield f"{function}()"

    @staticmethod
    def _item(homes: Names, key: str) -> Iterator[str]:
        for home in homes:
            if home == "sys.modules":
                yield key
            elif home.endswith(".__dict__"):
                yield f"{home.removesuffix('.__dict__')}.{key}"


class Reach:
    """Which top-level statements the code behind some names reads, runs, or is changed by."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._ever: dict[tuple[str, int], frozenset[Binding]] = {}
        self._early: set[Unit] = set()  # defined here and mentioned by what the import runs, so perhaps run by it
        self._early = self._closure(self._units_behind(u.nodes[: u.nodes_at_import] for u in flow.units), early=True)
        self.naming = Naming(flow, self.bindings)
        self._changed_by: dict[Unit, list[Unit]] = defaultdict(list)
        for unit in flow.units:
            for target in self._changes(unit):
                self._changed_by[target].append(unit)

    def bindings(self, node: ast.Name) -> frozenset[Binding]:
        """All that a name may be: a function that runs while the file is imported may see what is replaced later."""
        reference, unit = self._flow.references[node], self._flow.unit_of[node]
        if reference.module_name is None or unit not in self._early:
            return reference.bindings
        return self._ever_since(reference.module_name, unit.time)

    def units(self, within: Iterable[str]) -> list[Unit]:
        roots: set[Unit] = set()
        for name in within:
            bindings = self._flow.at_the_end(name)
            if UNBOUND in bindings:
                bindings |= self._flow.at_the_end("__getattr__")
            roots.update(binding.unit for binding in bindings if binding.unit is not None)
        return sorted(self._closure(roots), key=lambda unit: unit.number)

    def _ever_since(self, name: str, time: int) -> frozenset[Binding]:
        if (name, time) not in self._ever:
            self._ever[name, time] = self._flow.ever_since(name, time)
        return self._ever[name, time]

    def _closure(self, roots: Iterable[Unit], *, early: bool = False) -> set[Unit]:
        found: set[Unit] = set()
        waiting = list(roots)
        while waiting:
            unit = waiting.pop()
            if unit in found:
                continue
            found.add(unit)
            if early:
                self._early.add(unit)
            waiting.extend(self._units_behind([unit.nodes]))
            if not early:
                waiting.extend(self._changed_by[unit])
        return found

    def _units_behind(self, groups: Iterable[Iterable[ast.AST]]) -> set[Unit]:
        names = (node for nodes in groups for node in nodes if isinstance(node, ast.Name))
        known = (name for name in names if name in self._flow.references)
        return {b.unit for name in known for b in self.bindings(name) if b.unit is not None}

    # What a statement changes: an object that it stores into, hands to a function of this file, or calls a method of.
    # To call it (`print(LayerNorm(8)(x))`) or to list it (`{"gelu_new": gelu_new}`) is not to change it. A library's
    # function changes nothing that it is given, save those whose work that is; and what was imported is changed by a
    # store alone: `nn.Linear(2, 3)` is a method of `nn` in its form only.

    def _changes(self, unit: Unit) -> set[Unit]:
        early, is_definition = unit in self._early, isinstance(unit.node, DEFINITIONS)
        stores = unit.stores if early else unit.stores[: unit.stores_at_import]
        stored = {name for store in stores for name in ast.walk(store) if isinstance(name, ast.Name)}
        handed = {name for node in getattr(unit.node, "decorator_list", ()) for name in self._handed_on(node)}
        for node in unit.nodes if early and is_definition else unit.nodes[: unit.nodes_at_import]:
            if isinstance(node, ast.Call):
                function = self.naming.of(node.func)
                if any(name in SETTERS or name.endswith((".__setattr__", ".__setitem__")) for name in function):
                    stored |= self._handed_on(node)
                elif not is_definition:
                    of_library = any(name[0] != "@" for name in function)
                    of_object = not of_library or any("()." in name for name in function)  # `list().append`
                    handed |= self._handed_on(node if not of_library else node.func) if of_object else set()
        targets = {unit for unit in self._meant(handed) if not isinstance(unit.node, (ast.Import, ast.ImportFrom))}
        return ({unit for unit in targets if not is_constant(unit.node)} | self._meant(stored)) - {unit}

    def _meant(self, mentions: set[ast.Name]) -> set[Unit]:
        owned = {name.partition(".")[0] for mention in mentions for name in self.naming.of(mention) if name[0] == "@"}
        units = {self._flow.units[int(name[1:])] for name in owned if name[1:].isdecimal()}
        return units | self._units_behind([mentions])

    @staticmethod
    def _handed_on(node: ast.expr) -> set[ast.Name]:
        """The names that a call hands on as they are: its arguments, and the object whose method it is."""
        arguments: list[ast.AST] = []
        if isinstance(node, ast.Call):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            node = node.func
        stack: list[ast.AST] = [*arguments, *([node] if isinstance(node, ast.Attribute) else [])]
        found: set[ast.Name] = set()
        while stack:
            inner = stack.pop()
            if isinstance(inner, ast.Name):
                found.add(inner)
            elif not isinstance(inner, ast.Call):  # a call inside hands on what it returns, and is asked itself
                stack.extend(ast.iter_child_nodes(inner))
        return found
