"""One line a problem for editors; VS Code's own matcher, in its own language, reads each of them right."""

import io
import json
import os
import subprocess
from pathlib import Path

import deno
import pytest
import reports

from autograder.report import CheckResult, Where
from autograder.views import editor, plain

ROOT = Path(__file__).resolve().parents[2]
TASKS = json.loads((ROOT / ".vscode" / "tasks.json").read_text(encoding="utf-8"))["tasks"]
MATCHERS = [task["problemMatcher"] for task in TASKS if task["problemMatcher"]]
SCRIPT = """
const { regexp, lines } = JSON.parse(new TextDecoder().decode(await new Response(Deno.stdin.readable).arrayBuffer()));
console.log(JSON.stringify(lines.map((line) => new RegExp(regexp).exec(line))));
"""


@pytest.fixture(scope="module")
def matched(tmp_path_factory):
    """Return a function that lets the matcher of tasks.json read lines: JavaScript's expressions, as in VS Code."""
    home = str(tmp_path_factory.mktemp("deno"))
    environment = {**os.environ, "DENO_DIR": home, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}

    def match(lines):
        given = json.dumps({"regexp": MATCHERS[0]["pattern"]["regexp"], "lines": lines})
        command = [deno.find_deno_bin(), "eval", SCRIPT]
        done = subprocess.run(
            command, input=given, env=environment, capture_output=True, encoding="utf-8", check=True, timeout=60
        )
        return json.loads(done.stdout)

    return match


def test_a_line_is_a_place_and_what_is_wrong_there():
    differ = "118 of 120 numbers differ; this is what you get without eps"
    told = f"call LayerNorm(8)(x); expected 0.1203, got 0.9981; {differ}"
    assert editor.lines(reports.ALL["failed"]) == [
        f"steps/step_03.py:12:9: error: LayerNorm does not give torch's output: {told}",
        "steps/step_03.py:1:1: error: LayerNorm lets no gradients through: TypeError: x",
        "steps/step_03.py:1:1: error: LayerNorm does not work in float16",
    ]


def test_what_passed_has_no_line():
    assert editor.lines(reports.ALL["passed"]) == []


def test_a_blocked_step_has_a_line_where_the_chain_fails():
    assert editor.lines(reports.ALL["blocked"]) == [
        "steps/step_01.py:4:1: error: right by itself, but with your step 01: fails"
    ]
    assert editor.lines(reports.ALL["blocked by a stub"]) == [
        "steps/step_03.py:1:1: error: right by itself, but with your step 01 not yet: that is still the untouched stub"
    ]


def test_line_and_column_begin_at_one():
    check = CheckResult("one", "bad_input", "no Python", where=Where(reports.FILE, 0, 0))
    assert editor.lines(reports.make(check)) == ["steps/step_03.py:1:1: error: no Python"]


@pytest.mark.parametrize("report", reports.ALL.values(), ids=reports.ALL)
def test_a_line_is_one_line_of_bounded_length_and_nothing_in_it_is_obeyed(report):
    for line in editor.lines(report):
        assert line.splitlines() == [line]
        assert len(line) < 500
        assert all(character.isprintable() or character in "\u200d\ufffe\uffff\U0010ffff" for character in line)


def test_vs_codes_matcher_takes_file_line_column_and_message_of_every_line(matched):
    lines, expected = [], []
    for report in reports.ALL.values():
        for line in editor.lines(report):
            file = next(name for name in reports.places(report) if line.startswith(f"{name}:"))
            number, column, message = line.removeprefix(f"{file}:").split(":", 2)
            lines.append(line)
            expected.append([line, file, number, column, message.removeprefix(" error: ")])
    assert len(lines) > 30
    assert matched(lines) == expected
    windows = "D:\\steps\\step_03.py:2:1: error: a: b"
    assert matched([windows]) == [[windows, "D:\\steps\\step_03.py", "2", "1", "a: b"]]


def test_vs_codes_matcher_finds_nothing_in_the_report_itself_whatever_a_learner_prints(matched):
    for encoding in ("utf-8", "ascii"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        for report in reports.ALL.values():
            plain.write(report, stream)
        stream.flush()
        shown = stream.buffer.getvalue().decode(encoding)
        assert "steps/step_01.py:1:1: error: not mine" in shown
        assert [found for found in matched(shown.split("\n")) if found] == []


def test_both_checks_have_the_matcher_and_its_groups_are_those_of_the_expression():
    assert len(MATCHERS) == 2
    assert MATCHERS[0] == MATCHERS[1]
    assert MATCHERS[0]["fileLocation"] == ["relative", "${workspaceFolder}"]
    numbers = {"file": 1, "line": 2, "column": 3, "message": 4}
    assert MATCHERS[0]["pattern"] == numbers | {"regexp": MATCHERS[0]["pattern"]["regexp"]}
