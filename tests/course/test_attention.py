"""Step 08's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

NAMES, OUT, EQUAL, CAUSAL, MASK, GRADIENT, UNEVEN = (
    "has_its_parameters",
    "output_matches",
    "equal_sizes",
    "is_causal",
    "uses_the_mask",
    "gradients_match",
    "refuses_uneven_heads",
)
NUMBERS = [OUT, EQUAL, MASK, GRADIENT]
ALL = [NAMES, OUT, EQUAL, CAUSAL, MASK, GRADIENT]
GUARD = """        if config.n_embd % config.n_head:
            raise ValueError(f"n_embd ({config.n_embd}) is no multiple of n_head ({config.n_head})")
"""
ATTN = "self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)"
PROJ = "self.c_proj = nn.Linear(config.n_embd, config.n_embd)"
CUT = "query, key, value = self.c_attn(hidden_states).split(n_embd, dim=-1)"
HEADS = """        query, key, value = (
            part.view(heads).transpose(1, 2) for part in (query, key, value)
        )  # [batch, n_head, seq, head_dim]
"""
GIVEN = "        if attention_mask is None:\n"
CAUSE = "            attention_mask = causal_mask(seq, dtype=query.dtype, device=query.device)\n"
ATTEND = "scaled_dot_product_attention(query, key, value, attention_mask)"
JOIN = "attended.transpose(1, 2).reshape(batch, seq, n_embd)"
LAST = "return self.c_proj(joined)"
TORCH = ("from torch import Tensor, nn", "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn")


def order(names):
    return [(CUT, CUT.replace("query, key, value", names))]


WRONG = {
    # SYLLABUS.md's own
    "no mask": ([(GIVEN + CAUSE, "")], [OUT, EQUAL, CAUSAL, GRADIENT], "without the causal mask"),
    "the mask not handed on": (
        [(ATTEND, "scaled_dot_product_attention(query, key, value)")],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT],
        "without the causal mask",
    ),
    "no scale": (
        [(HEADS, HEADS + "        query = query * query.shape[-1] ** 0.5\n")],
        NUMBERS,
        "without the division by the root of head_dim",
    ),
    "key, query, value": (order("key, query, value"), NUMBERS, "cut into key, query, value"),
    "value, key, query": (order("value, key, query"), NUMBERS, "cut into value, key, query"),
    "query, value, key": (order("query, value, key"), NUMBERS, "cut into query, value, key"),
    "key, value, query": (order("key, value, query"), NUMBERS, "cut into key, value, query"),
    "hidden scores are 0": (
        [
            TORCH,
            (
                ATTEND,
                (
                    "torch.softmax((query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5)"
                    ".masked_fill(attention_mask == float('-inf'), 0.0), dim=-1) @ value"
                ),
            ),
        ],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT],
        "a hidden score is 0, and e to the power of 0 is a weight of 1",
    ),
    "interleaved": (
        [
            (CUT, "query, key, value = self.c_attn(hidden_states).view(batch, seq, self.n_head, 3, -1).unbind(3)"),
            (HEADS, HEADS.replace("view(heads).", "")),
        ],
        NUMBERS,
        "cut as [batch, seq, n_head, 3, head_dim]",
    ),
    "cut without a transpose": (
        [(HEADS, HEADS.replace("part.view(heads).transpose(1, 2)", "part.reshape(batch, self.n_head, seq, -1)"))],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT],
        "a transpose is missing",
    ),
    "head_dim first": (
        [
            (
                HEADS,
                HEADS.replace(
                    "part.view(heads).transpose(1, 2)",
                    "part.reshape(batch, seq, n_embd // self.n_head, self.n_head).permute(0, 3, 1, 2)",
                ),
            )
        ],
        NUMBERS,
        "a head's features lie side by side",
    ),
    "joined without a transpose": (
        [(JOIN, "attended.reshape(batch, seq, n_embd)")],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT],
        "joined without turning the axes back",
    ),
    "c_attn without its bias": ([(ATTN, ATTN[:-1] + ", bias=False)")], ALL, "no c_attn.bias"),
    "a strict mask": (
        [TORCH, (CAUSE, "            attention_mask = torch.full((seq, seq), float('-inf')).triu(0)\n")],
        [OUT, EQUAL, CAUSAL, GRADIENT],
        "nan",
    ),
    "view after the transpose": (
        [(JOIN, JOIN.replace("reshape", "view"))],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT],
        "view size is not compatible",
    ),
    "three Linears": (
        [
            (
                ATTN,
                (
                    "self.q = nn.Linear(config.n_embd, config.n_embd)\n        "
                    "self.k = nn.Linear(config.n_embd, config.n_embd)\n        "
                    "self.v = nn.Linear(config.n_embd, config.n_embd)"
                ),
            ),
            (CUT, "query, key, value = self.q(hidden_states), self.k(hidden_states), self.v(hidden_states)"),
        ],
        ALL,
        "no c_attn.bias",
    ),
    # more that people write
    "c_proj without its bias": ([(PROJ, PROJ[:-1] + ", bias=False)")], ALL, "no c_proj.bias"),
    "no c_proj": ([(LAST, "return joined")], NUMBERS, "without c_proj"),
    "the residual inside": ([(LAST, LAST + " + hidden_states")], NUMBERS, "hidden_states are added"),
    "scaled twice": (
        [(HEADS, HEADS + "        query = query / query.shape[-1] ** 0.5\n")],
        NUMBERS,
        "divided by the root of head_dim twice",
    ),
    "the root of n_embd": (
        [(HEADS, HEADS + "        query = query / self.n_head ** 0.5\n")],
        NUMBERS,
        "the root is n_embd's",
    ),
    "one head": ([("self.n_head = config.n_head", "self.n_head = 1")], NUMBERS, "one head as wide as n_embd"),
    "n_head for head_dim": (
        [
            (
                "heads = (batch, seq, self.n_head, n_embd // self.n_head)",
                "heads = (batch, seq, n_embd // self.n_head, self.n_head)",
            )
        ],
        [OUT, MASK, GRADIENT],
        "",
    ),
    "12 heads": ([("self.n_head = config.n_head", "self.n_head = 12")], NUMBERS, ""),
    "the mask turned": (
        [(CAUSE, CAUSE.rstrip("\n") + ".T\n")],
        [OUT, EQUAL, CAUSAL, GRADIENT],
        "each token sees what comes after it",
    ),
    "the causal mask added to the one given": (
        [
            (
                GIVEN + CAUSE,
                (
                    "        causal = causal_mask(seq, dtype=query.dtype, device=query.device)\n        "
                    "attention_mask = causal if attention_mask is None else attention_mask + causal\n"
                ),
            )
        ],
        [MASK],
        "the causal mask is added to the one that is given: it is in its place",
    ),
    "the mask that is given not looked at": (
        [(GIVEN, "        if True:\n")],
        [MASK],
        "the mask that is given is not looked at",
    ),
    "is_causal, whatever is given": (
        [TORCH, (ATTEND, "F.scaled_dot_product_attention(query, key, value, is_causal=True)")],
        [MASK],
        "the mask that is given is not looked at",
    ),
    "the mask's truth": ([(GIVEN, "        if not attention_mask:\n")], [MASK], "RuntimeError: "),
    "the mask changed": (
        [(JOIN, JOIN + "\n        attention_mask.zero_()")],
        [MASK],
        "the mask after the call: it was changed",
    ),
    "the sequence is the batch": (
        [
            (HEADS, HEADS.replace("transpose(1, 2)", "transpose(0, 2)")),
            (JOIN, JOIN.replace("transpose(1, 2)", "transpose(0, 2)")),
        ],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT],
        "",
    ),
    "heads not made": ([(HEADS, ""), (JOIN, "attended")], NUMBERS, "one head as wide as n_embd"),
    "a mask of 8": (
        [TORCH, (CAUSE, "            attention_mask = causal_mask(8)[:seq, :seq]\n")],
        [OUT, CAUSAL],
        "RuntimeError: ",
    ),
    "squeezed": ([(LAST, LAST + ".squeeze()")], [OUT], "2 axes, where 3 are expected"),
    "no guard": ([(GUARD, "")], [UNEVEN], "14 features cannot be shared by 4 heads"),
    "an assertion": ([(GUARD, "        assert config.n_embd % config.n_head == 0\n")], [UNEVEN], "AssertionError"),
    "the guard turned": (
        [(GUARD, GUARD.replace("config.n_embd % config.n_head:", "config.n_head % config.n_embd:"))],
        ALL,
        "ValueError: ",
    ),
    "n_head must be even": (
        [(GUARD, GUARD.replace("if config", "if config.n_head % 2 or config"))],
        [NAMES, OUT, CAUSAL, MASK, GRADIENT],
        "ValueError: ",
    ),
    "a kept mask": (
        [(PROJ, PROJ + "\n        self.register_buffer('bias', causal_mask(config.n_positions))")],
        ALL,
        "its state dict has bias besides",
    ),
    "the key's width is the head's": (
        [(ATTN, "self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd // config.n_head)")],
        ALL,
        "c_attn.weight has another shape",
    ),
    "Conv1D's weights": (
        [
            TORCH,
            (ATTN, ATTN + "\n        self.c_attn.weight = nn.Parameter(torch.randn(config.n_embd, 3 * config.n_embd))"),
            (CUT, "query, key, value = (hidden_states @ self.c_attn.weight + self.c_attn.bias).split(n_embd, dim=-1)"),
        ],
        ALL,
        "the same sizes in another order",
    ),
    "dropout": (
        [(PROJ, PROJ + "\n        self.dropout = nn.Dropout(0.1)"), (LAST, "return self.dropout(self.c_proj(joined))")],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT],
        "",
    ),
    "hidden_states changed": (
        [(LAST, "out = self.c_proj(joined)\n        hidden_states.data.add_(1)\n        return out")],
        [GRADIENT],
        "hidden_states after the call",
    ),
    "detached": (
        [(CUT, CUT.replace("hidden_states", "hidden_states.detach()"))],
        [GRADIENT],
        "no gradient comes to hidden_states",
    ),
    "the heads detached": (
        [(LAST, "return self.c_proj(joined.detach())")],
        [GRADIENT],
        "no gradient comes to c_attn.weight",
    ),
    "the weights come back too": ([(LAST, LAST + ", attended")], [OUT, EQUAL, CAUSAL, MASK, GRADIENT], "a tuple"),
    "nothing comes back": (
        [(LAST, LAST.removeprefix("return "))],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT],
        "is a `return` missing?",
    ),
    "the heads come back": ([(LAST, "return attended")], [OUT, EQUAL, CAUSAL, MASK, GRADIENT], "4 axes"),
    "the last token alone": ([(LAST, LAST + "[:, -1]")], [OUT, EQUAL, CAUSAL, MASK, GRADIENT], "2 axes"),
    "float64": ([(LAST, LAST + ".double()")], [OUT, EQUAL, CAUSAL, MASK, GRADIENT], "another type"),
    "a function": (
        [("class GPT2Attention(nn.Module):", "def GPT2Attention(config):\n    return 0\n\n\nclass Other(nn.Module):")],
        [*ALL, UNEVEN],
        "GPT2Attention returns a plain value",
    ),
    "the module kept between calls": (
        [
            (PROJ, PROJ + "\n        self.mask = None"),
            (
                GIVEN + CAUSE,
                (
                    "        if self.mask is None:\n            self.mask = causal_mask(seq) if attention_mask is "
                    "None else attention_mask\n        attention_mask = self.mask\n"
                ),
            ),
        ],
        [OUT, MASK],
        "",
    ),
}
RIGHT = {
    "chunk": [(CUT, "query, key, value = self.c_attn(hidden_states).chunk(3, dim=-1)")],
    "slices": [
        (
            CUT,
            (
                "wide = self.c_attn(hidden_states)\n        query, key, value = wide[..., :n_embd], "
                "wide[..., n_embd : 2 * n_embd], wide[..., 2 * n_embd :]"
            ),
        ),
        (HEADS, HEADS.replace("view", "reshape")),
    ],
    "one view": [
        (
            CUT,
            (
                "query, key, value = self.c_attn(hidden_states).view(batch, seq, 3, self.n_head, -1)"
                ".permute(2, 0, 3, 1, 4)"
            ),
        ),
        (HEADS, ""),
    ],
    "unflatten": [(HEADS, HEADS.replace("view(heads)", "unflatten(-1, (self.n_head, -1))"))],
    "unfold": [
        (
            HEADS,
            HEADS.replace(
                "view(heads).transpose(1, 2)",
                "unfold(-1, n_embd // self.n_head, n_embd // self.n_head).transpose(1, 2)",
            ),
        )
    ],
    "contiguous and view": [(JOIN, "attended.transpose(1, 2).contiguous().view(batch, seq, n_embd)")],
    "permute and flatten": [(JOIN, "attended.permute(0, 2, 1, 3).flatten(2)")],
    "joined by cat": [
        (JOIN, "nn.functional.pad(attended, (0, 0)).unbind(1)"),
        (LAST, "import torch\n\n        return self.c_proj(torch.cat(joined, dim=-1))"),
    ],
    "einsum": [
        TORCH,
        (
            ATTEND,
            (
                "torch.einsum('bhqk,bhkd->bhqd', torch.softmax(torch.einsum('bhqd,bhkd->bhqk', query, "
                "key) / query.shape[-1] ** 0.5 + attention_mask, dim=-1), value)"
            ),
        ),
    ],
    "a loop over the heads": [
        TORCH,
        (
            ATTEND,
            (
                "torch.stack([scaled_dot_product_attention(query[:, i], key[:, i], value[:, i], "
                "attention_mask if attention_mask.dim() == 2 else attention_mask[:, 0]) "
                "for i in range(self.n_head)], dim=1)"
            ),
        ),
    ],
    "F's own": [TORCH, (ATTEND, "F.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask)")],
    "F's is_causal": [
        TORCH,
        (GIVEN + CAUSE, ""),
        (ATTEND, "F.scaled_dot_product_attention(query, key, value, attention_mask, is_causal=attention_mask is None)"),
    ],
    "F's own, by the name of step 07": [
        (
            "from steps.step_07 import scaled_dot_product_attention",
            "from torch.nn.functional import scaled_dot_product_attention",
        )
    ],
    "a mask that is not kept": [
        (PROJ, PROJ + "\n        self.register_buffer('mask', causal_mask(config.n_positions), persistent=False)"),
        (CAUSE, "            attention_mask = self.mask[:seq, :seq]\n"),
    ],
    "a mask of the lowest number": [
        TORCH,
        (CAUSE, "            attention_mask = torch.full((seq, seq), torch.finfo(query.dtype).min).triu(1)\n"),
    ],
    "-1e9": [TORCH, (CAUSE, "            attention_mask = torch.full((seq, seq), -1e9).triu(1)\n")],
    "a mask of four axes": [(CAUSE, CAUSE.rstrip("\n") + "[None, None]\n")],
    "!= 0": [(GUARD, GUARD.replace("config.n_embd % config.n_head", "config.n_embd % config.n_head != 0"))],
    "head_dim kept": [
        (
            "self.n_head = config.n_head",
            "self.n_head = config.n_head\n        self.head_dim = config.n_embd // config.n_head",
        ),
        ("n_embd // self.n_head)\n", "self.head_dim)\n"),
    ],
    "an error of one's own": [
        ("class GPT2Attention", "class Uneven(ValueError):\n    pass\n\n\nclass GPT2Attention"),
        ("raise ValueError", "raise Uneven"),
    ],
    "the guard at its end": [(GUARD, ""), (PROJ, PROJ + "\n" + GUARD.rstrip("\n"))],
    "weights of one's own": [
        (
            PROJ,
            PROJ + "\n        for part in (self.c_attn, self.c_proj):\n            "
            "nn.init.normal_(part.weight, std=0.02)\n            "
            "nn.init.zeros_(part.bias)",
        )
    ],
    "dropout of 0": [
        (PROJ, PROJ + "\n        self.dropout = nn.Dropout(0.0)"),
        (LAST, "return self.dropout(self.c_proj(joined))"),
    ],
    "a sequence at a time": [
        (
            "def forward(",
            (
                "def forward(self, hidden_states, attention_mask=None):\n        import torch\n\n"
                "        masks = [attention_mask] * len(hidden_states)\n"
                "        if attention_mask is not None and attention_mask.dim() == 4:\n"
                "            masks = list(attention_mask.split(1))\n"
                "        rows = zip(hidden_states.split(1), masks, strict=True)\n"
                "        return torch.cat([self.one(row, mask) for row, mask in rows])\n\n    def one("
            ),
        )
    ],
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    report = judge_text("attention", edited.text("attention", *edits))
    assert edited.failed(report) == lines
    assert says in edited.said(report)


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    report = judge_text("attention", edited.text("attention", *RIGHT[name]))
    assert report.outcome == "passed", edited.said(report)


@pytest.mark.parametrize("seed", ["0", "ffff"])
def test_the_finished_step_passes_whatever_is_drawn(judge_text, seed):
    assert judge_text("attention", edited.text("attention"), seed=seed).outcome == "passed"
