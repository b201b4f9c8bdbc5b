"""A report as JUnit XML, for the test reports of GitLab, Jenkins, GitHub's reporters and the like.

The shape is the schema of Jenkins' xunit plugin (junit-10.xsd), and two attributes more on a test case, `file` and
`line`, which GitLab and GitHub's reporters make links of.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from autograder.errors import UsageError
from autograder.files import write_text
from autograder.views.layout import printable
from autograder.views.problems import details, in_the_chain

if TYPE_CHECKING:
    from pathlib import Path

    from autograder.report import CheckResult, Report

_FAILURES = ("failed", "blocked")  # wrong values; with any other outcome no value came, which JUnit calls an error
_FORBIDDEN = re.compile("[^\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0, and no tab left


def encode(report: Report) -> str:
    """Return the document, with a newline at its end."""
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite")
    _properties(suite, report)
    for check in report.checks:
        _case(suite, report, check, check.id)
    _chain(suite, report)
    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
    }
    time = f"{report.timing.ms / 1000:.3f}"
    for element in (root, suite):
        element.set("name", _text(f"Step {report.step.number:02d}: {report.step.title}"))
        for name, count in counts.items():
            element.set(name, str(count))
        element.set("time", time)
    suite.set("skipped", "0")
    suite.set("file", _text(report.file))
    if report.output.bytes:
        ElementTree.SubElement(suite, "system-out").text = _text(report.output.text)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def write(report: Report, path: Path) -> None:
    """Write the document to a file, whole or not at all.

    Errors: UsageError, when it cannot be written there, or when what lies there is not a report.
    """
    try:
        place = path.resolve()
        if place.exists() and not _may_be_replaced(place):
            raise UsageError(f"{path} is not a JUnit report, and is not overwritten: name another file for --junit")
        write_text(place, encode(report))
    except OSError as error:
        raise UsageError(f"cannot write the JUnit report to {path}: {error.strerror or error}") from error
    except ValueError as error:  # a name that no file can have
        raise UsageError(f"cannot write the JUnit report to {str(path)!r}: {error}") from error


def _may_be_replaced(path: Path) -> bool:
    """Return whether the file is empty or some XML: never a learner's step, a device, or a folder."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    return not start or start.startswith((b"<?xml", b"<testsuite"))


def _properties(suite: ElementTree.Element, report: Report) -> None:
    properties = ElementTree.SubElement(suite, "properties")
    values = {"outcome": report.outcome, "seed": report.seed, "blocked_by": " ".join(report.blocked_by)}
    for name, value in (values | report.versions).items():
        if value:
            ElementTree.SubElement(properties, "property", name=_text(name), value=_text(value))


def _chain(suite: ElementTree.Element, report: Report) -> None:
    """Add what failed with the learner's own earlier steps, where the step itself is right."""
    if report.chain is None:
        return
    before = in_the_chain(report)
    failures = [check for check in report.chain.checks if check.outcome != "passed"]
    for check in failures:
        _case(suite, report, check, f"{check.id} in the chain", f"{before}: ")
    if not failures:
        case = _empty_case(suite, report, "in the chain", report.file, 1)
        message = _text(f"{before} not yet: that is still the untouched stub")
        ElementTree.SubElement(case, "failure", type="blocked", message=message).text = message


def _case(suite: ElementTree.Element, report: Report, check: CheckResult, name: str, before: str = "") -> None:
    where = check.where
    file, line = (where.file, where.line) if where is not None else (report.file, 1)
    case = _empty_case(suite, report, name, file, line)
    if check.outcome == "passed":
        return
    tag = "failure" if before or check.outcome in _FAILURES else "error"
    kind = "blocked" if before else check.outcome
    failure = ElementTree.SubElement(case, tag, type=kind, message=_text(before + check.message))
    place = [f"{where.file}:{where.line}: {where.text.strip()}"] if where is not None else []
    failure.text = "\n".join(map(_text, [before + check.message, *details(check), *place]))


def _empty_case(suite: ElementTree.Element, report: Report, name: str, file: str, line: int) -> ElementTree.Element:
    home = f"{report.tree}.step_{report.step.number:02d}"
    attributes = {"name": _text(name), "classname": _text(home), "file": _text(file), "line": str(line)}
    return ElementTree.SubElement(suite, "testcase", attributes)


def _text(text: str) -> str:
    """Return the text as XML can hold it: a control character as its number, `\\x1b`."""
    shown = "\n".join(map(printable, text.replace("\r\n", "\n").split("\n")))
    return _FORBIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
