"""The JUnit report: a document that its readers parse, whose numbers are right, and that overwrites nobody's work."""

import os
import re
from xml.etree import ElementTree

import pytest
import reports

from autograder.errors import UsageError
from autograder.report import CheckResult
from autograder.views import junit

# Jenkins' junit-10.xsd, as far as we use it: a tag's attributes and children. `file` and `line` of a test case are more
# than it has: GitLab and GitHub's reporters read them.
SHAPE = {
    "testsuites": ("name time tests failures errors", "testsuite"),
    "testsuite": ("name time tests failures errors skipped file", "properties testcase system-out"),
    "properties": ("", "property"),
    "property": ("name value", ""),
    "testcase": ("name classname file line", "failure error"),
    "failure": ("type message", ""),
    "error": ("type message", ""),
    "system-out": ("", ""),
}
REQUIRED = {"testsuite": "name tests failures errors", "testcase": "name", "property": "name value"}

each_report = pytest.mark.parametrize("report", reports.ALL.values(), ids=reports.ALL)


def parsed(report):
    return ElementTree.fromstring(junit.encode(report).encode("utf-8"))  # noqa: S314 - it is our own


def cases(report):
    return {case.get("name"): case for case in parsed(report).iter("testcase")}


@each_report
def test_every_report_has_the_shape_of_the_schema(report):
    for element in parsed(report).iter():
        attributes, children = map(str.split, SHAPE[element.tag])
        assert set(element.attrib) <= set(attributes), element.tag
        assert set(REQUIRED.get(element.tag, "").split()) <= set(element.attrib)
        assert {child.tag for child in element} <= set(children), element.tag
        assert re.fullmatch(r"\d+\.\d{3}", element.get("time", "0.000"))


@each_report
def test_the_counts_are_those_of_the_cases(report):
    root = parsed(report)
    for element in (root, root[0]):
        assert int(element.get("tests")) == len(list(root.iter("testcase")))
        assert int(element.get("failures")) == len(list(root.iter("failure")))
        assert int(element.get("errors")) == len(list(root.iter("error")))


@each_report
def test_a_report_is_red_exactly_when_its_outcome_is_no_pass(report):
    root = parsed(report)
    assert (report.outcome != "passed") == bool([*root.iter("failure"), *root.iter("error")])


@each_report
def test_the_document_holds_only_what_xml_allows_and_a_screen_obeys_nothing_of(report):
    text = junit.encode(report)
    assert not re.search("[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    assert not re.search("[\u2028\u2029\u202a-\u202e]", text)


def test_a_check_is_a_case_and_an_undeclared_one_too():
    found = cases(reports.ALL["failed"])
    assert list(found) == ["shape", "output_matches", "gradients", "in_half"]
    assert {case.get("classname") for case in found.values()} == {"steps.step_03"}
    assert len(found["shape"]) == 0
    assert (found["output_matches"].get("file"), found["output_matches"].get("line")) == (reports.FILE, "12")
    assert (found["gradients"].get("file"), found["gradients"].get("line")) == (reports.FILE, "1")


def test_a_failure_says_what_was_called_expected_and_got_and_where():
    failure = cases(reports.ALL["failed"])["output_matches"].find("failure")
    assert failure.attrib == {"type": "failed", "message": "LayerNorm does not give torch's output"}
    assert failure.text.split("\n") == [
        "LayerNorm does not give torch's output",
        "call LayerNorm(8)(x)",
        "expected 0.1203, got 0.9981",
        "118 of 120 numbers differ",
        "this is what you get without eps",
        "steps/step_03.py:12: return x",
    ]


@pytest.mark.parametrize(
    ("outcome", "tag"),
    [
        ("failed", "failure"),
        ("blocked", "failure"),
        ("error", "error"),
        ("timeout", "error"),
        ("crash", "error"),
        ("limit", "error"),
        ("bad_input", "error"),
        ("internal", "error"),
    ],
)
def test_wrong_values_are_a_failure_and_no_values_an_error(outcome, tag):
    (found,) = cases(reports.make(CheckResult("one", outcome, "wrong")))["one"]
    assert (found.tag, found.get("type")) == (tag, outcome)


def test_a_blocked_step_names_who_blocks_it():
    found = cases(reports.ALL["blocked"])
    assert list(found) == ["shape", "output in the chain"]
    (failure,) = found["output in the chain"]
    assert (failure.tag, failure.get("type")) == ("failure", "blocked")
    assert failure.get("message") == "right by itself, but with your step 01: fails"
    (failure,) = cases(reports.ALL["blocked by a stub"])["in the chain"]
    assert failure.get("message").endswith("step 01 not yet: that is still the untouched stub")


def test_what_the_code_printed_comes_back_as_it_was():
    assert parsed(reports.ALL["failed"]).findtext(".//system-out") == "x is 3\n"
    assert parsed(reports.ALL["passed"]).find(".//system-out") is None
    text = "]]></system-out><testcase name='x'/>&amp; é 𝒙"
    assert parsed(reports.make(reports.PASSED, printed=text)).findtext(".//system-out") == text


def test_forbidden_characters_become_their_numbers():
    printed = parsed(reports.make(reports.PASSED, printed="\x00\x1b[31m\ufffe\ud800\r\n.")).findtext(".//system-out")
    assert printed == "\\x00\\x1b[31m\\ufffe\\ud800\n."


def test_the_seed_and_the_versions_are_properties():
    found = {each.get("name"): each.get("value") for each in parsed(reports.ALL["blocked"]).iter("property")}
    assert found == {
        "outcome": "blocked", "seed": "91c2", "blocked_by": "config", "python": "3.11.7", "torch": "2.13.0",
    }  # fmt: skip


# Writing it


def test_a_report_is_written_over_an_older_one_and_into_a_new_folder(tmp_path):
    path = tmp_path / "new" / "report.xml"
    junit.write(reports.ALL["failed"], path)
    junit.write(reports.ALL["passed"], path)
    assert path.read_text(encoding="utf-8") == junit.encode(reports.ALL["passed"])
    assert [each.name for each in path.parent.iterdir()] == ["report.xml"]


def test_an_empty_file_may_become_a_report(tmp_path):
    path = tmp_path / "report.xml"
    path.touch()
    junit.write(reports.ALL["passed"], path)
    assert path.read_text(encoding="utf-8").startswith("<?xml")


def test_a_learners_step_is_never_overwritten(tmp_path):
    path = tmp_path / "step_03.py"
    path.write_text("mine = 1\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"step_03\.py is not a JUnit report, and is not overwritten: name another"):
        junit.write(reports.ALL["passed"], path)
    assert path.read_text(encoding="utf-8") == "mine = 1\n"


def test_a_link_stays_a_link(tmp_path):
    link, target = tmp_path / "link.xml", tmp_path / "report.xml"
    target.touch()
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system makes no links for this user")
    junit.write(reports.ALL["passed"], link)
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.skipif(os.name == "nt", reason="has no /dev")
def test_a_device_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="pipe is not a JUnit report"):
        junit.write(reports.ALL["passed"], pipe)
    assert pipe.is_fifo()


def test_a_folder_is_said_to_be_none(tmp_path):
    with pytest.raises(UsageError, match="is not a JUnit report, and is not overwritten"):
        junit.write(reports.ALL["passed"], tmp_path)


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"^cannot write the JUnit report to .*report\.xml: \w"):
        junit.write(reports.ALL["passed"], tmp_path / "file" / "report.xml")
    with pytest.raises(UsageError, match=r"^cannot write the JUnit report to '.*\\x00\.xml': "):
        junit.write(reports.ALL["passed"], tmp_path / "a\0.xml")
