"""Step 10's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

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
VALUES = [OUT, PAST, GRADIENT]
TOKENS, PLACES = "self.wte = TokenEmbedding(config.vocab_size, config.n_embd)", "self.wpe = PositionEmbedding("
BLOCKS = "self.h = nn.ModuleList(GPT2Block(config) for _ in range(config.n_layer))"
LAST = "self.ln_f = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)"
SUM = "self.wte(input_ids) + self.wpe(input_ids.shape[1], past_length)"
LOOP = "        for block in self.h:\n            hidden_states = block(hidden_states)\n"
OUTPUT = "return self.ln_f(hidden_states)"
INIT = "super().__init__()\n"
PLAIN = [
    (PLACES, "self.wpe = nn.Embedding("),
    ("import Tensor, nn", "import Tensor, arange, nn"),
    ("self.wpe(input_ids.shape[1], past_length)", "self.wpe(arange(past_length, past_length + input_ids.shape[1]))"),
]
WRONG = {
    # SYLLABUS.md's own
    "no positions": (
        [(SUM, "self.wte(input_ids)")],
        [OUT, PAST, BEYOND, GRADIENT],
        "other weights in wpe give the same output: forward does not use them",
    ),
    "positions multiplied": ([(SUM, SUM.replace(" + ", " * "))], VALUES, ""),
    "no ln_f": (
        [(OUTPUT, "return hidden_states")],
        VALUES,
        "other weights in ln_f give the same output: forward does not use them",
    ),
    "times the root of n_embd": (
        [(SUM, SUM.replace(" +", " * self.wte.weight.shape[1] ** 0.5 +"))],
        VALUES,
        "the token rows are taken times the root of n_embd: GPT-2 does not do so",
    ),
    "one block for all": (
        [(BLOCKS, "self.h = nn.ModuleList([GPT2Block(config)] * config.n_layer)")],
        [NAMES, OUT, PAST, GRADIENT],
        "one block used n_layer times has too few",
    ),
    "a Python list": (
        [(BLOCKS, "self.h = [GPT2Block(config) for _ in range(config.n_layer)]")],
        ALL,
        "it has no block's parameters: nn.ModuleList makes them known, a list does not",
    ),
    "blocks never applied": ([(LOOP, "")], VALUES, "other weights in h.0, h.1 give the same output"),
    "an IndexError beyond n_positions": (PLAIN, [BEYOND], "IndexError: "),
    # more that people write
    "past_length ignored": (
        [(", past_length)", ")")],
        [PAST, BEYOND],
        "these are the positions 0 to 4: past_length is not used",
    ),
    "past_length from the end": (
        [(", past_length)", ", self.wpe.weight.shape[0] - past_length - input_ids.shape[1])")],
        [OUT, PAST, BEYOND, GRADIENT],
        "",
    ),
    "past_length twice": ([(", past_length)", ", 2 * past_length)")], [PAST], ""),
    "past_length more rows": ([("input_ids.shape[1], past_length", "input_ids.shape[1] + past_length")], [PAST], ""),
    "positions by the batch": ([("input_ids.shape[1], past", "input_ids.shape[0], past")], ALL[1:], ""),
    "positions from 1": ([(", past_length)", ", past_length + 1)")], [OUT, PAST, GRADIENT], ""),
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
    "ln_f in each layer": (
        [("= block(hidden_states)", "= self.ln_f(block(hidden_states))"), (OUTPUT, "return hidden_states")],
        VALUES,
        "",
    ),
    "ln_f first": (
        [(LOOP, "        hidden_states = self.ln_f(hidden_states)\n" + LOOP), (OUTPUT, "return hidden_states")],
        VALUES,
        "",
    ),
    "ln_f twice": ([(OUTPUT, "return self.ln_f(self.ln_f(hidden_states))")], VALUES, ""),
    "ln_f with an eps of its own": ([(LAST, "self.ln_f = LayerNorm(config.n_embd)")], [OUT, PAST], ""),
    "the last block left out": (
        [("in self.h:", "in self.h[:-1]:")],
        VALUES,
        "other weights in h.1 give the same output",
    ),
    "the first block alone": ([(LOOP, "        hidden_states = self.h[0](hidden_states)\n")], VALUES, "h.1"),
    "blocks backwards": ([("in self.h:", "in reversed(self.h):")], VALUES, ""),
    "blocks side by side": (
        [(LOOP, "        hidden_states = hidden_states + sum(block(hidden_states) for block in self.h)\n")],
        VALUES,
        "",
    ),
    "each block from the embeddings": (
        [(LOOP, "        start = hidden_states\n" + LOOP.replace("block(hidden_states)", "block(start)"))],
        VALUES,
        "other weights in h.0 give the same output",
    ),
    "a second residual": ([("= block(hidden_states)", "= hidden_states + block(hidden_states)")], VALUES, ""),
    "12 blocks": ([("range(config.n_layer)", "range(12)")], ALL, "more besides"),
    "n_head for n_layer": ([("range(config.n_layer)", "range(config.n_head)")], ALL, "h.2"),
    "a vocabulary of 50257": ([("config.vocab_size", "50257")], ALL, "wte.weight has another shape"),
    "other names": ([(TOKENS, TOKENS.replace("wte", "tok")), (SUM, SUM.replace("wte", "tok"))], ALL, "no wte.weight"),
    "no mask": (
        [
            (
                "block(hidden_states)",
                "block(hidden_states, hidden_states.new_zeros(hidden_states.shape[1], hidden_states.shape[1]))",
            )
        ],
        [OUT, PAST, CAUSAL, GRADIENT],
        "",
    ),
    "the embeddings detached": ([(f"{SUM}  #", f"({SUM}).detach()  #")], [GRADIENT], "no gradient comes to w"),
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
    "dropout in training": (
        [(INIT, INIT + "        self.drop = nn.Dropout(0.1)\n"), (SUM, f"self.drop({SUM})")],
        [OUT, PAST, CAUSAL, GRADIENT, SAME],
        "is there dropout",
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
}
RIGHT = {
    "nn.Embedding and a check": [
        *PLAIN,
        (
            "hidden_states = self.wte",
            (
                "if past_length + input_ids.shape[1] > self.wpe.num_embeddings:\n"
                "            raise ValueError('too long')\n        hidden_states = self.wte"
            ),
        ),
        (TOKENS, TOKENS.replace("TokenEmbedding", "nn.Embedding")),
    ],
    "nn.LayerNorm": [(LAST, LAST.replace("LayerNorm", "nn.LayerNorm"))],
    "append": [
        (
            BLOCKS,
            (
                "self.h = nn.ModuleList()\n        for _ in range(config.n_layer):\n"
                "            self.h += [GPT2Block(config)]"
            ),
        )
    ],
    "a Sequential": [
        (BLOCKS, "self.h = nn.Sequential(*[GPT2Block(config) for _ in range(config.n_layer)])"),
        (LOOP, "        hidden_states = self.h(hidden_states)\n"),
    ],
    "a list within": [(BLOCKS, "self.h = nn.ModuleList([GPT2Block(config) for _ in range(config.n_layer)])")],
    "by index": [
        (LOOP, "        for i in range(len(self.h)):\n            hidden_states = self.h[i](hidden_states)\n")
    ],
    "a mask made here": [
        ("from steps.step_09", "from steps.step_02 import causal_mask\nfrom steps.step_09"),
        ("block(hidden_states)", "block(hidden_states, causal_mask(input_ids.shape[1]))"),
    ],
    "a batch of one for the positions": [(SUM, SUM.replace("past_length)", "past_length).unsqueeze(0)"))],
    "added in place": [
        (
            f"hidden_states = {SUM}",
            "hidden_states = self.wte(input_ids)\n        hidden_states += self.wpe(input_ids.shape[1], past_length)",
        )
    ],
    "dropout of 0": [(INIT, INIT + "        self.drop = nn.Dropout(0.0)\n"), (SUM, f"self.drop({SUM})")],
    "fresh weights of its own": [
        (
            LAST,
            LAST + "\n        self.apply(self._draw)\n\n    def _draw(self, part):\n"
            "        if isinstance(part, nn.Linear):\n"
            "            nn.init.normal_(part.weight, std=0.02)",
        )
    ],
    "the config kept": [(INIT, INIT + "        self.config = config\n")],
    "a buffer that is not kept": [
        (INIT, INIT + "        self.register_buffer('one', Tensor([1.0]), persistent=False)\n"),
        (OUTPUT, OUTPUT + " * self.one"),
    ],
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    report = judge_text("model", edited.text("model", *edits))
    assert edited.failed(report) == lines
    assert says in edited.said(report)


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    report = judge_text("model", edited.text("model", *RIGHT[name]))
    assert report.outcome == "passed", edited.said(report)
