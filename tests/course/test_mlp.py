"""Step 04's checker, by what it rejects and accepts. Each mistake stands with its first line that fails, and why."""

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
# name: the bodies; the lines that fail, in order; a sentence under the first of them
WRONG_GELU = {
    # SYLLABUS.md's own
    "exact": (
        "return 0.5 * x * (1 + x.sign() * torch.special.gammainc(torch.full_like(x, 0.5), x * x / 2))",
        ALL_OF_GELU,
        "this is the exact GELU, with the error function: GPT-2's is the one with tanh",
    ),
    "ReLU": ("return torch.relu(x)", ALL_OF_GELU, "this is ReLU"),
    "SiLU": ("return x * torch.sigmoid(x)", ALL_OF_GELU, "this is SiLU, x * sigmoid(x)"),
    "sigmoid(1.702 x)": ("return x * torch.sigmoid(1.702 * x)", ALL_OF_GELU, "a rougher approximation"),
    "x squared": (
        GELU.replace("x**3", "x**2"),
        ALL_OF_GELU,
        "this is what x squared gives in place of x cubed",
    ),
    # more that people write
    "0.0447": (GELU.replace("0.044715", "0.0447"), (OUT,), "this is what 0.0447 gives in place of 0.044715"),
    "0.04472": (GELU.replace("0.044715", "0.04472"), (OUT,), ""),
    "0.44715": (GELU.replace("0.044715", "0.44715"), ALL_OF_GELU, ""),
    "0.8 for the root": (
        GELU.replace("math.sqrt(2 / math.pi)", "0.8"),
        ALL_OF_GELU,
        "this is what 0.8 gives in place of the root of 2 / pi",
    ),
    "0.7979 for the root": (GELU.replace("math.sqrt(2 / math.pi)", "0.7979"), (OUT,), ""),
    "pi is 3.14": (GELU.replace("math.pi", "3.14"), (OUT, MLP, GRADIENTS), ""),
    "no root": (GELU.replace("math.sqrt(2 / math.pi)", "2 / math.pi"), ALL_OF_GELU, "2 / pi gives without its root"),
    "the root of pi / 2": (GELU.replace("2 / math.pi", "math.pi / 2"), ALL_OF_GELU, ""),
    "no factor before the sum": (
        GELU.replace("math.sqrt(2 / math.pi) * ", ""),
        ALL_OF_GELU,
        "this is what it gives without the root of 2 / pi",
    ),
    "a bracket too few": (
        GELU.replace("(x + 0.044715 * x**3)", "x + 0.044715 * x**3"),
        ALL_OF_GELU,
        "",
    ),
    "no cube": (GELU.replace(" + 0.044715 * x**3", ""), ALL_OF_GELU, "without the term with x cubed"),
    "no 0.5": (GELU.replace("0.5 * ", ""), ALL_OF_GELU, "this is twice of what is asked for: the 0.5 is missing"),
    "no 1": (GELU.replace("1 + ", ""), ALL_OF_GELU, "this is without the 1 that is added to tanh"),
    "no x in front": (GELU.replace("0.5 * x", "0.5"), ALL_OF_GELU, "this is without the factor x in front"),
    "sin for tanh": (GELU.replace("tanh", "sin"), ALL_OF_GELU, ""),
    "tanh by exp": (
        "z = torch.exp(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))\nreturn 0.5 * x * (1 + (z - 1) / (z + 1))",
        (OUT, MLP),
        "far from 0, it is 0 or x",
    ),
    "in place": ("inner = x.clone()\nx.pow_(3)\nx = inner\n" + GELU, (FUNCTION,), "this is x after the call"),
    "without gradients": ("with torch.no_grad():\n    " + GELU, (FUNCTION, GRADIENTS), "no gradient comes to x"),
    "the input detached": (
        "x = x.detach()\n" + GELU,
        (FUNCTION, GRADIENTS),
        "is there a detach(), .data or no_grad() on its way?",
    ),
    "float64 comes back": ("x = x.double()\n" + GELU, (OUT, MLP, GRADIENTS, TOKENS), "the numbers have another type"),
    "float32 comes back": ("x = x.float()\n" + GELU, (OUT,), "the numbers have another type"),
    "nothing comes back": (
        GELU.replace("return ", ""),
        (*ALL_OF_GELU, TOKENS),
        "nothing was returned: is a `return` missing?",
    ),
    "a number at a time, of the first": (GELU.replace("(x ", "(x.flatten()[0] "), (*ALL_OF_GELU, TOKENS), ""),
}
WRONG_MLP = {
    # SYLLABUS.md's own
    "c_fc without its bias": (
        {"init": INIT.replace("intermediate_size)\n", "intermediate_size, bias=False)\n")},
        ALL_OF_MLP,
        "c_fc.bias",
    ),
    "c_proj without its bias": (
        {"init": INIT[:-1] + ", bias=False)"},
        ALL_OF_MLP,
        "c_proj.bias",
    ),
    "gelu_new after c_proj": (
        {"forward": "return gelu_new(self.c_proj(self.c_fc(hidden_states)))"},
        (MLP, GRADIENTS),
        "this is what it gives with gelu_new after c_proj",
    ),
    "no gelu_new": (
        {"forward": "return self.c_proj(self.c_fc(hidden_states))"},
        (MLP, GRADIENTS),
        "this is what it gives without gelu_new",
    ),
    "4 * n_embd": (
        {"init": INIT.replace("intermediate_size", "4 * config.n_embd")},
        ALL_OF_MLP,
        "c_fc is 4 * n_embd wide: intermediate_size is the width that is asked for",
    ),
    "the exact GELU": (
        {
            "forward": "h = self.c_fc(hidden_states)\n"
            "return self.c_proj(0.5 * h * (1 + h.sign() * torch.special.gammainc(torch.tensor(0.5), h * h / 2)))"
        },
        (MLP, GRADIENTS),
        "this is what it gives with the exact GELU",
    ),
    # more that people write
    "config.n_inner": (
        {"init": INIT.replace("intermediate_size", "config.n_inner")},
        (NAMES, MLP),
        "c_fc is config.n_inner wide: intermediate_size is the width that is asked for",
    ),
    "ReLU": (
        {"forward": FORWARD.replace("gelu_new", "torch.relu")},
        (MLP, GRADIENTS),
        "this is what it gives with ReLU",
    ),
    "SiLU": ({"forward": FORWARD.replace("gelu_new", "F.silu")}, (MLP, GRADIENTS), "this is what it gives with SiLU"),
    "gelu_new twice": (
        {"forward": FORWARD.replace("gelu_new(", "gelu_new(gelu_new(") + ")"},
        (MLP, GRADIENTS),
        "this is what it gives with gelu_new twice",
    ),
    "gelu_new at both ends": (
        {"forward": "return gelu_new(self.c_proj(gelu_new(self.c_fc(hidden_states))))"},
        (MLP, GRADIENTS),
        "this is what it gives with a second gelu_new after c_proj",
    ),
    "gelu_new first": (
        {"forward": "return self.c_proj(self.c_fc(gelu_new(hidden_states)))"},
        (MLP, GRADIENTS),
        "",
    ),
    "the residual inside": (
        {"forward": FORWARD + " + hidden_states"},
        (MLP, GRADIENTS),
        "this is what it gives with hidden_states added: the block will do that",
    ),
    "sizes swapped": (
        {"init": INIT.replace("config.n_embd, intermediate_size", "intermediate_size, config.n_embd")},
        ALL_OF_MLP,
        "the same sizes in another order",
    ),
    "fc1 and fc2": (
        {
            "init": INIT.replace("c_fc", "fc1").replace("c_proj", "fc2"),
            "forward": "return self.fc2(gelu_new(self.fc1(hidden_states)))",
        },
        ALL_OF_MLP,
        "c_fc.bias",
    ),
    "a Sequential": (
        {
            "init": "self.net = nn.Sequential(nn.Linear(config.n_embd, intermediate_size), "
            "nn.Linear(intermediate_size, config.n_embd))",
            "forward": "return self.net[1](gelu_new(self.net[0](hidden_states)))",
        },
        ALL_OF_MLP,
        "c_fc.bias",
    ),
    "weights as [in, out]": (
        {
            "init": "self.c_fc = nn.Linear(intermediate_size, config.n_embd)\n"
            "self.c_proj = nn.Linear(config.n_embd, intermediate_size)\n"
            "self.c_fc.bias = nn.Parameter(torch.zeros(intermediate_size))\n"
            "self.c_proj.bias = nn.Parameter(torch.zeros(config.n_embd))",
            "forward": "return gelu_new(hidden_states @ self.c_fc.weight + self.c_fc.bias) @ self.c_proj.weight"
            " + self.c_proj.bias",
        },
        ALL_OF_MLP,
        "the same sizes in another order",
    ),
    "dropout": (
        {
            "init": INIT + "\nself.dropout = nn.Dropout(0.1)",
            "forward": "return self.dropout(self.c_proj(gelu_new(self.c_fc(hidden_states))))",
        },
        (MLP, GRADIENTS, TOKENS),
        "",
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
    "the middle detached": (
        {"forward": FORWARD.replace("(self.c_fc(hidden_states))", "(self.c_fc(hidden_states)).detach()")},
        (GRADIENTS,),
        "no gradient comes to c_fc.weight",
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
    "nothing comes back": (
        {"forward": FORWARD.replace("return ", "")},
        (MLP, GRADIENTS, TOKENS),
        "is a `return` missing?",
    ),
    "only the last token": (
        {"forward": FORWARD.replace("(hidden_states)", "(hidden_states[:, -1:])")},
        (MLP, GRADIENTS, TOKENS),
        "seq is 1, not 5",
    ),
}
RIGHT_GELU = {
    "x.pow(3)": GELU.replace("x**3", "x.pow(3)"),
    "torch.pow": GELU.replace("x**3", "torch.pow(x, 3.0)"),
    "x * x * x": GELU.replace("x**3", "x * x * x"),
    "(2 / pi)**0.5": GELU.replace("math.sqrt(2 / math.pi)", "(2 / math.pi) ** 0.5"),
    "0.7978845608": GELU.replace("math.sqrt(2 / math.pi)", "0.7978845608028654"),
    "0.79788456": GELU.replace("math.sqrt(2 / math.pi)", "0.79788456"),
    "a root that is a tensor": GELU.replace("math.sqrt(2 / math.pi)", "torch.sqrt(torch.tensor(2 / math.pi))"),
    "x + x tanh": "inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)\nreturn 0.5 * (x + x * inner.tanh())",
    "a sigmoid": "return x * torch.sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))",
    "exp": "return x / (1 + torch.exp(-2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))",
    "multiplied out": "return 0.5 * x * (1 + torch.tanh(0.7978845608028654 * x + 0.035677408136300125 * x**3))",
    "x in front": "return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x * x)))",
    "in place on its own": "cube = x.pow(3).mul_(0.044715).add_(x).mul_(math.sqrt(2 / math.pi))\n"
    "return torch.tanh(cube).add(1).mul(x).mul(0.5)",
    "a helper": "return half(x) * (1 + torch.tanh(inner(x)))\n\n\n"
    "def half(x):\n    return x / 2\n\n\ndef inner(x):\n    return math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)",
    "another name": "# F.gelu(x) is forbidden here\ny = 'torch.erf'\n" + GELU,
}
RIGHT_MLP = {
    "in steps": {"forward": "h = self.c_fc(hidden_states)\nh = gelu_new(h)\nh = self.c_proj(h)\nreturn h"},
    "torch's tanh GELU inside GPT2MLP": {
        "forward": 'return self.c_proj(F.gelu(self.c_fc(hidden_states), approximate="tanh"))'
    },
    "the activation as an attribute": {
        "init": INIT + "\nself.act = gelu_new",
        "forward": "return self.c_proj(self.act(self.c_fc(hidden_states)))",
    },
    "the activation as a module": {
        "init": INIT + "\nself.act = Act()",
        "forward": "return self.c_proj(self.act(self.c_fc(hidden_states)))\n\n\n"
        "class Act(nn.Module):\n    def forward(self, x):\n        return gelu_new(x)",
    },
    "F.linear": {
        "forward": "h = gelu_new(F.linear(hidden_states, self.c_fc.weight, self.c_fc.bias))\n"
        "return h @ self.c_proj.weight.T + self.c_proj.bias"
    },
    "einsum": {
        "forward": "h = torch.einsum('bti,oi->bto', hidden_states, self.c_fc.weight) + self.c_fc.bias\n"
        "return self.c_proj(gelu_new(h))"
    },
    "a token at a time": {
        "forward": "rows = [self.c_proj(gelu_new(self.c_fc(row))) for row in hidden_states.unbind(1)]\n"
        "return torch.stack(rows, dim=1)"
    },
    "flattened": {
        "forward": "b, t, c = hidden_states.shape\nh = gelu_new(self.c_fc(hidden_states.view(b * t, c)))\n"
        "return self.c_proj(h).view(b, t, c)"
    },
    "fresh weights of its own": {
        "init": INIT + "\nfor part in (self.c_fc, self.c_proj):\n"
        "    nn.init.normal_(part.weight, std=0.02)\n    nn.init.zeros_(part.bias)"
    },
    "a buffer that is not kept": {"init": INIT + "\nself.register_buffer('one', torch.ones(1), persistent=False)"},
    "c_proj first": {"init": "\n".join(reversed(INIT.split("\n")))},
    "dropout of 0": {
        "init": INIT + "\nself.dropout = nn.Dropout(0.0)",
        "forward": "return self.dropout(self.c_proj(gelu_new(self.c_fc(hidden_states))))",
    },
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
            assert len(sentence) <= 77 or "Error: " in sentence or "state dict" in sentence or "write it" in sentence
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
