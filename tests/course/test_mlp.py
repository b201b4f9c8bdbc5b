"""Step 04's checker, by what it rejects and accepts besides its own mistakes and variants, which `verify` proves."""

import filled
import pytest

TEXT = """import math

import torch
import torch.nn.functional as F
from torch import nn

from steps.step_01 import GPT2Config


def gelu_new(x):
    {gelu}


class GPT2MLP(nn.Module):
    def __init__(self, intermediate_size, config):
        super().__init__()
        {init}

    def forward(self, hidden_states):
        {forward}
"""
GELU = "return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))"
INIT = (
    "self.c_fc = nn.Linear(config.n_embd, intermediate_size)\nself.c_proj = nn.Linear(intermediate_size, config.n_embd)"
)
FORWARD = "return self.c_proj(gelu_new(self.c_fc(hidden_states)))"
OUT, FUNCTION, NAMES, MLP, GRADIENTS, TOKENS, OWN = (
    "gelu_matches",
    "gelu_is_a_function",
    "has_its_parameters",
    "output_matches",
    "gradients_match",
    "tokens_are_independent",
    "forbids",
)
ALL_OF_GELU = (OUT, FUNCTION, MLP, GRADIENTS)
ALL_OF_MLP = (NAMES, MLP, GRADIENTS, TOKENS)
# name: the bodies; the lines that fail, in order; a sentence under the first of them. What has no name stands here.
WRONG_GELU = {
    "0.04472": (GELU.replace("0.044715", "0.04472"), (OUT,), ""),
    "0.7979 for the root": (GELU.replace("math.sqrt(2 / math.pi)", "0.7979"), (OUT,), ""),
    "pi is 3.14": (GELU.replace("math.pi", "3.14"), (OUT, MLP, GRADIENTS), ""),
    "sin for tanh": (GELU.replace("tanh", "sin"), ALL_OF_GELU, ""),
    "float64 comes back": ("x = x.double()\n" + GELU, (OUT, MLP, GRADIENTS, TOKENS), "the numbers have another type"),
    "float32 comes back": ("x = x.float()\n" + GELU, (OUT, "works_in_float64"), "the numbers have another type"),
    "a number at a time, of the first": (GELU.replace("(x ", "(x.flatten()[0] "), (*ALL_OF_GELU, TOKENS), ""),
}
WRONG_MLP = {
    "a Sequential": (
        {
            "init": "self.net = nn.Sequential(nn.Linear(config.n_embd, intermediate_size), "
            "nn.Linear(intermediate_size, config.n_embd))",
            "forward": "return self.net[1](gelu_new(self.net[0](hidden_states)))",
        },
        ALL_OF_MLP,
        "c_fc.bias",
    ),
    "other numbers in evaluation": (
        {"forward": "out = self.c_proj(gelu_new(self.c_fc(hidden_states)))\nreturn out if self.training else out + 1"},
        (TOKENS,),
        "evaluation mode gives something else than training mode",
    ),
    "hidden_states changed": (
        {
            "forward": "out = self.c_proj(gelu_new(self.c_fc(hidden_states)))\n"
            "with torch.no_grad():\n    hidden_states += 1\nreturn out"
        },
        (GRADIENTS, TOKENS),
        "",
    ),
    "detached": (
        {"forward": FORWARD.replace("hidden_states", "hidden_states.detach()")},
        (GRADIENTS,),
        "no gradient comes to hidden_states",
    ),
    "without gradients": (
        {"forward": "with torch.no_grad():\n    " + FORWARD},
        (GRADIENTS,),
        "no gradient comes to c_fc.weight",
    ),
    "frozen": (
        {"init": INIT + "\nself.requires_grad_(False)"},
        (GRADIENTS,),
        "no gradient comes to c_fc.weight",
    ),
    "float64": ({"forward": FORWARD + ".double()"}, (MLP, TOKENS), "the numbers have another type"),
    "a buffer": (
        {"init": INIT + "\nself.register_buffer('root', torch.tensor(0.8))"},
        ALL_OF_MLP,
        "state dict has root",
    ),
    "a mean over the sequence": (
        {"forward": FORWARD.replace("(hidden_states)", "(hidden_states - hidden_states.mean(1, keepdim=True))")},
        (MLP, GRADIENTS, TOKENS),
        "",
    ),
    "made anew each time": (
        {"forward": "self.c_fc = nn.Linear(*reversed(self.c_fc.weight.shape))\n" + FORWARD},
        (MLP, GRADIENTS, TOKENS),
        "",
    ),
    "no super().__init__": (
        {"init": "self.__dict__['c_fc'] = nn.Linear(config.n_embd, intermediate_size)"},
        ALL_OF_MLP,
        "c_fc.bias",
    ),
    "a tuple": ({"forward": FORWARD + ","}, (MLP, GRADIENTS, TOKENS), ""),
    "only the last token": (
        {"forward": FORWARD.replace("(hidden_states)", "(hidden_states[:, -1:])")},
        (MLP, GRADIENTS, TOKENS),
        "seq is 1, not 5",
    ),
}
RIGHT_GELU = {
    "torch.pow": GELU.replace("x**3", "torch.pow(x, 3.0)"),
    "0.7978845608": GELU.replace("math.sqrt(2 / math.pi)", "0.7978845608028654"),
    "x + x tanh": "inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)\nreturn 0.5 * (x + x * inner.tanh())",
    "x in front": "return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x * x)))",
    "a helper": "return half(x) * (1 + torch.tanh(inner(x)))\n\n\n"
    "def half(x):\n    return x / 2\n\n\ndef inner(x):\n    return math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)",
    "another name": "# F.gelu(x) is forbidden here\ny = 'torch.erf'\n" + GELU,
}
RIGHT_MLP = {
    "in steps": {"forward": "h = self.c_fc(hidden_states)\nh = gelu_new(h)\nh = self.c_proj(h)\nreturn h"},
    "a buffer that is not kept": {"init": INIT + "\nself.register_buffer('one', torch.ones(1), persistent=False)"},
    "c_proj first": {"init": "\n".join(reversed(INIT.split("\n")))},
}
FORBIDDEN = {
    "F.gelu": ("return F.gelu(x, approximate='tanh')", "torch.nn.functional.gelu"),
    "an alias": ("return soft(x, approximate='tanh')\n\n\nsoft = F.gelu", "torch.nn.functional.gelu"),
    "getattr": ("return getattr(F, 'gelu')(x, approximate='tanh')", "torch.nn.functional.gelu"),
    "getattr, put together": ("return getattr(F, 'ge' + 'lu')(x, approximate='tanh')", "gelu"),
    "nn.GELU": ("return nn.GELU(approximate='tanh')(x)", "torch.nn.GELU"),
    "torch.ops": ("return torch.ops.aten.gelu(x, approximate='tanh')", "torch.ops"),
    "in a helper": (
        "return helper(x)\n\n\ndef helper(x):\n    return F.gelu(x, approximate='tanh')",
        "functional.gelu",
    ),
    "for large x alone": (
        "y = F.gelu(x, approximate='tanh') if x.max() > 9 else x\n" + GELU,
        "torch.nn.functional.gelu",
    ),
}


def text_of(gelu=GELU, init=INIT, forward=FORWARD):
    bodies = {"gelu": (gelu, 4), "init": (init, 8), "forward": (forward, 8)}
    return TEXT.format(**{name: _indented(body, spaces) for name, (body, spaces) in bodies.items()})


def _indented(body, spaces):
    """Indent what stands in the function; what follows two empty lines stands at the top."""
    inside, gap, below = body.partition("\n\n\n")
    return inside.replace("\n", "\n" + " " * spaces) + gap + below


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


def judged(judge_text, **bodies):
    """Return the report, and its checks that did not pass; what this checker says fits a terminal."""
    report = judge_text("mlp", text_of(**bodies))
    for result in report.checks:
        for sentence in result.detail:
            longer = ("Error: ", "state dict", "write it", "law: ")
            assert len(sentence) <= 77 or any(words in sentence for words in longer)
    return report, [result for result in report.checks if result.outcome != "passed"]


@pytest.mark.parametrize("name", WRONG_GELU)
def test_a_mistake_in_gelu_new_is_rejected_and_told(judge_text, name):
    gelu, lines, says = WRONG_GELU[name]
    report, failed = judged(judge_text, gelu=gelu)
    assert tuple(result.id for result in failed) == lines
    assert report.outcome in ("failed", "error")
    assert says in "\n".join(failed[0].detail)


@pytest.mark.parametrize("name", WRONG_MLP)
def test_a_mistake_in_GPT2MLP_is_rejected_and_told(judge_text, name):  # noqa: N802
    bodies, lines, says = WRONG_MLP[name]
    report, failed = judged(judge_text, **bodies)
    assert tuple(result.id for result in failed) == lines
    assert report.outcome in ("failed", "error")
    assert says in "\n".join(failed[0].detail)


@pytest.mark.parametrize("name", RIGHT_GELU)
def test_another_right_gelu_new_passes(judge_text, name):
    assert judged(judge_text, gelu=RIGHT_GELU[name])[0].outcome == "passed"


@pytest.mark.parametrize("name", RIGHT_MLP)
def test_another_right_GPT2MLP_passes(judge_text, name):  # noqa: N802
    assert judged(judge_text, **RIGHT_MLP[name])[0].outcome == "passed"


@pytest.mark.parametrize("name", FORBIDDEN)
def test_torchs_own_gelu_is_forbidden_in_gelu_new(judge_text, name):
    gelu, named = FORBIDDEN[name]
    _, failed = judged(judge_text, gelu=gelu)
    assert failed[-1].id == OWN
    assert failed[-1].message.startswith("gelu_new is not your own, or has not run: got ")
    assert named in failed[-1].message


@pytest.mark.parametrize("seed", ["0", "ffff"])
def test_the_finished_step_passes_whatever_is_drawn(course, judge_text, seed):
    text = course.stub(course.find("mlp"), "solutions").read_text(encoding="utf-8")
    assert judge_text("mlp", text, seed=seed).outcome == "passed"
