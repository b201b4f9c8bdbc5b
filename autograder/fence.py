"""A puzzle's fences: one file holds the solution, and in comments what the learner's stub has in its place.

    # BEGIN SOLUTION
    # STUB: # TODO 1: twice the number   [1 line]
    # STUB: raise NotImplementedError("step {step}: double")
    return 2 * number
    # END SOLUTION

A fence is a comment of the syntax, alone on its line: the same words inside a string are the string's own.
"""

import ast
import functools
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple

from autograder.errors import CourseError

_KEPT = 32  # puzzles: a course's, each of which is asked for again with every declared mistake
BEGIN, END, STUB = "# BEGIN SOLUTION", "# END SOLUTION", "# STUB:"


class Line(NamedTuple):
    text: str
    origin: int  # its number in the puzzle's file, for messages
    side: Literal["both", "solution", "stub"]


class Puzzle(NamedTuple):
    filename: str
    lines: tuple[Line, ...]

    def solution(self, number: int, numbers: Mapping[str, int], tree: str = "solutions") -> str:
        """Return the finished code as step ``number``; ``numbers`` has every slug's, for the imports."""
        return self._render("the solution", _not_of_the_stub(self.lines), number, numbers, tree)

    def finished(self) -> str:
        """Return the finished code as its author wrote it, with imports from ``puzzles``."""
        return _finished_text(self.lines)

    def fenced(self) -> dict[int, int]:
        """Return the lines of the finished code that the learner writes, each with its line in the puzzle's file."""
        tidy = _tidy(_not_of_the_stub(self.lines))
        return {at: line.origin for at, line in enumerate(tidy, 1) if line.side == "solution"}

    def stub(self, number: int, numbers: Mapping[str, int], tree: str = "steps") -> str:
        """Return what the learner starts from as step ``number``."""
        lines = [
            line._replace(text=line.text.replace("{step}", f"{number:02d}")) if line.side == "stub" else line
            for line in self.lines
            if line.side != "solution"
        ]
        return self._render("the stub", lines, number, numbers, tree)

    def _render(self, what: str, lines: list[Line], number: int, numbers: Mapping[str, int], tree: str) -> str:
        _compile(lines, self.filename, what)
        return _text(_rewrite_imports(_tidy(lines), self.filename, number, numbers, tree))


@functools.lru_cache(_KEPT)
def _finished_text(lines: tuple[Line, ...]) -> str:
    return _text(_tidy(_not_of_the_stub(lines)))


def _not_of_the_stub(lines: tuple[Line, ...]) -> list[Line]:
    return [line for line in lines if line.side != "stub"]


@functools.lru_cache(_KEPT)
def split(text: str, filename: str) -> Puzzle:
    """Return the puzzle that ``text`` holds; ``filename`` is for messages."""
    text = text.replace("\r\n", "\n")
    source = [Line(line, origin, "both") for origin, line in enumerate(text.split("\n"), 1)]
    for line in source:
        if "\t" in line.text:
            raise CourseError(r"has a tab: indent with spaces, and write \t in a string", filename, line.origin)
    _compile(source, filename, "the puzzle")
    return Puzzle(filename, tuple(_sides(source, _comments(text, filename), filename)))


def renumbered(text: str, filename: str, number: int, numbers: Mapping[str, int], tree: str = "steps") -> str:
    """Return the code of step ``number`` with its imports from ``puzzles`` as those of the steps in ``tree``."""
    lines = [Line(line, origin, "both") for origin, line in enumerate(text.splitlines(), 1)]
    return _text(_rewrite_imports(lines, filename, number, numbers, tree))


def public_names(text: str) -> list[str]:
    """Return the names of the functions and classes that a puzzle defines for others."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = [node.name for node in ast.parse(text).body if isinstance(node, kinds)]
    return [name for name in dict.fromkeys(names) if not name.startswith("_")]


class _Fence(NamedTuple):
    begin: int
    indent: str


def _sides(source: list[Line], comments: Mapping[int, str], filename: str) -> Iterator[Line]:
    """Yield the lines without the fences, each with the side it belongs to."""
    fence: _Fence | None = None
    fences = solution_lines = 0
    for line in source:
        comment = comments.get(line.origin, "")
        indent = line.text[: len(line.text) - len(line.text.lstrip())]
        problem = None
        if comment == BEGIN:
            problem = f"{BEGIN} inside the fence of line {fence.begin}: fences do not nest" if fence else None
            fence, fences, solution_lines = _Fence(line.origin, indent), fences + 1, 0
        elif comment == END:
            problem = _misplaced_end(fence, indent, solution_lines)
            fence = None
        elif comment.startswith(STUB):
            problem = _misplaced_stub(fence, indent, solution_lines)
            yield Line((indent + comment.removeprefix(STUB).removeprefix(" ")).rstrip(), line.origin, "stub")
        else:
            solution_lines += bool(line.text.strip())
            yield line._replace(side="solution" if fence else "both")
        if problem:
            raise CourseError(problem, filename, line.origin)
    if fence:
        raise CourseError(f"{BEGIN} is never closed: add {END} after the solution's lines", filename, fence.begin)
    if not fences:
        raise CourseError(f"has no {BEGIN}: a step without a fence leaves the learner nothing to write", filename)


def _misplaced_end(fence: _Fence | None, indent: str, solution_lines: int) -> str | None:
    if fence is None:
        return f"{END} without {BEGIN} above it"
    if indent != fence.indent:
        return f"{END} is indented by {len(indent)}, its {BEGIN} in line {fence.begin} by {len(fence.indent)}"
    if not solution_lines:
        return f"the fence of line {fence.begin} has no solution: put the finished lines between the STUB lines and END"
    return None


def _misplaced_stub(fence: _Fence | None, indent: str, solution_lines: int) -> str | None:
    if fence is None:
        return f"{STUB} outside a fence: it belongs right after a {BEGIN}"
    if solution_lines:
        return f"{STUB} after the solution has begun: STUB lines come first in a fence"
    if indent != fence.indent:
        return f"{STUB} is indented by {len(indent)}, its {BEGIN} in line {fence.begin} by {len(fence.indent)}"
    return None


def _comments(text: str, filename: str) -> dict[int, str]:
    """Return the comments that stand alone on their line; one that only resembles a fence is an error."""
    alone = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            line, comment = token.start[0], token.string.rstrip()
            is_alone = not token.line[: token.start[1]].strip()
            meant = _fence_that_is_meant(comment)
            if meant and not (is_alone and _is_exact(comment)):
                where = "" if is_alone else " on a line of its own"
                raise CourseError(f'"{comment}" looks like a fence: write {meant}{where}', filename, line)
            if is_alone:
                alone[line] = comment
    return alone


def _is_exact(comment: str) -> bool:
    return comment in (BEGIN, END) or comment.startswith(STUB)


def _fence_that_is_meant(comment: str) -> str | None:
    if re.match(r"#+\s*stubs?\s*:", comment, re.IGNORECASE) or re.match(r"# STUB\b", comment):
        return STUB
    words = " ".join(re.findall(r"\w+", comment.replace("_", " "))).lower()
    close = get_close_matches(words, ("begin solution", "end solution"), n=1, cutoff=0.85)
    return {"begin solution": BEGIN, "end solution": END}[close[0]] if close else None


def _compile(lines: list[Line], filename: str, what: str) -> None:
    try:
        compile(_text(lines), filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        at = min(error.lineno or 1, len(lines))
        raise CourseError(f"{what} does not compile: {error.msg}", filename, lines[at - 1].origin) from None
    except ValueError as error:  # a null byte, in Python 3.11
        raise CourseError(f"{what} does not compile: {error}", filename) from None


def _text(lines: list[Line]) -> str:
    return "".join(f"{line.text}\n" for line in lines)


def _tidy(lines: list[Line]) -> list[Line]:
    """Return the lines without the blank ones that the fences leave behind, as a formatter would."""
    fixed = _inside_strings(_text(lines))
    tidy: list[Line] = []
    blanks: list[Line] = []
    for index, line in enumerate(lines, 1):
        if not line.text.strip() and index not in fixed:
            blanks.append(line._replace(text=""))
            continue
        tidy += blanks[: _blanks_allowed(tidy[-1].text if tidy else None, line.text)]
        tidy.append(line)
        blanks = []
    return tidy


def _blanks_allowed(before: str | None, after: str) -> int:
    if before is None:
        return 0
    indent = len(after) - len(after.lstrip())
    opens_block = before.rstrip().endswith(":") and indent > len(before) - len(before.lstrip())
    return 0 if opens_block else 1 if indent else 2


def _inside_strings(text: str) -> set[int]:
    """Return the numbers of the lines that begin inside a string of several lines."""
    inside: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        inside.update(range(token.start[0] + 1, token.end[0] + 1))
    return inside


def _rewrite_imports(
    lines: list[Line], filename: str, number: int, numbers: Mapping[str, int], tree: str
) -> list[Line]:
    """Return the lines with ``puzzles.SLUG`` as ``tree.step_NN`` in every import."""
    lines = list(lines)
    whole: list[int] = []  # the lines that are one such import and nothing else
    for node in ast.walk(ast.parse(_text(lines))):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for slug in _imported_slugs(node):
            line = lines[node.lineno - 1]
            head, tail = line.text[: node.col_offset], line.text[node.col_offset :]
            before, found, after = tail.partition(f"puzzles.{slug}")
            if not slug or not found:
                how = "from puzzles.SLUG import NAME, or import puzzles.SLUG as NAME, on one line"
                raise CourseError(f"an import of a step is written {how}", filename, line.origin)
            module = f"{tree}.step_{_earlier(slug, number, numbers, filename, line.origin):02d}"
            lines[node.lineno - 1] = line._replace(text=f"{head}{before}{module}{after}")
            if not head.strip() and node.lineno == node.end_lineno:
                whole.append(node.lineno - 1)
    return _sorted_imports(lines, sorted(set(whole)))


def _imported_slugs(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return the slugs of the steps that an import names; "" stands for a form that cannot be rewritten."""
    if isinstance(node, ast.ImportFrom):
        modules = ["." if node.level else node.module or ""]
    else:
        modules = [alias.name if alias.asname else alias.name.split(".")[0] for alias in node.names]
    ours = [name for name in modules if name.split(".")[0] in ("", "puzzles", "steps", "solutions")]
    return [name.removeprefix("puzzles.") if name.startswith("puzzles.") else "" for name in ours]


def _earlier(slug: str, number: int, numbers: Mapping[str, int], filename: str, line: int) -> int:
    if slug not in numbers:
        close = get_close_matches(slug, numbers, n=1)
        hint = f"did you mean puzzles.{close[0]}?" if close else "course.toml has no such slug"
        raise CourseError(f"imports puzzles.{slug}: {hint}", filename, line)
    if numbers[slug] >= number:
        problem = f"is step {numbers[slug]:02d}, and this is step {number:02d}: import earlier steps only"
        raise CourseError(f"puzzles.{slug} {problem}", filename, line)
    return numbers[slug]


def _sorted_imports(lines: list[Line], whole: list[int]) -> list[Line]:
    """Return the lines with neighbouring imports of steps in the steps' order, not in the slugs'."""
    start = 0
    for end in range(1, len(whole) + 1):
        is_neighbour = end < len(whole) and whole[end] == whole[end - 1] + 1
        if not is_neighbour or _indent(lines[whole[end]]) != _indent(lines[whole[start]]):
            first, last = whole[start], whole[end - 1] + 1
            lines[first:last] = sorted(lines[first:last], key=lambda line: line.text)
            start = end
    return lines


def _indent(line: Line) -> int:
    return len(line.text) - len(line.text.lstrip())
