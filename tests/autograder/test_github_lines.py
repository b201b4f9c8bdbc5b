"""GitHub's workflow commands, read by the rules of its runner: ours say what they say, and a learner gives none."""

import io
from pathlib import Path

import pytest
import reports

from autograder.views import github, plain

COMMANDS = {
    "error",
    "warning",
    "notice",
    "debug",
    "group",
    "endgroup",
    "set-output",
    "add-mask",
    "save-state",
    "add-path",
}


class Runner:
    """The runner's own rules (actions/runner, ActionCommand.cs and ActionCommandManager.cs) for a step's output.

    A line is a command when it begins with `::name …::`, and in the older form wherever it holds `##[name …]`. Between
    `::stop-commands::TOKEN` and `::TOKEN::` none is.
    """

    def __init__(self):
        self.known = COMMANDS | {"stop-commands"}
        self.token = None
        self.obeyed = []

    def read(self, text):
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            command = self.parse(line)
            if command is None:
                continue
            name, _, data = command
            if self.token is not None:
                if name == self.token:
                    self.known.remove(self.token)
                    self.token = None
            elif name == "stop-commands":
                self.token = data.lower()
                self.known.add(self.token)
            else:
                self.obeyed.append(command)
        return self.obeyed

    def parse(self, line):
        line = line.lstrip()
        if line.startswith("::") and "::" in line[2:]:
            head, data = line[2:].split("::", 1)
            found = self.command(head, ",", data)
            if found:
                return found
        if "##[" in line and "]" in line.split("##[", 1)[1]:
            head, data = line.split("##[", 1)[1].split("]", 1)
            return self.command(head, ";", data)
        return None

    def command(self, head, separator, data):
        name, _, rest = head.partition(" ")
        if name.lower() not in self.known:
            return None
        pairs = (each.split("=", 1) for each in rest.strip().split(separator) if "=" in each)
        return name.lower(), {key: self.unescaped(value, ":,") for key, value in pairs}, self.unescaped(data, "")

    @staticmethod
    def unescaped(text, more):
        for character in "\r\n" + more + "%":
            text = text.replace(f"%{ord(character):02X}", character)
        return text


def printed(report):
    stream = io.StringIO()
    with github.silenced(stream):
        plain.write(report, stream)
    return stream.getvalue() + "\n".join(github.lines(report)) + "\n"


def test_a_failed_check_is_an_error_beside_its_line():
    (first, *_) = github.lines(reports.ALL["failed"])
    assert first == (
        "::error file=steps/step_03.py,line=12,col=9,title=Step 03%3A Layer Normalisation::"
        "LayerNorm does not give torch's output%0Acall LayerNorm(8)(x)%0Aexpected 0.1203, got 0.9981%0A"
        "118 of 120 numbers differ%0Athis is what you get without eps"
    )


def test_what_passed_gives_no_command():
    assert github.lines(reports.ALL["passed"]) == []
    assert Runner().read(printed(reports.ALL["passed"])) == []


@pytest.mark.parametrize("report", reports.ALL.values(), ids=reports.ALL)
def test_the_runner_obeys_our_errors_and_nothing_of_a_learners(report):
    obeyed = Runner().read(printed(report))
    assert len(obeyed) == len(github.lines(report))
    for name, properties, data in obeyed:
        assert name == "error"
        assert set(properties) == {"file", "line", "col", "title"}
        assert properties["file"] in reports.places(report)
        assert properties["line"].isdecimal()
        assert properties["col"].isdecimal()
        assert properties["title"] == "Step 03: Layer Normalisation"
        assert "\r" not in data


def test_a_percent_sign_comes_back_as_it_was():
    ((_, _, data),) = Runner().read("\n".join(github.lines(reports.make(reports.FAILED, file="a.py")))) or [None]
    assert data.startswith("LayerNorm does not give torch's output\n")
    commands = Runner().read("\n".join(github.lines(reports.hostile("100% of %0A, %25"))))
    assert commands[0][2].split("\n")[0] == "got 100% of %0A, %25"


def test_without_silence_the_runner_would_obey_a_learner():
    """The reason for `silenced`, and the proof that the runner above is awake."""
    stream = io.StringIO()
    plain.write(reports.hostile("##[add-mask]a"), stream)
    assert Runner().read(stream.getvalue())
    assert Runner().read("  ::set-output name=grade::100") == [("set-output", {"name": "grade"}, "100")]


def test_the_token_is_another_each_time_and_too_long_to_guess():
    streams = [io.StringIO(), io.StringIO()]
    for stream in streams:
        with github.silenced(stream):
            stream.write("::error::mine\n")
    tokens = [stream.getvalue().split("\n")[0].removeprefix("::stop-commands::") for stream in streams]
    assert tokens[0] != tokens[1]
    assert all(len(token) == 32 for token in tokens)
    assert streams[0].getvalue() == f"::stop-commands::{tokens[0]}\n::error::mine\n::{tokens[0]}::\n"


def test_the_runner_listens_again_after_a_failure_in_between():
    stream = io.StringIO()
    with pytest.raises(KeyError), github.silenced(stream):
        raise KeyError
    stream.write("::notice::awake\n")
    assert Runner().read(stream.getvalue()) == [("notice", {}, "awake")]


def test_a_course_in_a_folder_of_a_repository_gives_paths_that_the_runner_can_make_relative():
    (line, *_) = github.lines(reports.ALL["failed"], Path("work") / "course")
    assert line.startswith("::error file=work/course/steps/step_03.py,")
