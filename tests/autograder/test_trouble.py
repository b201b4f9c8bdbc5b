"""What is told of code that raised: the text of its exception, in lines, and in the names that its file uses."""

import ast

import pytest

from autograder import returns, trouble, wire
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


FILE = """def f(x):
    {f}

class C:
    def forward(self, x):
        {forward}

    def other(self):
        def inner():
            return 1
"""


@pytest.mark.parametrize(
    ("f", "forward", "call", "missing"),
    [
        ("x + 1", "return x", "f(x)    x: [batch=2]", True),
        ("return x", "x", "f(x)", False),
        ("return None", "x", "f(x)", False),
        ("return", "x", "f(x)", True),
        ("if x:\n        return x", "x", "f(x)", False),
        ("return x", "x", "C(f(…))(x)    x: [batch=2]", True),
        ("x", "return x", "C(f(…))(x)", False),
        ("return x", "return x", "C(1).other(x)", True),
        ("return x", "x", "C(1).weight", False),
        ("x", "x", "C(1).nothing(x)", False),
        ("x", "x", "g(x)", False),
        ("x", "x", "", False),
    ],
)
def test_a_return_is_missing_where_the_function_that_was_called_has_none(f, forward, call, missing):
    assert returns.is_missing(ast.parse(FILE.format(f=f, forward=forward)), call) is missing


MASK = "def causal_mask(sequence_length, num_tokens=0, *, dtype=None, device=None):\n    {}\n"


def test_where_none_is_returned_on_purpose_no_return_is_said_to_be_missing(judge_text):
    assert "missing" not in str(judge_text("causal_mask", MASK.format("return None")).checks)
    assert "is a `return` missing?" in str(judge_text("causal_mask", MASK.format("pass"), diagnose=False).checks)


def test_what_a_known_mistake_says_of_a_return_is_not_asked_as_well(judge_text):
    made = judge_text("causal_mask", MASK.format("pass"))
    assert any(check.mistake and "without a return" in check.mistake.says for check in made.checks)
    assert "is a `return` missing?" not in str(made.checks)


def test_what_was_not_tried_is_told_by_what_is_asked(judge_text):
    made = judge_text("causal_mask", MASK.format("raise NotImplementedError('step 02: causal_mask')"))
    assert {check.outcome for check in made.checks} == {"failed"}
    tried = [check for check in made.checks if check.got != "nothing yet"]
    untried = [check for check in made.checks if check.got == "nothing yet"]
    assert all(check.message.startswith("not tried yet: ") for check in untried)
    assert len(untried) > 3
    assert not any(check.message.startswith("not tried yet: ") for check in tried)


ATTENTION = """from torch import nn

class GPT2Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)

    def forward(self, hidden_states, attention_mask=None):
        {}
"""


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "return self.c_atn(hidden_states)",
            "AttributeError: 'GPT2Attention' object has no attribute 'c_atn'{}'c_attn'?",
        ),
        ("return hiden_states", "NameError: name 'hiden_states' is not defined{}'hidden_states'?"),
        ("raise NameError('mine. Did you mean: this?')", "NameError: mine. Did you mean: this?"),
        ("return qqq", "NameError: name 'qqq' is not defined"),
    ],
)
def test_what_python_suggests_for_an_unknown_name_is_told(judge_text, line, text):
    made = judge_text("attention", ATTENTION.format(line), diagnose=False)
    said = {check.detail[0] for check in made.checks if check.outcome == "error"}
    assert said == {text.format(". Did you mean: ")}


def test_an_object_that_cannot_be_listed_gets_no_suggestion(judge_text):
    lister = "    def __dir__(self):\n        raise SystemExit\n"
    made = judge_text("attention", ATTENTION.format("return self.c_atn(hidden_states)") + lister, diagnose=False)
    assert {check.detail[0] for check in made.checks if check.outcome == "error"} == {
        "AttributeError: 'GPT2Attention' object has no attribute 'c_atn'"
    }


@pytest.mark.parametrize("rest", ["raise NotImplementedError('step 08: forward')", "return hidden_states"])
def test_what_an_earlier_failure_kept_from_being_tried_is_told_so(judge_text, rest):
    start = "from torch import nn\n\nclass GPT2Attention(nn.Module):\n    def __init__(self, config):\n"
    start += "        super().__init__()\n\n    def forward(self, hidden_states, attention_mask=None):\n"
    lines = [check.message for check in judge_text("attention", f"{start}        {rest}\n", diagnose=False).checks]
    assert lines[0].startswith("GPT2Attention does not have Hugging Face's parameters")
    assert "not tried yet: changing a token leaves the outputs before it as they were" in lines
    assert not any("changes the outputs before it" in line for line in lines)
