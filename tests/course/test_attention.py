"""Step 08's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

NAMES, OUT, EQUAL, CAUSAL, MASK, GRADIENT, UNEVEN, DTYPE = (
    "has_its_parameters",
    "output_matches",
    "equal_sizes",
    "is_causal",
    "uses_the_mask",
    "gradients_match",
    "refuses_uneven_heads",
    "keeps_the_dtype",
)
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


WRONG = {
    # The words that the report has of its own, whatever known mistake is named beside them.
    "nothing made yet": (
        [(GUARD, ""), (ATTN, "self.n = 1"), (PROJ, "pass")],
        [*ALL, UNEVEN, DTYPE],
        "c_attn and c_proj are not made yet",
    ),
    "three layers of any name": (
        [
            (ATTN, "self.q_proj, self.k, self.to_v = (nn.Linear(config.n_embd, config.n_embd) for _ in range(3))"),
            (CUT, "query, key, value = self.q_proj(hidden_states), self.k(hidden_states), self.to_v(hidden_states)"),
        ],
        [*ALL, DTYPE],
        "They are one layer here",
    ),
    "cut by view": (
        [(HEADS, HEADS.replace("part.view(heads).transpose(1, 2)", "part.view(batch, self.n_head, seq, -1)"))],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT, DTYPE],
        "reshape would mix up the tokens",
    ),
    "n_head must be even": (
        [(GUARD, GUARD.replace("if config", "if config.n_head % 2 or config"))],
        [NAMES, OUT, CAUSAL, MASK, GRADIENT, DTYPE],
        "ValueError: ",
    ),
    "14 and 4 alone": (
        [(GUARD, GUARD.replace("config.n_embd % config.n_head:", "(config.n_embd, config.n_head) == (14, 4):"))],
        [UNEVEN],
        "features cannot be shared by",
    ),
    "refused at its first use": (
        [
            (GUARD, ""),
            (GIVEN, "        if n_embd % self.n_head:\n            raise ValueError('uneven')\n" + GIVEN),
        ],
        [UNEVEN],
        "14 features cannot be shared by 4 heads",
    ),
    "the key's width is the head's": (
        [(ATTN, "self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd // config.n_head)")],
        [*ALL, DTYPE],
        "c_attn.weight has another shape",
    ),
    "dropout": (
        [(PROJ, PROJ + "\n        self.dropout = nn.Dropout(0.1)"), (LAST, "return self.dropout(self.c_proj(joined))")],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT],
        "",
    ),
    "nothing comes back": (
        [(LAST, LAST.removeprefix("return "))],
        [OUT, EQUAL, CAUSAL, MASK, GRADIENT, DTYPE],
        "is a `return` missing?",
    ),
    "the heads come back": ([(LAST, "return attended")], [OUT, EQUAL, CAUSAL, MASK, GRADIENT, DTYPE], "4 axes"),
    "the last token alone": ([(LAST, LAST + "[:, -1]")], [OUT, EQUAL, CAUSAL, MASK, GRADIENT, DTYPE], "2 axes"),
    "float64": ([(LAST, LAST + ".double()")], [OUT, EQUAL, CAUSAL, MASK, GRADIENT, DTYPE], "another type"),
    "a function": (
        [("class GPT2Attention(nn.Module):", "def GPT2Attention(config):\n    return 0\n\n\nclass Other(nn.Module):")],
        [*ALL, UNEVEN, DTYPE],
        "GPT2Attention returns a plain value",
    ),
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


@pytest.mark.parametrize("seed", ["0", "ffff"])
def test_the_finished_step_passes_whatever_is_drawn(judge_text, seed):
    assert judge_text("attention", edited.text("attention"), seed=seed).outcome == "passed"
