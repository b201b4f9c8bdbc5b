"""What step 09's checker rejects beside its own mistakes: an edit of the reference, the lines that fail, and why."""

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
ALL = [NAMES, OUT, RESIDUAL, MASK, GRADIENT, SAME]
RUN = ALL[1:]
LN_1 = "self.ln_1 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"
MLP = "self.mlp = GPT2MLP(config.n_inner, config)"
FIRST = "hidden_states = hidden_states + self.attn(self.ln_1(hidden_states), attention_mask)"
SECOND = "return hidden_states + self.mlp(self.ln_2(hidden_states))"
WRONG = {
    "halved": (
        [(SECOND, "return (hidden_states + self.mlp(self.ln_2(hidden_states))) / 2")],
        [OUT, RESIDUAL, MASK, GRADIENT],
        "0.5 times what is expected",
    ),
    "a sum of its own, written into": (
        [
            (FIRST, f"hidden_states = hidden_states.clone()\n        {FIRST.replace('= hidden_states +', '+=')}"),
        ],
        [GRADIENT],
        "nn.LayerNorm, which keeps its input for the gradient, finds it changed: `+=`",
    ),
    "a third norm": (
        [(MLP, MLP + "\n        self.ln_3 = LayerNorm(config.n_embd)")],
        ALL,
        "ln_3.bias, ln_3.weight besides",
    ),
    "a list of norms": (
        [
            (LN_1, "self.ln_1 = [LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)]"),
            (FIRST, FIRST.replace("self.ln_1", "self.ln_1[0]")),
        ],
        ALL,
        "lacks ln_1.bias",
    ),
    "no MLP made": ([(MLP, "self.mlp = nn.Identity()")], ALL, "lacks mlp.c_fc.bias"),
    "made at each call": (
        [(FIRST, "self.ln_1 = type(self.ln_1)(hidden_states.shape[-1])\n        " + FIRST)],
        [OUT, MASK, GRADIENT],
        "",
    ),
    "dropout": (
        [
            (MLP, MLP + "\n        self.dropout = nn.Dropout(0.1)"),
            (SECOND, "return hidden_states + self.dropout(self.mlp(self.ln_2(hidden_states)))"),
        ],
        [OUT, MASK, GRADIENT, SAME],
        "two identical calls differ: is there dropout? This block has none",
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
    "a sum into the stream, and no name for torch.nn": (
        [
            ("from torch import Tensor, nn", "from torch import Tensor\nfrom torch.nn import Module"),
            ("nn.Module", "Module"),
            (SECOND, "hidden_states += self.mlp(self.ln_2(hidden_states))\n        return hidden_states"),
        ],
        [GRADIENT],
        "nn.LayerNorm, which keeps its input for the gradient, finds it changed: `+=`",
    ),
    "a sum into the stream, and the norms in a list": (
        [
            (MLP, MLP + "\n        self.norms = [self.ln_1, self.ln_2]"),
            (
                SECOND,
                "hidden_states += self.mlp(self.norms[1](hidden_states))\n        return hidden_states",
            ),
        ],
        [GRADIENT],
        "nn.LayerNorm, which keeps its input for the gradient, finds it changed: `+=`",
    ),
    "a sum into the stream, and a look at the norm's class": (
        [
            (FIRST, FIRST.replace("hidden_states = ", "middle = ", 1)),
            (
                SECOND,
                (
                    "assert isinstance(self.ln_2, LayerNorm)\n        "
                    "middle += self.mlp(self.ln_2(middle))\n        return middle"
                ),
            ),
        ],
        [GRADIENT],
        "nn.LayerNorm, which keeps its input for the gradient, finds it changed: `+=`",
    ),
    "in place in evaluation": (
        [
            (FIRST, "given = hidden_states\n        " + FIRST),
            (
                SECOND,
                (
                    "out = hidden_states + self.mlp(self.ln_2(hidden_states))\n        "
                    "given.add_(1) if not self.training else None\n        return out"
                ),
            ),
        ],
        [SAME],
        "in evaluation mode, the call changes hidden_states in place",
    ),
    "no gradient in evaluation": (
        [
            (
                SECOND,
                "out = " + SECOND.removeprefix("return ") + "\n        return out if self.training else out.detach()",
            )
        ],
        [SAME],
        "in evaluation mode the result has no gradient; in training mode it has one",
    ),
    "a tuple, as Hugging Face's was": ([(SECOND, "return (" + SECOND.removeprefix("return ") + ",)")], RUN, "a tuple"),
    "nothing comes back": ([(SECOND, SECOND.removeprefix("return "))], RUN, "is a `return` missing?"),
    "the last token alone": ([(SECOND, "return (" + SECOND.removeprefix("return ") + ")[:, -1]")], RUN, "2 axes"),
    "float64": ([(SECOND, "return (" + SECOND.removeprefix("return ") + ").double()")], RUN, "another type"),
    "the branch's sum over the batch": (
        [(SECOND, SECOND + " + 0.1 * hidden_states[:1]")],
        [OUT, RESIDUAL, MASK, GRADIENT, SAME],
        "",
    ),
    "no nn.Module": (
        [("class GPT2Block(nn.Module):", "class GPT2Block:")],
        ALL,
        "is its class an nn.Module, as in class Name(nn.Module)?",
    ),
    "a function": (
        [("class GPT2Block(nn.Module):", "def GPT2Block(config):\n    return 0\n\n\nclass Other(nn.Module):")],
        ALL,
        "GPT2Block returns a plain value",
    ),
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
