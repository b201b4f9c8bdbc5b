"""Step 07's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

SLUG = "scaled_dot_product_attention"
OUT, MASK, EQUAL, GRADIENT, LARGE, DTYPE, OWN = (
    "output_matches",
    "mask_matches",
    "equal_sizes",
    "gradients_match",
    "large_scores",
    "keeps_the_dtype",
    "forbids",
)
ALL = [OUT, MASK, EQUAL, GRADIENT, LARGE]
SCALE = ALL[:4]  # with large scores, the largest takes all, whatever the scale
ROOT = " / math.sqrt(query.shape[-1])"
SCORES = "query @ key.transpose(-2, -1)" + ROOT
MASKED = "        scores = scores + attn_mask\n"
SOFTMAX = "torch.softmax(scores, dim=-1)"
WHOLE = f"""    scores = {SCORES}  # [..., q_len, k_len]
    if attn_mask is not None:
{MASKED}    weights = {SOFTMAX}  # each row adds up to 1
    return weights @ value
"""
WRONG = {
    "four axes alone": ([("key.transpose(-2, -1)", "key.permute(0, 1, 3, 2)")], [OUT, MASK, DTYPE], "RuntimeError: "),
    "three axes by einsum": (
        [("query @ key.transpose(-2, -1)", "torch.einsum('bqd,bkd->bqk', query, key)")],
        [*ALL, DTYPE, OWN],
        "RuntimeError: ",
    ),
    "a mask of two axes alone": (
        [(MASKED, "        scores = scores + attn_mask.view(*scores.shape[-2:])\n")],
        [MASK],
        "RuntimeError: ",
    ),
    "added in place to the mask": (
        [(MASKED, "        scores = attn_mask.add_(scores)\n")],
        [MASK, GRADIENT],
        "RuntimeError: ",
    ),
    "nothing comes back": (
        [("return weights @ value", "weights @ value")],
        [*ALL, DTYPE],
        "is a `return` missing?",
    ),
    "dropout": ([("weights @ value", "torch.nn.functional.dropout(weights, 0.1) @ value")], ALL, ""),
    "no_grad": ([("def scaled", "@torch.no_grad()\ndef scaled")], [GRADIENT], "no gradient comes to query"),
    "float16": ([(SOFTMAX, SOFTMAX.replace("scores,", "scores.half(),") + ".float()")], [*SCALE, DTYPE], ""),
    "the queries' mean taken away": (
        [("return weights @ value", "out = weights @ value\n    return out - out.mean(-2, keepdim=True)")],
        ALL,
        "",
    ),
}
CALL = "(query, key, value, attn_mask)"
FORBIDDEN = {
    "F's own": (
        [(WHOLE, f"    return torch.nn.functional.scaled_dot_product_attention{CALL}\n")],
        "torch.nn.functional.scaled_dot_product_attention",
    ),
    "an alias": (
        [
            ("import torch\n", "import torch\nfrom torch.nn.functional import scaled_dot_product_attention as f\n"),
            (WHOLE, f"    return f{CALL}\n"),
        ],
        "torch.nn.functional.scaled_dot_product_attention",
    ),
    "in a helper": (
        [
            (
                WHOLE,
                (
                    f"    return helper{CALL}\n\n\ndef helper(*args):\n"
                    "    return torch.nn.functional.scaled_dot_product_attention(*args)\n"
                ),
            )
        ],
        "torch.nn.functional.scaled_dot_product_attention",
    ),
    "getattr": (
        [(WHOLE, "    return getattr(torch.nn.functional, 'scaled_dot_' + 'product_attention')" + CALL + "\n")],
        "scaled_dot_product_attention",
    ),
    "torch.ops": ([(WHOLE, f"    return torch.ops.aten.scaled_dot_product_attention{CALL}\n")], "torch.ops"),
    "its C++": (
        [(WHOLE, f"    return torch._C._nn.scaled_dot_product_attention{CALL}\n")],
        "torch._C",
    ),
    "for the large alone": (
        [
            (
                WHOLE,
                "    if query.abs().max() > 40:\n        return "
                "torch.nn.functional.scaled_dot_product_attention(query, key, value)\n" + WHOLE,
            )
        ],
        "torch.nn.functional.scaled_dot_product_attention",
    ),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return filled.copy(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_rejected_and_told(judge_text, name):
    edits, lines, says = WRONG[name]
    report = judge_text(SLUG, edited.text(SLUG, *edits))
    assert edited.failed(report) == lines
    assert says in edited.said(report)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_torchs_own_attention_is_forbidden(judge_text, name):
    edits, named = FORBIDDEN[name]
    report = judge_text(SLUG, edited.text(SLUG, *edits))
    assert edited.failed(report)[-1] == OWN
    assert named in report.checks[-1].message


@pytest.mark.parametrize("seed", ["0", "ffff"])
def test_the_finished_step_passes_whatever_is_drawn(judge_text, seed):
    assert judge_text(SLUG, edited.text(SLUG), seed=seed).outcome == "passed"
