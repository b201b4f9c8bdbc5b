"""What is told of code that raised: the text of its exception, in lines, and in the names that its file uses."""

import pytest

from autograder import trouble, wire
from autograder.run import _call
from autograder.student import StudentRaised


def first(message, type_name="RuntimeError"):
    return trouble.of_exception(StudentRaised(wire.Raised(type_name, type_name, message, []), "f(x)")).detail[0]


def test_a_short_text_is_told_whole():
    assert first("no") == "RuntimeError: no"
    assert first("") == "RuntimeError"
    assert first("Error(s) in loading:\n\tone\r\n\n  two \n") == "RuntimeError: Error(s) in loading:\n\tone\n  two"


def test_of_a_long_text_the_first_lines_are_told_and_how_many_more_there_are():
    assert first("a\nb\nc\nd") == "RuntimeError: a\nb\nc\n… and 1 more line"
    assert first("\n".join("abcdefgh")) == "RuntimeError: a\nb\nc\n… and 5 more lines"
    told = first("x" * 700 + "\nsecond\nthird\nfourth")
    assert told == f"RuntimeError: {'x' * 586} … and 127 more characters\n… and 1 more line"


LEAK = """from steps.step_05 import TokenEmbedding

class GPT2Model:
    def __init__(self, config):
        raise TypeError(f"cannot assign {TokenEmbedding!r} of mysolutions.step_05\\nand {TokenEmbedding}")
"""


def test_an_earlier_step_bears_the_name_that_the_learners_file_imports(judge_text):
    made = judge_text("model", LEAK)
    detail = next(check.detail[0] for check in made.checks if check.outcome == "error")
    name = "<class 'steps.step_05.TokenEmbedding'>"
    assert detail == f"TypeError: cannot assign {name} of mysolutions.step_05\nand {name}"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("f(x, a dict)", "f(x, a dict)"),
        ("a dict", "the dict that was given"),
        ("a dict['h.0']", "'h.0' in the dict that was given"),
        ("", None),
        (None, None),
    ],
)
def test_what_was_given_is_not_called_but_read(words, told):
    assert _call(words) == told
