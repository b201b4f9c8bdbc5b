"""How the tests of the steps read a report, as a learner does, and make one program from another."""

from autograder.views.layout import lines


def shown(report):
    """Return what stands on the screen between `Results:` and the footer, without the lines that passed."""
    texts = [line.text for line in lines(report) if line.role in ("result", "detail", "code", "caret", "blank")]
    kept = [text for text in texts if text and text != "Results:" and not text.startswith("✅")]
    return "\n".join(kept)


def passed(report):
    """Return the ✅ lines."""
    return [line.text for line in lines(report) if line.role == "result" and line.text.startswith("✅")]


def failed(report):
    """Return the names of the checks that did not pass."""
    return [check.id for check in report.checks if check.outcome != "passed"]


def edited(text, *edits):
    """Return the text after all edits, each a pair of old and new; the old one must be there."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text
