"""What step 10's checker rejects beside its own mistakes: an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

NAMES, OUT, PAST, BEYOND, CAUSAL, GRADIENT, SAME = (
    "has_its_parameters",
    "output_matches",
    "shifts_positions",
    "refuses_beyond",
    "is_causal",
    "gradients_match",
    "has_no_dropout",
)
ALL = [NAMES, OUT, PAST, BEYOND, CAUSAL, GRADIENT, SAME]
WITH_WEIGHTS = [NAMES, OUT, PAST, CAUSAL, GRADIENT, SAME]  # a fresh model is asked for the rest
VALUES = [OUT, PAST, GRADIENT]
TOKENS = "self.wte = TokenEmbedding(config.vocab_size, config.n_embd)"
BLOCKS = "self.h = nn.ModuleList(GPT2Block(config) for _ in range(config.n_layer))"
LAST = "self.ln_f = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"
SUM = "self.wte(input_ids) + self.wpe(input_ids.shape[1], past_length)"
LOOP = "        for block in self.h:\n            hidden_states = block(hidden_states)\n"
OUTPUT = "return self.ln_f(hidden_states)"
INIT = "super().__init__()\n"
WRONG = {
    "no positions": (
        [(SUM, "self.wte(input_ids)")],
        [OUT, PAST, BEYOND, GRADIENT],
        "other weights in wpe give the same output: forward does not use them",
    ),
    "no ln_f": (
        [(OUTPUT, "return hidden_states")],
        VALUES,
        "other weights in ln_f give the same output: forward does not use them",
    ),
    "a Python list": (
        [(BLOCKS, "self.h = [GPT2Block(config) for _ in range(config.n_layer)]")],
        WITH_WEIGHTS,
        "an nn.ModuleList makes its blocks known to the model",
    ),
    "blocks never applied": ([(LOOP, "")], VALUES, "other weights in h.0, h.1 give the same output"),
    "past_length from the end": (
        [(", past_length)", ", self.wpe.weight.shape[0] - past_length - input_ids.shape[1])")],
        [OUT, PAST, BEYOND, GRADIENT],
        "",
    ),
    "positions backwards": ([("past_length)  #", "past_length).flip(0)  #")], VALUES, ""),
    "the first positions alone": (
        [(SUM, SUM.replace("input_ids.shape[1]", "min(input_ids.shape[1], self.wpe.weight.shape[0])"))],
        [BEYOND],
        "",
    ),
    "cut at n_positions": (
        [
            (
                f"        hidden_states = {SUM}",
                (
                    "        input_ids = input_ids[:, : self.wpe.weight.shape[0] - past_length]\n"
                    f"        hidden_states = {SUM}"
                ),
            )
        ],
        [BEYOND],
        "n_positions is 32",
    ),
    "ln_f twice": ([(OUTPUT, "return self.ln_f(self.ln_f(hidden_states))")], VALUES, ""),
    "blocks side by side": (
        [(LOOP, "        hidden_states = hidden_states + sum(block(hidden_states) for block in self.h)\n")],
        VALUES,
        "",
    ),
    "past_length passed over in evaluation": (
        [(SUM, SUM.replace("past_length", "past_length if self.training else 0"))],
        [PAST, BEYOND],
        "past_length is 3, in evaluation mode",
    ),
    "past_length kept in evaluation": (
        [
            (INIT, INIT + "        self.past = 0\n"),
            (
                f"        hidden_states = {SUM}",
                (
                    "        if not self.training:\n            past_length = self.past = past_length or self.past\n"
                    f"        hidden_states = {SUM}"
                ),
            ),
        ],
        [PAST],
        "in evaluation mode, no past_length is given, and the call before had 3",
    ),
    "a block too many": ([("range(config.n_layer)", "range(config.n_layer + 1)")], WITH_WEIGHTS, "3 blocks"),
    "12 blocks": ([("range(config.n_layer)", "range(12)")], WITH_WEIGHTS, "12 blocks"),
    "a vocabulary of 50257": ([("config.vocab_size", "50257")], WITH_WEIGHTS, "wte.weight has another shape"),
    "other names": (
        [(TOKENS, TOKENS.replace("wte", "tok")), (SUM, SUM.replace("wte", "tok"))],
        WITH_WEIGHTS,
        "none under wte",
    ),
    "without gradients": (
        [
            ("    def forward", "    @torch.no_grad()\n    def forward"),
            ("from torch import", "import torch\nfrom torch import"),
        ],
        [GRADIENT],
        "no gradient comes to ",
    ),
    "dropout": (
        [(OUTPUT, "return nn.functional.dropout(self.ln_f(hidden_states), 0.1)")],
        [OUT, PAST, CAUSAL, GRADIENT, SAME],
        "two identical calls differ: is there dropout",
    ),
    "other numbers in evaluation": (
        [(OUTPUT, "return self.ln_f(hidden_states) + (0 if self.training else 1)")],
        [SAME],
        "evaluation mode gives something else than training mode",
    ),
    "tokens remembered": (
        [
            (INIT, INIT + "        self.seen = 0\n"),
            (SUM, SUM.replace("past_length", "past_length + self.seen")),
            (OUTPUT, "self.seen += input_ids.shape[1]\n        return self.ln_f(hidden_states)"),
        ],
        [OUT, PAST, CAUSAL, SAME],
        "is something remembered?",
    ),
    "a mean over the sequence": (
        [(OUTPUT, "return self.ln_f(hidden_states - hidden_states.mean(1, keepdim=True))")],
        [OUT, PAST, CAUSAL, GRADIENT],
        "",
    ),
    "the last position alone": (
        [(OUTPUT, "return self.ln_f(hidden_states[:, -1:])")],
        [OUT, PAST, CAUSAL, GRADIENT, SAME],
        "seq is 1, not 9",
    ),
    "logits": (
        [(OUTPUT, "return self.ln_f(hidden_states) @ self.wte.weight.T")],
        [OUT, PAST, CAUSAL, GRADIENT, SAME],
        "n_embd is 97, not 48",
    ),
    "a tuple": ([(OUTPUT, OUTPUT + ",")], [OUT, PAST, CAUSAL, GRADIENT, SAME], "a tuple"),
    "nothing comes back": (
        [(OUTPUT, OUTPUT.removeprefix("return "))],
        [OUT, PAST, CAUSAL, GRADIENT, SAME],
        "is a `return` missing?",
    ),
    "ids changed": (
        [(OUTPUT, "input_ids.zero_()\n        " + OUTPUT)],
        [GRADIENT, SAME],
        "modified by an inplace operation",
    ),
    "no super().__init__": ([(INIT, "\n")], ALL, "AttributeError: cannot assign module before Module.__init__() call"),
    "a function": (
        [("class GPT2Model(nn.Module):", "def GPT2Model(config):\n    return 0\n\n\nclass Other(nn.Module):")],
        ALL,
        "GPT2Model returns a plain value",
    ),
    "one block after a past": ([(LOOP, LOOP.replace("self.h:", "self.h[:1] if past_length else self.h:"))], [PAST], ""),
    "one block in evaluation": (
        [(LOOP, LOOP.replace("self.h:", "self.h if self.training else self.h[:1]:"))],
        [SAME],
        "evaluation mode gives something else than training mode",
    ),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    report = judge_text("model", edited.text("model", *edits), diagnose=False)  # names are the gate's to prove
    assert edited.failed(report) == lines
    assert says in edited.said(report)
