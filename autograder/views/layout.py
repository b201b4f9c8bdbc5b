"""The order and the words of a report on a screen: lines with a role. Terminal and plain text differ in looks alone."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Literal, NamedTuple

from autograder.views.width import cells, window, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autograder.report import CheckResult, Printed, Report, Where

Role = Literal["result", "detail", "code", "caret", "output", "note", "footer", "next", "blank"]
_INDENT = "   "
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_LONGEST_CODE = 200  # columns of a quoted line, wherever it is shown
_PRINTED, _LONGEST_PRINT = 20, 400  # lines, and characters of a line, of what the learner's code printed
_TITLES = {
    "blocked": "right by itself; an earlier step is not",
    "error": "your code raised an exception",
    "timeout": "your code did not come back: does each loop end?",
    "crash": "your code ended its process",
    "limit": "a limit was reached",
    "bad_input": "the file cannot be judged",
    "internal": "the course is at fault: this does not count",
}


class Line(NamedTuple):
    """One line: what it is, its text, and how far it is indented when it is wrapped. A caret follows its code."""

    role: Role
    text: str
    hang: int = 0


def lines(report: Report) -> list[Line]:
    """Return what follows the line that is printed before anything is known."""
    made = [Line("blank", ""), Line("result", "Results:")]
    told = Told()
    for result in report.checks:
        if result.declared:
            made += [title(result), *below(result, told)]
    for result in report.checks:
        if not result.declared:
            made += [Line("blank", ""), title(result), *below(result, told)]
    made += _chain(report)
    made += printed(report.output)
    made.append(Line("blank", ""))
    made += [Line("note", f"Note: {printable(note)}", 6) for note in report.notes]
    if report.outcome in _TITLES:
        made.append(Line("note", f"Outcome: {report.outcome} ({_TITLES[report.outcome]})", 9))
    made.append(Line("footer", _footer(report)))
    made.append(Line("next", f"Next: {printable(report.next)}", 6))
    return made


def title(result: CheckResult) -> Line:
    """Return a check's own line."""
    mark = "✅" if result.outcome == "passed" else "❌"
    return Line("result", f"{mark} {printable(result.message)}")


class Told:
    """What was told so far under the failed lines of one step, and under which of them."""

    def __init__(self) -> None:
        self._failures = 0
        self._first: dict[tuple[str, ...], int] = {}

    def before(self, result: CheckResult) -> int | None:
        """Return which failed line, from 1, has told the same of another check; None when none has."""
        if result.outcome == "passed":
            return None
        self._failures += 1
        key = (result.expected or "", result.got or "", *result.detail, str(result.where))
        first = self._first.setdefault(key, self._failures)
        return first if first < self._failures else None


def below(result: CheckResult, told: Told) -> list[Line]:
    """Return what is told under a failed line; what an earlier line has told already is not said again."""
    before = told.before(result)
    if before is not None:
        which = _ORDINALS[before - 1] if before <= len(_ORDINALS) else f"{before}th"
        return [_item(f"the same error as under the {which} ❌")] if result.outcome == "error" else []
    made = [_item(f"likely    {printable(result.mistake.says)}")] if result.mistake else []
    made += [_item(f"call      {printable(result.call)}")] if result.call else []
    if result.expected is not None:
        made.append(_item(f"expected  {printable(result.expected)}   got {printable(result.got or '')}"))
    made += [line for text in result.detail for line in _sentence(text)]
    if result.where is not None:
        made += _place(result.where)
    return made


def _sentence(text: str) -> list[Line]:
    """Return the lines of a text that may have several: those after the first stand further to the right."""
    first, *more = text.replace("\r\n", "\n").split("\n")
    indent = len(_INDENT) + 2
    return [_item(printable(first)), *(Line("detail", f"{' ' * indent}{printable(line)}", indent) for line in more)]


def _item(text: str) -> Line:
    return Line("detail", f"{_INDENT}{text}", len(_INDENT) + 10 if text[:10].endswith("  ") else len(_INDENT))


def _place(where: Where) -> list[Line]:
    return [Line("detail", f"{_INDENT}{printable(where.file)}:{where.line}", len(_INDENT)), *quoted(where)]


def quoted(where: Where) -> list[Line]:
    """Return the learner's line at a place, if it is not empty, and a caret below the column that is meant."""
    made = []
    if where.text.strip():
        before = printable(where.text[: where.column - 1].lstrip())
        at = len(before) if 1 < where.column <= len(where.text) + 1 else None
        code, caret = window(printable(where.text.strip()), _LONGEST_CODE, at)
        made.append(Line("code", f"{_INDENT}  {code}", len(_INDENT) + 2))
        if caret is not None:
            made.append(Line("caret", f"{_INDENT}  {' ' * caret}^", len(_INDENT) + 2))
    return made


def fitted(made: Sequence[Line], width: int) -> Iterator[Line]:
    """Yield the lines as a screen of that width shows them: prose wrapped, code cut where its caret is in sight.

    A check's own line is the same on a screen and in a pipe, and what the learner's code printed stays as it is.
    """
    for index, line in enumerate(made):
        following = made[index + 1] if index + 1 < len(made) else None
        if line.role == "code":
            margin = len(line.text) - len(line.text.lstrip())
            has_caret = following is not None and following.role == "caret"
            at = _index(line.text, cells(following.text) - 1) - margin if has_caret and following else None
            code, caret = window(line.text[margin:], max(width - margin, 8), at)
            yield line._replace(text=line.text[:margin] + code)
            if caret is not None and following is not None:
                yield following._replace(text=f"{' ' * (margin + caret)}^")
        elif line.role in ("result", "output"):
            yield line
        elif line.role != "caret":
            yield from (line._replace(text=part) for part in wrap(line.text, width, line.hang))


def _index(text: str, column: int) -> int:
    """Return the index of the character that stands in a column."""
    return next((index for index in range(len(text)) if cells(text[:index]) >= column), len(text))


def _chain(report: Report) -> list[Line]:
    """Return how a step that is right by itself fails with the learner's own earlier steps."""
    if report.chain is None:
        return []
    who = " and ".join(report.blamed)
    mine = f"your step {report.step.number:02d} is right; with your {who} it"
    failures = [result for result in report.chain.checks if result.outcome != "passed"]
    if not failures:
        return [Line("blank", ""), Line("note", f"{mine} passes too, but {who} is still the untouched stub", 3)]
    made = [Line("blank", ""), Line("note", f"{mine} fails:", 3)]
    made += [title(failures[0]), *below(failures[0], Told())]
    more = len(failures) - 1
    others = "1 more check fails" if more == 1 else f"{more} more checks fail"
    return [*made, Line("detail", f"{_INDENT}{others} with it", len(_INDENT))] if more else made


def printed(output: Printed) -> list[Line]:
    """Return what the learner's code printed, if anything, after an empty line."""
    if not output.bytes:
        return []
    text = output.text.replace("\r\n", "\n").rstrip("\n").split("\n")
    head = Line("note", f"Your code printed {output.bytes:,} bytes:")
    return [Line("blank", ""), head, *(Line("output", f"│ {line}") for line in _ends(text, output))]


def _ends(text: Sequence[str], output: Printed) -> list[str]:
    """Return the printed lines, made printable; of many the first and the last, and how much lies between them."""
    shown = [printable(line if len(line) <= _LONGEST_PRINT else f"{line[:_LONGEST_PRINT]}…") for line in text]
    if len(shown) <= _PRINTED:
        return shown
    first, last = shown[: _PRINTED // 2], shown[-_PRINTED // 2 :]
    kept = [*text[: _PRINTED // 2], *text[-_PRINTED // 2 :]]
    size = output.bytes - sum(len(line.encode("utf-8", "replace")) + 1 for line in kept)
    return [*first, f"… {max(size, 1):,} bytes left out …", *last]


def _footer(report: Report) -> str:
    who = "learner" if report.tree == "steps" else "reference"
    library = [f"{name} {_short(version)}" for name, version in report.versions.items() if name != "python"]
    parts = [f"{who}: {printable(report.file)}", *library[:1], f"seed {report.seed}"]
    return " · ".join([*parts, report.timing.worker, f"{report.timing.ms} ms"])


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


def printable(text: str) -> str:
    """Return a text whose control characters, escape sequences and direction marks a terminal does not obey."""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text.replace("\t", "    "))


def _shown(character: str) -> str:
    if character.isprintable() or character == "\u200d":
        return character
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
    return character
