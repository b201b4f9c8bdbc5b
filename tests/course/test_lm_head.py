"""Step 11's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

from autograder.judge import Order, judge

NAMES, OUT, TIED, SURVIVES, GRADIENT, FRESH = (
    "has_its_parameters",
    "output_matches",
    "is_tied",
    "tie_survives",
    "gradients_match",
    "starts_near_uniform",
)
ALL = [NAMES, OUT, TIED, SURVIVES, GRADIENT, FRESH]
SHAPE = [OUT, GRADIENT, FRESH]
HEAD = "self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)"
TIE = "self.lm_head.weight = self.transformer.wte.weight"
STACK = "self.transformer = GPT2Model(config)"
OUTPUT = "return self.lm_head(self.transformer(input_ids))"
INIT = "super().__init__()\n"
WIDE = "nn.init.normal_(self.transformer.wte.weight)"
TORCH = ("from torch import Tensor, nn", "import torch\nfrom torch import Tensor, nn")
WRONG = {
    # SYLLABUS.md's own
    "a copy": (
        [(TIE, "self.lm_head.weight = nn.Parameter(self.transformer.wte.weight.detach().clone())")],
        [TIED, SURVIVES, GRADIENT],
        "wte.weight was set to this, and lm_head.weight is not",
    ),
    "copied into": (
        [(TIE, "self.lm_head.weight.data.copy_(self.transformer.wte.weight.data)")],
        [TIED, SURVIVES, GRADIENT],
        "wte.weight was set to this, and lm_head.weight is not",
    ),
    "the table made anew after the tie": (
        [
            (
                TIE,
                TIE
                + "\n        self.transformer.wte.weight = nn.Parameter(self.transformer.wte.weight.detach().clone())",
            )
        ],
        [TIED, SURVIVES, GRADIENT],
        "lm_head.weight is not",
    ),
    "a bias": ([("bias=False", "bias=True")], ALL[:5], "its state dict has lm_head.bias besides"),
    "softmax": (
        [(OUTPUT, OUTPUT + ".softmax(-1)")],
        [OUT, GRADIENT],
        "all 1746 numbers differ",
    ),
    "without .T": (
        [(OUTPUT, "return self.transformer(input_ids) @ self.transformer.wte.weight")],
        SHAPE,
        "RuntimeError: ",
    ),
    "N(0, 1)": ([(TIE, f"{WIDE}\n        {TIE}")], [FRESH], "the spread of the table of a fresh model"),
    # more that people write
    "recorded in training alone": (
        [
            TORCH,
            (
                OUTPUT,
                (
                    "with torch.set_grad_enabled(self.training):\n            hidden = self.transformer(input_ids)\n"
                    "        return self.lm_head(hidden)"
                ),
            ),
        ],
        [GRADIENT],
        "in evaluation mode no gradient comes to transformer.",
    ),
    "positions of zeros": (
        [(TIE, f"{TIE}\n        nn.init.zeros_(self.transformer.wpe.weight)")],
        ["starts_as_made"],
        "the spread of transformer.wpe.weight in a fresh model",
    ),
    "no tie": ([(TIE, "pass")], [TIED, SURVIVES, GRADIENT], "lm_head.weight the same as transformer.wte.weight"),
    ".data alone": (
        [(TIE, "self.lm_head.weight.data = self.transformer.wte.weight.data")],
        [TIED, SURVIVES, GRADIENT],
        "",
    ),
    "the tie the other way, drawn by nn.Linear": (
        [(TIE, "self.transformer.wte.weight = self.lm_head.weight")],
        [FRESH],
        "the spread of the table of a fresh model",
    ),
    "tied in forward": ([(TIE, "pass"), (OUTPUT, f"{TIE}\n        {OUTPUT}")], [TIED, SURVIVES], ""),
    "no lm_head": (
        [(HEAD, "pass"), (TIE, "pass"), (OUTPUT, "return self.transformer(input_ids) @ self.transformer.wte.weight.T")],
        ALL[:5],
        "it has layers under transformer, and none under lm_head",
    ),
    "other names": (
        [
            (STACK, STACK.replace("transformer", "model")),
            (TIE, TIE.replace("transformer", "model")),
            (OUTPUT, OUTPUT.replace("transformer", "model")),
        ],
        ALL,
        "none under transformer",
    ),
    "sizes swapped": (
        [(HEAD, "self.lm_head = nn.Linear(config.vocab_size, config.n_embd, bias=False)"), (TIE, "pass")],
        ALL,
        "lm_head.weight has another shape",
    ),
    "log_softmax": ([(OUTPUT, OUTPUT + ".log_softmax(-1)")], [OUT, GRADIENT], "all 1746 numbers differ"),
    "the last position alone": (
        [(OUTPUT, "return self.lm_head(self.transformer(input_ids)[:, -1:])")],
        SHAPE,
        "seq is 1, not 9",
    ),
    "the best ids": ([(OUTPUT, OUTPUT + ".argmax(-1)")], SHAPE, "2 axes, where 3 are expected"),
    "over the root of n_embd": (
        [(OUTPUT, OUTPUT + " / self.lm_head.in_features ** 0.5")],
        [OUT, GRADIENT],
        "every number is 0.1443 times what is expected",
    ),
    "a norm again": (
        [(OUTPUT, "return self.lm_head(self.transformer.ln_f(self.transformer(input_ids)))")],
        [OUT, GRADIENT],
        "",
    ),
    "the embeddings alone": ([(OUTPUT, "return self.lm_head(self.transformer.wte(input_ids))")], [OUT, GRADIENT], ""),
    "the hidden states": (
        [(OUTPUT, "return self.transformer(input_ids)")],
        SHAPE,
        "the last axis is n_embd: the head makes vocab_size of it",
    ),
    "detached": (
        [(OUTPUT, "return self.lm_head(self.transformer(input_ids).detach())")],
        [GRADIENT],
        "no gradient comes to transformer.",
    ),
    "the head detached": (
        [(OUTPUT, "return self.transformer(input_ids) @ self.lm_head.weight.detach().T")],
        [GRADIENT],
        "this is the gradient of transformer.wte.weight",
    ),
    "a tuple": ([(OUTPUT, OUTPUT + ", None")], SHAPE, "a tuple"),
    "nothing comes back": ([(OUTPUT, OUTPUT.removeprefix("return "))], SHAPE, "is a `return` missing?"),
    "a function": (
        [
            (
                "class GPT2LMHeadModel(nn.Module):",
                "def GPT2LMHeadModel(config):\n    return 0\n\n\nclass Other(nn.Module):",
            )
        ],
        ALL,
        "GPT2LMHeadModel returns a plain value",
    ),
}
RIGHT = {
    "hidden states in rows": [
        (
            OUTPUT,
            (
                "hidden = self.transformer(input_ids)\n        batch, seq, n_embd = hidden.shape\n"
                "        return self.lm_head(hidden.view(batch * seq, n_embd)).view(batch, seq, -1)"
            ),
        )
    ],
    "in two lines": [
        (OUTPUT, "hidden_states = self.transformer(input_ids)\n        return self.lm_head(hidden_states)")
    ],
    "by the table's own product": [(OUTPUT, "return self.transformer(input_ids) @ self.transformer.wte.weight.T")],
    "F.linear": [(OUTPUT, "return nn.functional.linear(self.transformer(input_ids), self.lm_head.weight)")],
    "the table is the head's, drawn again": [
        (
            TIE,
            "nn.init.normal_(self.lm_head.weight, std=0.02)\n        self.transformer.wte.weight = self.lm_head.weight",
        )
    ],
    "register_parameter": [(TIE, "self.lm_head.register_parameter('weight', self.transformer.wte.weight)")],
    "a property of its own": [
        (
            OUTPUT,
            (
                "return self.head(self.transformer(input_ids))\n\n    @property\n    def head(self):\n"
                "        return self.lm_head"
            ),
        )
    ],
    "the head first": [(f"{STACK}\n        {HEAD}", f"{HEAD}\n        {STACK}")],
    "drawn by an init of its own": [
        (
            TIE,
            TIE + "\n        self.apply(self._draw)\n\n    def _draw(self, part):\n"
            "        if isinstance(part, nn.Linear):\n"
            "            nn.init.normal_(part.weight, std=0.02)",
        )
    ],
    "positions last": [
        (OUTPUT, "hidden_states = self.transformer(input_ids, 0)\n        return self.lm_head(hidden_states)")
    ],
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    report = judge_text("lm_head", edited.text("lm_head", *edits), diagnose=False)  # names are the gate's to prove
    assert lines[0] in edited.failed(report)
    assert says in edited.said(report)


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    report = judge_text("lm_head", edited.text("lm_head", *RIGHT[name]))
    assert report.outcome == "passed", edited.said(report)


def test_a_step_10_that_starts_with_positions_of_zeros_is_not_blamed(nursery, tmp_path):
    """Step 10 asks for no numbers there, and step 11 has left them as they were."""
    made = "self.wpe = PositionEmbedding(config.n_positions, config.n_embd)"
    zeros = edited.text("model", (made, f"{made}\n        self.wpe.weight.data.zero_()"))
    course = filled.copy(tmp_path, model=zeros)
    reports = [judge(course, Order(course.find(slug), seed="91c2"), nursery) for slug in ("model", "lm_head")]
    assert [(report.outcome, report.blocked_by) for report in reports] == [("passed", [])] * 2
