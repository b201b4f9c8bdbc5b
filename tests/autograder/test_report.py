"""The record of a run: the gravest outcome is the step's, and the JSON document keeps to schema 1."""

import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.report import EXIT_CODES, CheckResult, Mistake, Printed, Report, StepName, Timing, Where, worst
from autograder.views import document

# A pass is the least; that the course is broken is the gravest; a step that is right but blocked is right before all.
ORDER = ["passed", "blocked", "failed", "error", "timeout", "limit", "crash", "bad_input", "internal"]
WRONG = CheckResult(
    "output_matches",
    "failed",
    "GPT2Block does not give …",
    expected="0.12",
    got="0.99",
    where=Where("steps/step_09.py", 31, 9, "        x = x + 1"),
    mistake=Mistake("post-norm", "The norm comes after."),
    detail=["at [0, 0]", "\x1b[31m\n"],
    call="GPT2Block(…)(x)",
)
REPORT = Report(
    step=StepName(9, "block", "Transformer Block"),
    outcome="failed",
    tree="steps",
    file="steps/step_09.py",
    seed="91c2",
    checks=[WRONG, CheckResult("shape", "passed", "the shape is right")],
    output=Printed("hello\n", 6),
    next="pixi run s09",
    versions={"python": "3.11.7", "torch": "2.13.0", "transformers": "5.23.0"},
    timing=Timing(64, "warm"),
)
NULL = type(None)
# DESIGN.md, section 4: every key that a reader of the document may rely on, and what it holds.
SCHEMA = {
    "schema": int,
    "step": {"number": int, "slug": str, "title": str},
    "outcome": str,
    "tree": str,
    "file": str,
    "blocked_by": list,
    "seed": str,
    "checks": [
        {
            "id": str,
            "outcome": str,
            "message": str,
            "expected": (str, NULL),
            "got": (str, NULL),
            "where": ({"file": str, "line": int, "column": int}, NULL),
            "mistake": ({"id": str, "says": str}, NULL),
            "detail": [str],
        }
    ],
    "chain": NULL,
    "output": {"text": str, "bytes": int},
    "next": str,
    "versions": {"python": str},
    "timing": {"ms": int, "worker": str},
}


def holds(value, schema):
    """Assert that a part of a document has the schema's keys, with its types; there may be more."""
    if isinstance(schema, tuple):
        if value is not None or NULL not in schema:
            holds(value, schema[0])
    elif isinstance(schema, dict):
        assert type(value) is dict
        assert set(schema) <= set(value)
        for key, inner in schema.items():
            holds(value[key], inner)
    elif isinstance(schema, list):
        assert type(value) is list
        for item in value:
            holds(item, schema[0])
    else:
        assert type(value) is schema


@pytest.mark.parametrize(("milder", "graver"), list(itertools.pairwise(ORDER)))
def test_the_gravest_outcome_is_the_steps(milder, graver):
    assert worst([milder, graver]) == worst([graver, milder]) == graver


@given(st.lists(st.sampled_from(ORDER), min_size=1))
def test_only_all_passed_is_a_pass(outcomes):
    assert (worst(outcomes) == "passed") == (set(outcomes) == {"passed"})
    assert worst(outcomes) in outcomes


def test_no_outcome_at_all_is_internal():
    assert worst([]) == "internal"


def test_exit_codes():
    assert dict.fromkeys(ORDER, 1) | {"passed": 0, "internal": 3} == EXIT_CODES


def test_the_document_holds_schema_1():
    parsed = json.loads(document.encode(REPORT))
    holds(parsed, SCHEMA)
    assert parsed["schema"] == 1
    assert parsed["checks"][0]["where"] == {
        "file": "steps/step_09.py",
        "line": 31,
        "column": 9,
        "text": "        x = x + 1",
    }
    assert parsed["checks"][0]["mistake"] == {"id": "post-norm", "says": "The norm comes after."}
    assert (parsed["checks"][1]["expected"], parsed["checks"][1]["where"], parsed["chain"]) == (None, None, None)


def test_the_document_is_one_and_ends_with_a_newline():
    text = document.encode(REPORT)
    assert text.endswith("}\n")
    assert msgspec.json.decode(text, type=Report) == REPORT  # nothing is lost
    assert "\x1b" not in text


def test_a_real_runs_document_holds_schema_1_on_success_and_on_failure(judge_text):
    for text in ("x = 1\n", "def f(:\n", "import os\nos._exit(3)\n", "raise ValueError('\\ud800\\x1b[31m')\n"):
        report = judge_text("config", text)
        parsed = json.loads(document.encode(report))
        holds(parsed, SCHEMA)
        assert parsed["outcome"] == report.outcome != "passed"
        assert len([one for one in parsed["checks"] if one["declared"]]) == 9
