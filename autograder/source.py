"""Answers about a learner's file from its syntax tree: what it imports, decorates, calls and uses, by any alias.

Nothing of the file is run. A comment or a string satisfies nothing; another spelling of right code breaks nothing.
"""

from __future__ import annotations

import ast
import codecs
import io
import tokenize
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from autograder.bindings import DEFINITIONS, STAR, same_scope
from autograder.flow import Flow
from autograder.names import NO_NAMES, Naming, Reach, is_under

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from autograder.bindings import Binding, Unit
    from autograder.names import Names

MAX_SOURCE_BYTES = 256 * 1024
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
TOO_DEEP = "the code is nested too deeply for Python to read: write it with less inside each other"
_NO_CODE = {  # what stands before code, or around it, where it is shown
    "```": "three backticks are Markdown's, around code: delete this line, and the one after the code",
    ">>>": ">>> is what Python's shell shows before a line: delete it, on each line",
    "<<<<<<<": "git left two versions of these lines: keep one, and delete the lines <<<<<<<, ======= and >>>>>>>",
}


class SourceError(Exception):
    """The file cannot be read as Python: a sentence, and where (``line`` and ``column`` count from 1)."""

    def __init__(
        self, message: str, line: int | None = None, column: int | None = None, text: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.text = text


@dataclass(frozen=True, slots=True, order=True)
class Place:
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    annotation: str
    has_default: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Use:
    dotted: str
    place: Place


def parse(data: bytes, filename: str) -> Source:
    text = decode(data)
    lines = text.split("\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            # What only the compiler rejects (a `return` outside a function) does not run either. No real name is
            # handed over: for its messages the compiler would open such a file.
            compile(tree, "<the file>", "exec", dont_inherit=True)
        return Source(filename, text, tree, lines)
    except SyntaxError as error:
        raise not_python(error, lines) from None
    except (RecursionError, MemoryError):
        raise SourceError(TOO_DEEP) from None
    except (ValueError, OverflowError) as error:
        raise SourceError(f"Python cannot read the file: {error}") from None


def decode(data: bytes) -> str:
    """Return the text, with plain newlines. Python's own reader may take other encodings; the course does not."""
    if len(data) > MAX_SOURCE_BYTES:
        raise SourceError(f"the file has {len(data):,} bytes; a step's file may have {MAX_SOURCE_BYTES:,}")
    if data.startswith(UTF_16):
        raise SourceError("the file is saved as UTF-16: save it again as UTF-8", 1)
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise SourceError(f"line {line} holds a NUL byte, so this is not a text: save the file again as UTF-8", line)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The error counts from after a byte order mark, in the bytes that it was given.
        before, byte = error.object[: error.start], error.object[error.start]
        line = before.count(b"\n") + 1
        shown = error.object.split(b"\n")[line - 1].decode(errors="replace")
        column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
        message = f"line {line} holds the byte 0x{byte:02x}, which is not UTF-8: save the file again as UTF-8"
        raise SourceError(message, line, column, shown) from None
    check_encoding_line(data, text)
    return text


def check_encoding_line(data: bytes, text: str) -> None:
    lines = text.split("\n")
    line = next((n for n, shown in enumerate(lines[:2], 1) if "coding" in shown), 1)
    try:
        declared = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        encoding = codecs.lookup(declared).name
    except (SyntaxError, LookupError):
        message = "the encoding named here is none that the course reads: delete this line, files are UTF-8"
        raise SourceError(message, line, 1, lines[line - 1]) from None
    if encoding not in ("utf-8", "utf-8-sig") and not (encoding == "ascii" and text.isascii()):
        message = f"the file declares the encoding {declared}, but a step's file must be UTF-8: delete this line"
        raise SourceError(message, line, 1, lines[line - 1])


def not_python(error: SyntaxError, lines: list[str]) -> SourceError:
    first = next((number for number, text in enumerate(lines, 1) if text.strip()), 1)
    for number in (first, error.lineno or first):  # no line of code begins so, but one in a string may
        shown = lines[number - 1] if number <= len(lines) else ""
        why = next((why for mark, why in _NO_CODE.items() if shown.lstrip().startswith(mark)), None)
        if why is not None:
            return SourceError(f"this is not Python: {why}", number, 1, shown)
    said = " ".join((error.msg or "invalid syntax").split())
    if isinstance(error, TabError):
        message = "tabs and spaces are mixed in the indentation: use four spaces for each level"
    elif isinstance(error, IndentationError):
        message = f"the indentation is not right: {said}"
    elif "too many nested parentheses" in said:
        message = TOO_DEEP
    else:
        message = f"this is not Python: {said}"
    line = error.lineno if error.lineno and error.lineno > 0 else None
    column = error.offset if line and error.offset and error.offset > 0 else None
    text = lines[line - 1] if line and line <= len(lines) else None
    return SourceError(message, line, column, text)


class Source:
    """A learner's file. Names are resolved through imports, aliases and scopes, never compared as text."""

    def __init__(self, filename: str, text: str, tree: ast.Module, lines: list[str]) -> None:
        self.filename = filename
        self.text = text
        self.tree = tree
        self.lines = lines

    @cached_property
    def _flow(self) -> Flow:
        return Flow(self.tree)

    @cached_property
    def _naming(self) -> Naming:
        return Naming(self._flow, lambda node: self._flow.references[node].bindings)

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self._flow)

    def imports(self, dotted: str) -> Place | None:
        """Where the module's own code imports this, its module, or a module around it, under any name."""
        for unit in self._flow.units:
            for binding in self._flow.bindings(unit.node):
                if binding.dotted is not None and brings(binding, dotted):
                    return self._place(unit.node)
            for node in unit.nodes[: unit.nodes_at_import]:
                if isinstance(node, ast.Call) and self._is_import(node, dotted):
                    return self._place(node)
        return None

    def _is_import(self, node: ast.Call, dotted: str) -> bool:
        importer = self._naming.of(node.func) & {"importlib.import_module", "builtins.__import__"}
        return bool(importer) and any(is_under(dotted, name) for name in self._naming.of(node))

    def decorated_by(self, name: str, dotted: str) -> Place | None:
        """Where the last top-level class or function of this name has the decorator, bare or called."""
        unit = self._last(name, *DEFINITIONS)
        for decorator in getattr(unit.node, "decorator_list", ()) if unit else ():
            if self._naming.of(decorator) & {dotted, f"{dotted}()"}:
                return self._place(decorator)
        return None

    def called_on(self, name: str, dotted: str) -> Place | None:
        """Where ``dotted(name)`` or ``dotted(…)(name)`` is called, which a decorator would do by itself."""
        for unit in self._flow.units:
            for node in unit.nodes[: unit.nodes_at_import]:
                first = node.args[0] if isinstance(node, ast.Call) and node.args else None
                if not (isinstance(node, ast.Call) and isinstance(first, ast.Name) and first.id == name):
                    continue
                if self._naming.of(node.func) & {dotted, f"{dotted}()"}:
                    return self._place(node)
        return None

    def raises(self, name: str) -> bool:
        """Return whether some `raise` of the file, run or not, names this exception of Python's own."""
        raised = [node.exc for node in ast.walk(self.tree) if isinstance(node, ast.Raise)]
        kinds = [error.func if isinstance(error, ast.Call) else error for error in raised]
        return any(isinstance(kind, ast.Name) and kind.id == name for kind in kinds)

    def raises_on(self, line: int) -> bool:
        """Return whether a statement on this line raises of the author's own will: a `raise`, or an `assert`."""
        return any(
            isinstance(node, ast.Raise | ast.Assert) and node.lineno <= line <= (node.end_lineno or node.lineno)
            for node in ast.walk(self.tree)
        )

    def definition(self, name: str) -> Place | None:
        unit = self._last(name, *DEFINITIONS, ast.Assign, ast.AnnAssign)
        return self._place(unit.node) if unit else None

    def nearly(self, name: str) -> str | None:
        """Return the class or function of the module that has almost this name; None where one has this very name."""
        from difflib import get_close_matches  # only a mistake needs it

        plain = {other.casefold().replace("_", ""): other for other in sorted(defined(self.tree))}
        close = get_close_matches(name.casefold().replace("_", ""), plain, 1, 0.8)
        return plain[close[0]] if close and name not in plain.values() else None

    def fields(self, class_name: str) -> list[Field]:
        """The annotated names of the class, in order; the later of two gives the default, as in a dataclass."""
        unit = self._last(class_name, ast.ClassDef)
        found: dict[str, Field] = {}
        for node in same_scope(unit.node.body) if unit and isinstance(unit.node, ast.ClassDef) else ():
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
                found[name] = Field(name, self._segment(node.annotation), self._has_default(node), self._place(node))
        return list(found.values())

    def _has_default(self, node: ast.AnnAssign) -> bool:
        if isinstance(node.value, ast.Call) and "dataclasses.field()" in self._naming.of(node.value):
            return any(keyword.arg in ("default", "default_factory", None) for keyword in node.value.keywords)
        return node.value is not None

    def calls(self, dotted: str, within: Iterable[str] | None = None) -> list[Place]:
        """Where it is called: anywhere, or by what stands behind these top-level names."""
        units = self._flow.units if within is None else self._reach.units(within)
        nodes = (node for unit in units for node in unit.nodes if isinstance(node, ast.Call))
        return sorted({self._place(node) for node in nodes if dotted in self._naming.of(node.func)})

    def uses(self, dotted: Iterable[str], within: Iterable[str]) -> list[Use]:
        """Where these, or anything under them, are read by what stands behind the top-level names ``within``."""
        homes = sorted(set(dotted), key=lambda home: (-len(home), home))
        within = list(within)
        found: dict[Place, Use] = {}
        for node, names in self._imported_as(within):
            if home := forbidden(names, homes):
                found[self._place(node)] = Use(home, self._place(node))
        for unit in self._reach.units(within):
            told: set[ast.AST] = set()  # `nn` in `nn.LayerNorm`: the longest name of a chain speaks for all of it
            for node in reversed(unit.nodes):
                home = None if node in told else forbidden(self._named(node), homes)
                if home:
                    found[self._place(node)] = Use(home, self._place(node))
                if home or node in told:
                    told.update(parts(node))
        return [found[place] for place in sorted(found)]

    def _imported_as(self, within: Iterable[str]) -> Iterator[tuple[ast.AST, Names]]:
        """What is taught, or an attribute of it, may itself be an import."""
        own = [(name, binding) for name in within for binding in self._flow.at_the_end(name)]
        own += [(b.name, b) for unit in self._reach.units(within) for b in unit.attributes]
        for name, binding in own:
            if binding.dotted is not None:
                yield binding.node, self._reach.naming.of_binding(binding, name)

    def _named(self, node: ast.expr) -> Names:
        naming = self._reach.naming
        if isinstance(node, ast.Call) and "functools.partial" in naming.of(node.func):
            return NO_NAMES  # its argument tells the place better
        return naming.of(node) if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Call)) else NO_NAMES

    def _last(self, name: str, *kinds: type[ast.AST]) -> Unit | None:
        for unit in reversed(self._flow.units):
            if isinstance(unit.node, kinds) and any(b.name == name for b in self._flow.bindings(unit.node)):
                return unit
        return None

    def _place(self, node: ast.AST) -> Place:
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        return Place(line, len(self._cut(line, 0, offset)) + 1)

    def _cut(self, line: int, start: int, end: int | None) -> str:
        """The tree counts UTF-8 bytes."""
        return self.lines[line - 1].encode()[start:end].decode(errors="replace")

    def _segment(self, node: ast.expr) -> str:
        first, last = node.lineno, node.end_lineno or node.lineno
        if first == last:
            return self._cut(first, node.col_offset, node.end_col_offset)
        between = self.lines[first : last - 1]
        return "\n".join([self._cut(first, node.col_offset, None), *between, self._cut(last, 0, node.end_col_offset)])


def defined(tree: ast.Module) -> set[str]:
    """Return the names of the module's own classes and functions."""
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name for node in same_scope(tree.body) if isinstance(node, kinds)}


def brings(binding: Binding, dotted: str) -> bool:
    if binding.name == STAR:
        return dotted.rpartition(".")[0] == binding.dotted
    return binding.dotted is not None and is_under(dotted, binding.dotted)


def forbidden(names: Names, homes: list[str]) -> str | None:
    return next((home for home in homes if any(is_under(name, home) for name in names)), None)


class Loops(NamedTuple):
    """The lines on which the innermost loops around a line begin, of each kind; 0 where it is in none."""

    while_line: int
    for_line: int


def loops_around(text: str, line: int) -> Loops:
    """Return the loops of a text that a line is in, within the line's own function."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Loops(0, 0)
    around = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno <= line <= _end(node)]
    functions = [node.lineno for node in around if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    within = max(functions, default=0)
    loops = [node for node in around if node.lineno >= within]
    whiles = (node.lineno for node in loops if isinstance(node, ast.While))
    fors = (node.lineno for node in loops if isinstance(node, ast.For))
    return Loops(max(whiles, default=0), max(fors, default=0))


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def parts(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.Attribute() | ast.Subscript():
            return [node.value]
        case ast.Call():
            return [node.func, *node.args[:1]]
    return []
