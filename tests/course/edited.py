"""A step's finished text with a few words changed: a mistake, or another right way, is as short as what it changes."""

import filled

from autograder import course as courses


def text(slug, *edits):
    """Return the reference's text after the edits, each `(old, new)`; each `old` stands there exactly once."""
    step = courses.load(filled.ROOT).find(slug)
    changed = (filled.ROOT / "solutions" / f"{step.name}.py").read_text(encoding="utf-8")
    changed = changed.replace("from solutions.", "from steps.")
    for old, new in edits:
        assert changed.count(old) == 1, (slug, old, changed.count(old))
        changed = changed.replace(old, new)
    return changed


def failed(report):
    """Return the ids of the lines that did not pass, in order; none may be the course's own fault."""
    assert report.outcome != "internal", [result.detail for result in report.checks]
    return [result.id for result in report.checks if result.outcome != "passed"]


def said(report):
    """Return what stands under the first line that did not pass, its own words included."""
    result = next(result for result in report.checks if result.outcome != "passed")
    for sentence in result.detail:
        assert (
            len(sentence) <= 77
            or sentence.startswith(("either: ", "or: ", "law: "))
            or "Error: " in sentence
            or "state dict" in sentence
        ), sentence
    likely = result.mistake.says if result.mistake else ""
    return "\n".join([result.message, likely, result.expected or "", result.got or "", *result.detail])
