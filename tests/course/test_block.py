"""Step 09's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

NAMES, OUT, RESIDUAL, MASK, GRADIENT, SAME = (
    "has_its_parameters",
    "output_matches",
    "residuals_are_there",
    "hands_the_mask_on",
    "gradients_match",
    "is_a_function",
)
NUMBERS = [OUT, MASK, GRADIENT]
ALL = [NAMES, OUT, RESIDUAL, MASK, GRADIENT, SAME]
RUN = ALL[1:]
LN_1 = "self.ln_1 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"
LN_2 = "self.ln_2 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"
ATTN = "self.attn = GPT2Attention(config)"
MLP = "self.mlp = GPT2MLP(config.n_inner, config)"
FIRST = "hidden_states = hidden_states + self.attn(self.ln_1(hidden_states), attention_mask)"
SECOND = "return hidden_states + self.mlp(self.ln_2(hidden_states))"
BODY = f"        {FIRST}\n        {SECOND}\n"


def body(*lines):
    """Return the edit that gives forward these lines, in which x is hidden_states and m the mask."""
    return [(BODY, "".join(f"        {line}\n" for line in ("x, m = hidden_states, attention_mask", *lines)))]


WRONG = {
    # SYLLABUS.md's own
    "post-norm": (
        body("x = self.ln_1(x + self.attn(x, m))", "return self.ln_2(x + self.mlp(x))"),
        [OUT, RESIDUAL, MASK, GRADIENT],
        "the norms come after the sums",
    ),
    "no residuals": (
        body("x = self.attn(self.ln_1(x), m)", "return self.mlp(self.ln_2(x))"),
        [OUT, RESIDUAL, MASK, GRADIENT],
        "neither branch is added to the stream",
    ),
    "the MLP's residual alone": (
        body("x = self.attn(self.ln_1(x), m)", "return x + self.mlp(self.ln_2(x))"),
        [OUT, RESIDUAL, MASK, GRADIENT],
        "attention replaces the stream: it is added to it",
    ),
    "attention's residual alone": (
        [(SECOND, SECOND.replace("hidden_states + ", ""))],
        [OUT, RESIDUAL, MASK, GRADIENT],
        "the MLP replaces the stream: it is added to it",
    ),
    "the residual after the norm": (
        body("h = self.ln_1(x)", "x = h + self.attn(h, m)", "h = self.ln_2(x)", "return h + self.mlp(h)"),
        [OUT, RESIDUAL, MASK, GRADIENT],
        "the norm's output is what is added to",
    ),
    "parallel": (
        body("return x + self.attn(self.ln_1(x), m) + self.mlp(self.ln_2(x))"),
        NUMBERS,
        "both branches read the block's input",
    ),
    "in place": (
        body("x += self.attn(self.ln_1(x), m)", "x += self.mlp(self.ln_2(x))", "return x"),
        [GRADIENT],
        "`x += …` changes them in place",
    ),
    "4 * n_embd": (
        [(MLP, MLP.replace("config.n_inner", "4 * config.n_embd"))],
        ALL,
        "the MLP is 4 * n_embd wide: config.n_inner is the width that is asked for",
    ),
    # more that people write
    "a norm after each branch": (
        body("x = x + self.ln_1(self.attn(x, m))", "return x + self.ln_2(self.mlp(x))"),
        [OUT, RESIDUAL, MASK, GRADIENT],
        "the norms come after attn and mlp",
    ),
    "the MLP first": (
        body("x = x + self.mlp(self.ln_2(x))", "return x + self.attn(self.ln_1(x), m)"),
        NUMBERS,
        "the MLP comes before attention",
    ),
    "the norms swapped": (
        body("x = x + self.attn(self.ln_2(x), m)", "return x + self.mlp(self.ln_1(x))"),
        NUMBERS,
        "ln_1 and ln_2 are swapped",
    ),
    "ln_1 twice": ([(SECOND, SECOND.replace("ln_2", "ln_1"))], NUMBERS, "ln_1 stands before both branches"),
    "one norm, shared": ([(LN_2, "self.ln_2 = self.ln_1")], NUMBERS, ""),
    "no ln_1": ([(FIRST, FIRST.replace("self.ln_1(hidden_states)", "hidden_states"))], NUMBERS, "without ln_1"),
    "no ln_2": ([(SECOND, SECOND.replace("self.ln_2(hidden_states)", "hidden_states"))], NUMBERS, "without ln_2"),
    "neither norm": (body("x = x + self.attn(x, m)", "return x + self.mlp(x)"), NUMBERS, "without either norm"),
    "no MLP": ([(SECOND, "return hidden_states")], NUMBERS, "without the MLP"),
    "no attention": ([(f"        {FIRST}\n", "")], NUMBERS, "without attention"),
    "the input added at the end": (
        body("h = x + self.attn(self.ln_1(x), m)", "return x + self.mlp(self.ln_2(h))"),
        NUMBERS,
        "the block's input is added at the end",
    ),
    "the norm's own eps": (
        [
            (LN_1, LN_1.replace(", eps=config.layer_norm_epsilon", "")),
            (LN_2, LN_2.replace(", eps=config.layer_norm_epsilon", "")),
        ],
        NUMBERS,
        "eps is 1e-5",
    ),
    "the eps of one norm": ([(LN_2, LN_2.replace(", eps=config.layer_norm_epsilon", ""))], NUMBERS, ""),
    "the mask not handed on": ([(FIRST, FIRST.replace(", attention_mask", ""))], [MASK], "the mask is not handed on"),
    "a mask of zeros handed on": (
        [
            (
                FIRST,
                FIRST.replace(
                    ", attention_mask)", ", hidden_states.new_zeros(hidden_states.shape[1], hidden_states.shape[1]))"
                ),
            )
        ],
        [OUT, GRADIENT],
        "without the causal mask",
    ),
    "the mask handed to the MLP": (
        [(SECOND, SECOND.replace("self.ln_2(hidden_states)", "self.ln_2(hidden_states), attention_mask"))],
        RUN,
        "TypeError: ",
    ),
    "the norm given the mask": (
        [(FIRST, "hidden_states = hidden_states + self.attn(self.ln_1(hidden_states, attention_mask))")],
        RUN,
        "TypeError: ",
    ),
    "the branch added twice": ([(SECOND, SECOND + " + self.mlp(self.ln_2(hidden_states))")], NUMBERS, ""),
    "halved": (
        [(SECOND, "return (hidden_states + self.mlp(self.ln_2(hidden_states))) / 2")],
        [OUT, RESIDUAL, MASK, GRADIENT],
        "0.5 times what is expected",
    ),
    "a third norm": (
        [(MLP, MLP + "\n        self.ln_3 = LayerNorm(config.n_embd)")],
        ALL,
        "ln_3.bias, ln_3.weight besides",
    ),
    "other names": (
        [(LN_1, LN_1.replace("ln_1", "norm1")), (FIRST, FIRST.replace("ln_1", "norm1"))],
        ALL,
        "no ln_1.bias",
    ),
    "a list of norms": (
        [
            (LN_1, "self.ln_1 = [LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)]"),
            (FIRST, FIRST.replace("self.ln_1", "self.ln_1[0]")),
        ],
        ALL,
        "no ln_1.bias",
    ),
    "no MLP made": ([(MLP, "self.mlp = nn.Identity()")], ALL, "no mlp.c_fc.bias"),
    "made at each call": (
        [(FIRST, "self.ln_1 = type(self.ln_1)(hidden_states.shape[-1])\n        " + FIRST)],
        [OUT, MASK, GRADIENT],
        "",
    ),
    "eps by place, where step 03 takes it by name": ([(LN_1, LN_1.replace("eps=", ""))], ALL, "TypeError: "),
    "the arguments of GPT2MLP swapped": (
        [(MLP, "self.mlp = GPT2MLP(config, config.n_inner)")],
        ALL,
        "AttributeError: ",
    ),
    "dropout": (
        [
            (MLP, MLP + "\n        self.dropout = nn.Dropout(0.1)"),
            (SECOND, "return hidden_states + self.dropout(self.mlp(self.ln_2(hidden_states)))"),
        ],
        [OUT, MASK, GRADIENT, SAME],
        "",
    ),
    "other numbers in evaluation": (
        [
            (
                SECOND,
                (
                    "out = hidden_states + self.mlp(self.ln_2(hidden_states))\n        "
                    "return out if self.training else out + 1"
                ),
            )
        ],
        [SAME],
        "evaluation mode gives something else than training mode",
    ),
    "a stream without a gradient": (
        [(FIRST, FIRST.replace("= hidden_states +", "= hidden_states.detach() +"))],
        [GRADIENT],
        "this is the gradient of hidden_states",
    ),
    "a branch without a gradient": (
        [(SECOND, SECOND.replace("self.mlp(self.ln_2(hidden_states))", "self.mlp(self.ln_2(hidden_states)).detach()"))],
        [GRADIENT],
        "no gradient comes to ln_2.",
    ),
    "frozen": ([(MLP, MLP + "\n        self.requires_grad_(False)")], [GRADIENT], "no gradient comes to ln_1.weight"),
    "a tuple, as Hugging Face's was": ([(SECOND, "return (" + SECOND.removeprefix("return ") + ",)")], RUN, "a tuple"),
    "nothing comes back": ([(SECOND, SECOND.removeprefix("return "))], RUN, "is a `return` missing?"),
    "the last token alone": ([(SECOND, "return (" + SECOND.removeprefix("return ") + ")[:, -1]")], RUN, "2 axes"),
    "float64": ([(SECOND, "return (" + SECOND.removeprefix("return ") + ").double()")], RUN, "another type"),
    "the branch's sum over the batch": (
        [(SECOND, SECOND + " + 0.1 * hidden_states[:1]")],
        [OUT, RESIDUAL, MASK, GRADIENT, SAME],
        "",
    ),
    "a function": (
        [("class GPT2Block(nn.Module):", "def GPT2Block(config):\n    return 0\n\n\nclass Other(nn.Module):")],
        ALL,
        "GPT2Block returns a plain value",
    ),
}
NORM = "nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"
RIGHT = {
    "in steps": body(
        "h = self.ln_1(x)", "h = self.attn(h, m)", "x = x + h", "h = self.ln_2(x)", "h = self.mlp(h)", "return x + h"
    ),
    "in one line": body("return (y := x + self.attn(self.ln_1(x), m)) + self.mlp(self.ln_2(y))"),
    "torch.add": [
        *body("x = torch.add(x, self.attn(self.ln_1(x), m))", "return torch.add(x, self.mlp(self.ln_2(x)))"),
        ("from torch import Tensor, nn", "import torch\nfrom torch import Tensor, nn"),
    ],
    "the branches first": body("x = self.attn(self.ln_1(x), m) + x", "return self.mlp(self.ln_2(x)) + x"),
    "the mask by its name": [(FIRST, FIRST.replace(", attention_mask", ", attention_mask=attention_mask"))],
    "in place on its own": body(
        "x = x + self.attn(self.ln_1(x), m)", "out = self.mlp(self.ln_2(x))", "out += x", "return out"
    ),
    "in place on a copy": body(
        "x = x.clone()", "x = x + self.attn(self.ln_1(x), m)", "return x.add(self.mlp(self.ln_2(x)))"
    ),
    "two methods": [
        (
            BODY,
            (
                "        return self.work(self.gather(hidden_states, attention_mask))\n\n"
                "    def gather(self, x, mask):\n        return x + self.attn(self.ln_1(x), mask)\n\n"
                "    def work(self, x):\n        return x + self.mlp(self.ln_2(x))\n"
            ),
        )
    ],
    "torch's own norms": [
        ("LayerNorm\n", "LayerNorm  # noqa: F401\n"),
        (LN_1, f"self.ln_1 = {NORM}"),
        (LN_2, f"self.ln_2 = {NORM}"),
    ],
    "made in another order": [(f"        {LN_1}\n", ""), (MLP, MLP + "\n        " + LN_1)],
    "n_inner, or four times": [(MLP, "self.mlp = GPT2MLP(config.n_inner or 4 * config.n_embd, config)")],
    "the configuration kept": [(ATTN, ATTN + "\n        self.config = config")],
    "dropout of 0": [
        (MLP, MLP + "\n        self.dropout = nn.Dropout(0.0)"),
        (SECOND, "return hidden_states + self.dropout(self.mlp(self.ln_2(hidden_states)))"),
    ],
    "a step by its module": [
        ("from steps.step_03 import LayerNorm", "import steps.step_03 as third"),
        (LN_1, LN_1.replace("LayerNorm", "third.LayerNorm")),
        (LN_2, LN_2.replace("LayerNorm", "third.LayerNorm")),
    ],
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    report = judge_text("block", edited.text("block", *edits))
    assert edited.failed(report) == lines
    assert says in edited.said(report)


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    report = judge_text("block", edited.text("block", *RIGHT[name]))
    assert report.outcome == "passed", edited.said(report)


@pytest.mark.parametrize("seed", ["0", "ffff"])
def test_the_finished_step_passes_whatever_is_drawn(judge_text, seed):
    assert judge_text("block", edited.text("block"), seed=seed).outcome == "passed"
