"""Step 07's checker, by what it rejects and accepts: each an edit of the reference, the lines that fail, and why."""

import edited
import filled
import pytest

SLUG = "scaled_dot_product_attention"
OUT, MASK, EQUAL, GRADIENT, LARGE, OWN = (
    "output_matches",
    "mask_matches",
    "equal_sizes",
    "gradients_match",
    "large_scores",
    "forbids",
)
ALL = [OUT, MASK, EQUAL, GRADIENT, LARGE]
SCALE = ALL[:4]  # with large scores, the largest takes all, whatever the scale
SIZES = [OUT, MASK, GRADIENT]
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
    # SYLLABUS.md's own
    "no scale": ([(ROOT, "")], SCALE, "without the division by the root of head_dim"),
    "1 / head_dim": ([(ROOT, " / query.shape[-1]")], SCALE, "with head_dim for its root"),
    "the root of value_dim": (
        [(ROOT, " / math.sqrt(value.shape[-1])")],
        SIZES,
        "with the root of value_dim: it is head_dim's",
    ),
    "the root of n_embd": ([(ROOT, " / math.sqrt(query.shape[-1] * 3)")], SCALE, ""),
    "softmax over the queries": ([("dim=-1)", "dim=-2)")], ALL, "the softmax runs over the queries"),
    "the mask after the softmax": (
        [
            (MASKED, "        pass\n"),
            (
                SOFTMAX,
                SOFTMAX + "\n    if attn_mask is not None:\n        "
                "weights = weights.masked_fill(attn_mask == float('-inf'), 0.0)",
            ),
        ],
        [MASK],
        "hidden after the softmax: each row's weights no longer add up to 1",
    ),
    "hidden scores are 0": (
        [(MASKED, "        scores = scores.masked_fill(attn_mask == float('-inf'), 0.0)\n")],
        [MASK],
        "hidden scores are 0: e to the power of 0 is a weight of 1",
    ),
    "hidden scores are 1e-10": (
        [(MASKED, "        scores = scores.masked_fill(attn_mask == float('-inf'), 1e-10)\n")],
        [MASK],
        "hidden scores are 0",
    ),
    "key.T": ([("key.transpose(-2, -1)", "key.T")], ALL, ""),
    "transpose(0, 1)": ([("key.transpose(-2, -1)", "key.transpose(0, 1)")], ALL, ""),
    # more that people write
    "multiplied by the root": ([(ROOT, ROOT.replace("/", "*"))], SCALE, "multiplied by the root of head_dim"),
    "divided after the softmax": (
        [(ROOT, ""), (SOFTMAX, SOFTMAX + " / math.sqrt(query.shape[-1])")],
        ALL,
        "divided after the softmax",
    ),
    "the root of k_len": ([(ROOT, " / math.sqrt(key.shape[-2])")], SIZES, "with the root of k_len: it is head_dim's"),
    "the root of q_len": ([(ROOT, " / math.sqrt(query.shape[-2])")], SIZES, ""),
    "8, the root of GPT-2's own head_dim": ([(ROOT, " / 8")], SCALE, ""),
    "softmax over the first axis": ([("dim=-1)", "dim=0)")], ALL, "the softmax runs over the first axis"),
    "softmax over axis 1": ([("dim=-1)", "dim=1)")], ALL, ""),
    "no softmax": ([(SOFTMAX, "scores")], ALL, "without the softmax"),
    "log_softmax": ([("torch.softmax", "torch.log_softmax")], ALL, ""),
    "sigmoid": ([(SOFTMAX, "torch.sigmoid(scores)")], ALL, ""),
    "exp without a maximum": ([(SOFTMAX, "scores.exp() / scores.exp().sum(-1, keepdim=True)")], [LARGE], "nan"),
    "the mask left out": ([(MASKED, "        pass\n")], [MASK], "this is what it gives without the mask"),
    "the mask subtracted": ([(MASKED, MASKED.replace("+", "-"))], [MASK], ""),
    "the mask multiplied": ([(MASKED, MASKED.replace("+", "*"))], [MASK], ""),
    "the mask before the root": (
        [(ROOT, ""), (MASKED, MASKED + "    scores = scores / math.sqrt(query.shape[-1])\n")],
        [MASK],
        "the mask is divided too",
    ),
    "0 is hidden": (
        [(MASKED, "        scores = scores.masked_fill(attn_mask == 0, float('-inf'))\n")],
        [MASK],
        "0 is hidden, as in a mask of ones and zeros: this one is added",
    ),
    "-inf alone": (
        [(MASKED, "        scores = scores.masked_fill(attn_mask == float('-inf'), float('-inf'))\n")],
        [MASK],
        "-inf is all that is taken from the mask",
    ),
    "the mask's truth": ([("attn_mask is not None", "attn_mask")], [MASK], "RuntimeError: "),
    "a mask of two axes alone": (
        [(MASKED, "        scores = scores + attn_mask.view(*scores.shape[-2:])\n")],
        [MASK],
        "RuntimeError: ",
    ),
    "the mask changed": (
        [(MASKED, MASKED + "        attn_mask.zero_()\n")],
        [MASK],
        "the mask after the call: it was changed",
    ),
    "added in place to the query's scores, then to the mask": (
        [(MASKED, "        scores = attn_mask.add_(scores)\n")],
        [MASK],
        "RuntimeError: ",
    ),
    "always causal": (
        [(MASKED, MASKED + "    scores = scores + torch.full(scores.shape[-2:], float('-inf')).triu(1)\n")],
        ALL,
        "a causal mask is added",
    ),
    "causal without a mask": (
        [
            (
                MASKED,
                MASKED + "    else:\n        scores = scores + torch.full(scores.shape[-2:], float('-inf')).triu(1)\n",
            )
        ],
        [OUT, EQUAL, GRADIENT, LARGE],
        "a causal mask is added",
    ),
    "key and value swapped": ([("weights @ value", "weights @ key")], ALL, ""),
    "query and key swapped": ([("query @ key.transpose(-2, -1)", "key @ query.transpose(-2, -1)")], ALL, ""),
    "the weights turned": ([("weights @ value", "weights.transpose(-2, -1) @ value")], ALL, ""),
    "the weights come back": ([("return weights @ value", "return weights")], ALL, ""),
    "both come back": ([("return weights @ value", "return weights @ value, weights")], ALL, "a tuple"),
    "nothing comes back": ([("return weights @ value", "weights @ value")], ALL, "is a `return` missing?"),
    "four axes alone": ([("key.transpose(-2, -1)", "key.permute(0, 1, 3, 2)")], [OUT, MASK], "RuntimeError: "),
    "three axes by einsum": (
        [("query @ key.transpose(-2, -1)", "torch.einsum('bqd,bkd->bqk', query, key)")],
        [*ALL, OWN],
        "RuntimeError: ",
    ),
    "dropout": ([("weights @ value", "torch.nn.functional.dropout(weights, 0.1) @ value")], ALL, ""),
    "query changed": (
        [
            (
                WHOLE,
                WHOLE.replace(
                    "scores = query @ key.transpose(-2, -1)" + ROOT,
                    "query /= math.sqrt(query.shape[-1])\n    scores = query @ key.transpose(-2, -1)",
                ),
            )
        ],
        [GRADIENT],
        "this is query after the call: it was changed in place",
    ),
    "the weights detached": (
        [("weights @ value", "weights.detach() @ value")],
        [GRADIENT],
        "no gradient comes to query",
    ),
    "the value detached": ([("weights @ value", "weights @ value.detach()")], [GRADIENT], "no gradient comes to value"),
    "no_grad": ([("def scaled", "@torch.no_grad()\ndef scaled")], [GRADIENT], "no gradient comes to query"),
    "float64": ([("weights @ value", "weights.double() @ value.double()")], ALL, "another type"),
    "float16": ([(SOFTMAX, SOFTMAX.replace("scores,", "scores.half(),") + ".float()")], SCALE, ""),
    "the queries' mean taken away": (
        [("return weights @ value", "out = weights @ value\n    return out - out.mean(-2, keepdim=True)")],
        ALL,
        "",
    ),
}
RIGHT = {
    "the query scaled": [(SCORES, "(query / math.sqrt(query.shape[-1])) @ key.transpose(-2, -1)")],
    "**-0.5": [(ROOT, " * query.shape[-1] ** -0.5")],
    "a fourth root each": [
        (SCORES, "(query / query.shape[-1] ** 0.25) @ (key / key.shape[-1] ** 0.25).transpose(-2, -1)")
    ],
    "a root that is a tensor": [(ROOT, " / torch.sqrt(torch.tensor(key.size(-1)))")],
    "key.mT": [("key.transpose(-2, -1)", "key.mT")],
    "swapaxes": [("key.transpose(-2, -1)", "key.swapaxes(-1, -2)")],
    "einsum": [
        ("query @ key.transpose(-2, -1)", "torch.einsum('...qd,...kd->...qk', query, key)"),
        ("weights @ value", "torch.einsum('...qk,...kv->...qv', weights, value)"),
    ],
    "matmul": [("weights @ value", "torch.matmul(weights, value)")],
    "a product and a sum": [("query @ key.transpose(-2, -1)", "(query.unsqueeze(-2) * key.unsqueeze(-3)).sum(-1)")],
    "an early return": [
        (
            WHOLE,
            (
                f"    scores = {SCORES}\n    if attn_mask is None:\n        return scores.softmax(-1) "
                "@ value\n    return (scores + attn_mask).softmax(dim=-1) @ value\n"
            ),
        )
    ],
    "in place on its own": [
        (ROOT, ""),
        (
            MASKED,
            "        scores += attn_mask * math.sqrt(query.shape[-1])\n    scores /= math.sqrt(query.shape[-1])\n",
        ),
    ],
    "a softmax of one's own": [
        (
            SOFTMAX,
            "(scores - scores.amax(-1, keepdim=True)).exp()\n    weights = weights / weights.sum(-1, keepdim=True)",
        )
    ],
    "divided after the average": [
        (SOFTMAX, "(scores - scores.amax(-1, keepdim=True)).exp()"),
        ("return weights @ value", "return (weights @ value) / weights.sum(-1, keepdim=True)"),
    ],
    "logsumexp": [(SOFTMAX, "(scores - scores.logsumexp(-1, keepdim=True)).exp()")],
    "F.softmax": [("torch.softmax", "torch.nn.functional.softmax")],
    "nn.Softmax": [(SOFTMAX, "torch.nn.Softmax(dim=-1)(scores)")],
    "a mask of zeros": [
        (
            "    if attn_mask is not None:\n" + MASKED,
            "    scores = scores + (attn_mask if attn_mask is not None else torch.zeros(()))\n",
        )
    ],
    "the mask clamped": [
        (MASKED, "        scores = scores + attn_mask.clamp(min=torch.finfo(scores.dtype).min / 2)\n")
    ],
    "a query at a time": [
        (
            WHOLE,
            f"""    rows = []
    for i in range(query.shape[-2]):
        row = query[..., i : i + 1, :] @ key.transpose(-2, -1){ROOT}
        if attn_mask is not None:
            row = row + attn_mask[..., i : i + 1, :]
        rows.append(row.softmax(-1) @ value)
    return torch.cat(rows, dim=-2)
""",
        )
    ],
    "inside a float64": [
        (
            WHOLE,
            WHOLE.replace("scores = query @ key", "scores = query.double() @ key.double()").replace(
                "return weights @ value", "return (weights @ value.double()).to(value.dtype)"
            ),
        )
    ],
    "comments and strings": [
        (
            SOFTMAX,
            SOFTMAX + "\n    # F.scaled_dot_product_attention(query, key, value)\n"
            "    name = 'torch.nn.functional.scaled_dot_product_attention'",
        )
    ],
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


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_passes(judge_text, name):
    report = judge_text(SLUG, edited.text(SLUG, *RIGHT[name]))
    assert report.outcome == "passed", edited.said(report)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_torchs_own_attention_is_forbidden(judge_text, name):
    edits, named = FORBIDDEN[name]
    report = judge_text(SLUG, edited.text(SLUG, *edits))
    assert edited.failed(report)[-1] == OWN
    assert named in report.checks[-1].message


@pytest.mark.parametrize("seed", ["0", "ffff"])
def test_the_finished_step_passes_whatever_is_drawn(judge_text, seed):
    assert judge_text(SLUG, edited.text(SLUG), seed=seed).outcome == "passed"
