"""Step 07 is judged against torch's attention and Hugging Face's, which have to agree."""

import math

from autograder import law
from autograder.checking import check, equivalent, forbids, mistake, variant
from autograder.comparing import close, same_gradients

SHAPES = (  # leading axes, q_len, k_len, head_dim, value_dim: no two equal
    ((2, 3), 5, 7, 4, 6),
    ((2,), 3, 8, 5, 7),
    ((), 4, 6, 8, 3),
)
HIDDEN = -12345.0  # in the place of -inf where masks are compared, and no number that anybody puts there
OF_ONE = (  # each size is 1 somewhere; three axes in front; a head wider and a text longer than in all other checks
    ((1, 3), 1, 12, 70, 1),
    ((2, 1), 4, 3, 1, 5),
    ((1,), 3, 1, 2, 4),
    ((2, 1, 3), 1, 5, 2, 4),
)


@check(
    passed="scaled_dot_product_attention gives torch's output",
    failed="scaled_dot_product_attention does not give torch's output",
)
def output_matches(student, oracle, draw):
    for shape in SHAPES:
        for std in (2.0, 0.1):
            query, key, value = _inputs(draw, shape, std)
            close(student.scaled_dot_product_attention(query, key, value), oracle.attend(query, key, value))
    for shape in OF_ONE:
        query, key, value = _inputs(draw, shape, 1.0)
        close(student.scaled_dot_product_attention(query, key, value), oracle.attend(query, key, value))
    _exchanged_axes(student, oracle, draw)


@check(
    passed="with an additive mask, it gives torch's output",
    failed="with an additive mask, it does not give torch's output",
)
def mask_matches(student, oracle, draw):
    import torch

    for shape in SHAPES:
        query, key, value = _inputs(draw, shape, 2.0)
        lead, q_len, k_len, *_ = shape
        soft = draw.normal(query=q_len, key=k_len, std=2.0, label="attn_mask")
        hidden = draw.normal(query=q_len, key=k_len) > 0
        hidden[:, 0] = False  # a fully hidden row is not judged
        hard = soft.masked_fill(hidden, float("-inf"))
        plain = torch.zeros(q_len, k_len).masked_fill(hidden | (torch.arange(k_len) == k_len - 1), float("-inf"))
        plain.label = hard.label = "attn_mask"
        plain.axes = hard.axes = f"query={q_len}, key={k_len}"
        masks = [plain, hard, soft]
        if len(lead) == 2:
            masks.append(hard.expand(lead[0], 1, q_len, k_len).contiguous())
            masks[-1].label, masks[-1].axes = "attn_mask", f"batch={lead[0]}, 1, query={q_len}, key={k_len}"
        for mask in masks:
            got, (*three, after) = student.scaled_dot_product_attention.call_keeping(query, key, value, mask)
            close(got, oracle.attend(query, key, value, mask))
            same = after.nan_to_num(neginf=HIDDEN) if hasattr(after, "nan_to_num") else after
            close(same, mask.nan_to_num(neginf=HIDDEN), rtol=0, atol=0, says="the mask after the call: it was changed")
            _left_alone(three, (query, key, value))
    _broadcast_masks(student, oracle, draw)
    _hidden_key(student, oracle, draw)


@check(
    passed="it is right where all sizes are equal, too",
    failed="it is not right where all sizes are equal",
)
def equal_sizes(student, oracle, draw):
    query, key, value = _inputs(draw, ((4, 4), 4, 4, 4, 4), 2.0)
    close(student.scaled_dot_product_attention(query, key, value), oracle.attend(query, key, value))


@check(
    passed="it lets gradients through to query, key and value, and leaves them as they were",
    failed="it does not let the right gradients through to query, key and value, or changes them",
)
def gradients_match(student, draw):
    import torch

    query, key, value = _inputs(draw, SHAPES[0], 1.0)
    _, after = student.scaled_dot_product_attention.call_keeping(query, key, value)
    _left_alone(after, (query, key, value))
    back = draw.normal(2, 3, 5, 6)
    mask = draw.normal(query=5, key=7, label="attn_mask").masked_fill(torch.arange(7) > 4, float("-inf"))
    mask.label, mask.axes = "attn_mask", "query=5, key=7"
    for masks in ((), (mask,)):
        inside = [part.double().requires_grad_() for part in (query, key, value)]
        output = torch.nn.functional.scaled_dot_product_attention(*inside, *(part.double() for part in masks))
        (output * back.double()).sum().backward()
        got = student.scaled_dot_product_attention.gradients(query, key, value, *masks, output_gradient=back)
        expected = {name: part.grad.float() for name, part in zip(("query", "key", "value"), inside, strict=True)}
        same_gradients(got, back, inputs=expected)


@check(
    passed="with large scores it gives torch's output, too",
    failed="with large scores it does not give torch's output",
)
def large_scores(student, oracle, draw):
    query, key, value = _inputs(draw, SHAPES[0], 30.0)
    close(
        student.scaled_dot_product_attention(query, key, value), oracle.attend(query, key, value), rtol=1e-3, atol=1e-3
    )


@check(
    passed="from bfloat16 it makes bfloat16, as float32 from float32",
    failed="from bfloat16 it does not make bfloat16",
)
def keeps_the_dtype(student, draw):
    import torch

    drawn = _small(draw)
    for dtype in (torch.bfloat16, torch.float64):
        expected = torch.zeros(3, 6, dtype=dtype)
        parts = [_like(part, part.to(dtype)) for part in drawn]
        for given in (
            parts[:3],
            parts,
        ):  # of the right type and shape, whatever the numbers: bfloat16 has 8 bits of them
            got = student.scaled_dot_product_attention(*given)
            close(
                got,
                expected,
                rtol=0,
                atol=math.inf,
                says="" if dtype == torch.bfloat16 else "all inputs are float64 here",
            )


forbids(
    *("torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention", "torch.nn.attention"),
    *("torch.nn.functional.multi_head_attention_forward", "torch.nn.Transformer", "torch.nn.TransformerEncoderLayer"),
    *("torch.nn.TransformerDecoderLayer", "torch.nn.modules.activation.MultiheadAttention", "torch.ops"),
    *("torch._C", "torch._refs", "torch._decomp", "torch._VF", "torch._native_multi_head_attention"),
    *("torch.nn.TransformerEncoder", "torch.nn.TransformerDecoder", "torch._transformer_encoder_layer_fwd"),
    *("torch._scaled_dot_product_attention_math", "torch._scaled_dot_product_flash_attention_for_cpu"),
    within=["scaled_dot_product_attention"],
    operators=[
        *("aten.scaled_dot_product_attention", "aten._scaled_dot_product_flash_attention_for_cpu"),
        *("aten._scaled_dot_product_attention_math", "aten._native_multi_head_attention"),
        "aten._transformer_encoder_layer_fwd",
    ],
    passed="scaled_dot_product_attention is your own: torch's is not used",
    failed="scaled_dot_product_attention is not your own, or has not run: got {got}",
)


def _exchanged_axes(student, oracle, draw):
    query, key, value = _inputs(draw, SHAPES[0], 1.0)
    kept = [student.keep(part.transpose(1, 2).contiguous()) for part in (query, key, value)]
    for part in kept:
        part.transpose_(1, 2)  # over there: the same numbers, and an order in memory that view refuses
    close(
        student.scaled_dot_product_attention(*kept),
        oracle.attend(query, key, value),
        says="query, key and value come from transpose(1, 2): their numbers lie in another order in memory",
    )


def _broadcast_masks(student, oracle, draw):
    shape = SHAPES[0]
    query, key, value = _inputs(draw, shape, 1.0)
    (batch, head), q_len, k_len, *_ = shape
    for sizes, axes in (
        ((batch, 1, q_len, k_len), f"batch={batch}, 1, query={q_len}, key={k_len}"),
        ((batch, head, q_len, k_len), f"batch={batch}, head={head}, query={q_len}, key={k_len}"),
        ((head, q_len, k_len), f"head={head}, query={q_len}, key={k_len}"),
        ((batch, 1, 1, k_len), f"batch={batch}, 1, 1, key={k_len}"),
    ):
        mask = draw.normal(*sizes, std=2.0, label="attn_mask")
        mask.axes = axes
        close(
            student.scaled_dot_product_attention(query, key, value, mask),
            oracle.attend(query, key, value, mask),
            says="this mask is broadcast to [..., q_len, k_len]",
        )


def _hidden_key(student, oracle, draw):
    import torch

    query, key, value = _inputs(draw, ((2,), 1, 8, 5, 7), 1.0)
    far = 900 * 5**0.5 * query / (query**2).sum(-1, keepdim=True)  # a key that scores 900: step 02 hides up to 1,000
    key -= far
    key[:, -1:] = far
    value[:, -1] = 1e6
    mask = torch.zeros(1, 8)
    mask[:, -1] = float("-inf")
    mask.label, mask.axes = "attn_mask", "query=1, key=8"
    close(
        student.scaled_dot_product_attention(query, key, value, mask),
        oracle.attend(query, key, value, mask),
        rtol=1e-2,  # a score of -900 is rounded to a few parts in ten thousand, and a value of a million is far out
        atol=1e-2,
        says="the mask hides the last key with -inf: it gets no weight at all, however well it fits",
    )


def _inputs(draw, shape, std):
    lead, q_len, k_len, head_dim, value_dim = shape
    names = dict(zip(("batch", "head", "group"), lead, strict=False))
    query = draw.normal(**names, query=q_len, head_dim=head_dim, std=std, label="query")
    key = draw.normal(**names, key=k_len, head_dim=head_dim, std=std, label="key")
    value = draw.normal(**names, key=k_len, value_dim=value_dim, label="value")
    return query, key, value


def _left_alone(after, before):
    for name, mine, theirs in zip(("query", "key", "value"), after, before, strict=True):
        close(mine, theirs, rtol=0, atol=0, says=f"this is {name} after the call: it was changed in place")


def _small(draw):
    query, key, value = _inputs(draw, ((), 3, 5, 4, 6), 1.0)
    return query, key, value, draw.normal(query=3, key=5, label="attn_mask")


def _like(drawn, made):
    """Return a tensor made of a drawn one, with its label and the names of its axes."""
    made.label, made.axes, made.axes_names = drawn.label, drawn.axes, drawn.axes_names
    return made


@law.rows_sum_to_one
@law.rows_apart
@law.inputs_kept
@law.same_twice
def averages(student):
    def inputs(draw, batch, seq):
        query = draw.normal(batch=batch, q_len=seq, head_dim=4)
        return query, draw.normal(batch=batch, k_len=seq + 1, head_dim=4), draw.normal(batch, seq + 1, 6)

    return law.Subject(student.scaled_dot_product_attention, inputs)


# ---------------------------------------------------------------------------------------------- mistakes: the scale

ROOT = " / math.sqrt(query.shape[-1])"
SCORES = "query @ key.transpose(-2, -1)"
SOFTMAX = "torch.softmax(scores, dim=-1)"
MASKED = "scores = scores + attn_mask\n"
AVERAGE = "return weights @ value"
WHOLE = f"""    scores = {SCORES}{ROOT}  # [..., q_len, k_len]
    if attn_mask is not None:
        {MASKED}    weights = {SOFTMAX}  # each row adds up to 1
    {AVERAGE}
"""
CAUSAL = "torch.full(scores.shape[-2:], float('-inf')).triu(1)"

mistake("no-scale", ROOT, "", "The scores are not divided. They are divided by the root of head_dim.")
mistake(
    "divided-by-head-dim",
    ROOT,
    " / query.shape[-1]",
    "The scores are divided by head_dim, or by its root twice. They are divided by its root, once.",
)
mistake(
    "divided-by-half-of-head-dim",
    ROOT,
    " / (query.shape[-1] ** 1 / 2)",
    "The scores are divided by half of head_dim. They are divided by its root.",
)
mistake(
    "multiplied-by-the-root",
    ROOT,
    " * math.sqrt(query.shape[-1])",
    "The scores are multiplied by the root of head_dim. They are divided by it.",
)
mistake(
    "root-of-value-dim",
    ROOT,
    " / math.sqrt(value.shape[-1])",
    "The root is that of value_dim. It is head_dim's, the width of a query.",
)
mistake(
    "root-of-k-len",
    ROOT,
    " / math.sqrt(key.shape[-2])",
    "The root is that of k_len, the number of keys. It is head_dim's, the width of a query.",
)
mistake(
    "root-of-q-len",
    ROOT,
    " / math.sqrt(query.shape[-2])",
    "The root is that of q_len, the number of queries. It is head_dim's, the width of a query.",
)
mistake(
    "root-of-axis-1",
    ROOT,
    " / math.sqrt(query.shape[1])",
    "The root is that of axis 1, whatever it is. head_dim is the last axis: query.shape[-1].",
)
mistake(
    "divided-by-the-square",
    ROOT,
    " / query.shape[-1] ** 2",
    "The scores are divided by the square of head_dim. They are divided by its root.",
)
mistake(
    "divided-by-8",
    ROOT,
    " / 8",
    "The scores are divided by 8, the root of GPT-2's head_dim. The width of the query that comes in decides.",
)
mistake(
    "divided-after-the-softmax",
    ROOT,
    "",
    "The weights are divided by the root. The scores are divided, before the softmax.",
    also=[(SOFTMAX, SOFTMAX + " / math.sqrt(query.shape[-1])")],
)

# ------------------------------------------------------------------------------------------------ mistakes: the ban

mistake(
    "torchs-own",
    WHOLE,
    "    return torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask)\n",
    "Torch's own attention is called. In this step the formula is yours: a product, a softmax, a product.",
    again=[
        (WHOLE, "    return F.scaled_dot_product_attention(query, key, value, attn_mask=attn_mask)\n"),
        ("from torch import Tensor\n", "import torch.nn.functional as F\nfrom torch import Tensor\n"),
    ],
)

# -------------------------------------------------------------------------------------------- mistakes: the softmax

mistake(
    "softmax-over-the-queries",
    SOFTMAX,
    "torch.softmax(scores, dim=-2)",
    "The softmax runs over the queries, axis -2. It runs over the keys, so that each query's weights add up to 1.",
)
mistake(
    "softmax-over-axis-0",
    SOFTMAX,
    "torch.softmax(scores, dim=0)",
    "The softmax runs over axis 0, which is the batch where there is one. It runs over the keys, the last axis.",
)
mistake(
    "softmax-over-axis-1",
    SOFTMAX,
    "torch.softmax(scores, dim=1)",
    "The softmax runs over axis 1, which is the last one of two alone. It runs over the last axis, the keys.",
)
mistake("no-softmax", SOFTMAX, "scores", "The scores themselves are the weights. A softmax makes weights of them.")
mistake(
    "log-softmax",
    SOFTMAX,
    "torch.log_softmax(scores, dim=-1)",
    "The weights are logarithms. The softmax itself gives the weights.",
)
mistake(
    "sigmoid",
    SOFTMAX,
    "torch.sigmoid(scores)",
    "Each score becomes a weight by itself. A softmax makes the weights of a row add up to 1.",
)
mistake(
    "exp-overflows",
    SOFTMAX,
    "torch.exp(scores) / torch.exp(scores).sum(dim=-1, keepdim=True)",
    "e to the power of a large score is infinite. A softmax takes the row's largest score away first.",
)
mistake(
    "one-maximum-for-all",
    SOFTMAX,
    "torch.exp(scores - scores.max())",
    "All scores are lowered by the largest of them all, and rows far below it vanish. Each row has its own largest.",
    also=[(AVERAGE, "return weights / weights.sum(dim=-1, keepdim=True) @ value")],
    again=[
        (SOFTMAX, "torch.exp(scores - torch.amax(scores))"),
        (AVERAGE, "return weights / weights.sum(-1)[..., None] @ value"),
    ],
)

# ----------------------------------------------------------------------------------------------- mistakes: the mask

mistake("mask-left-out", MASKED, "pass\n", "The mask is not looked at. It is added to the scores.")
mistake(
    "mask-after-the-softmax",
    MASKED,
    "pass\n",
    "Hidden weights become 0 after the softmax, and a row no longer adds up to 1. The mask is added before it.",
    also=[
        (
            f"    {AVERAGE}",
            (
                "    if attn_mask is not None:\n        "
                f"weights = weights.masked_fill(attn_mask == float('-inf'), 0.0)\n    {AVERAGE}"
            ),
        )
    ],
)
for _name, _hides in (("below-0", "attn_mask < 0"), ("not-0", "attn_mask != 0")):
    mistake(
        f"weights-hidden-where-{_name}",
        MASKED,
        "pass\n",
        "Hidden weights become 0 after the softmax, and a row no longer adds up to 1. The mask is added before it.",
        also=[
            (
                f"    {AVERAGE}",
                f"    if attn_mask is not None:\n        weights = weights.masked_fill({_hides}, 0.0)\n    {AVERAGE}",
            )
        ],
    )
    mistake(
        f"scores-0-where-{_name}",
        MASKED,
        f"scores = scores.masked_fill({_hides}, 0.0)\n",
        "Hidden scores become 0, and e to the power of 0 is a weight of 1. The mask is added, and -inf stays -inf.",
    )
mistake(
    "mask-added-without-a-question",
    f"    if attn_mask is not None:\n        {MASKED}",
    "    scores = scores + attn_mask\n",
    "The mask is added where there is none. Ask first whether it is None.",
)
mistake(
    "question-turned",
    "attn_mask is not None",
    "attn_mask is None",
    "The mask is added where there is none, and left out where there is one: the question is turned round.",
)
mistake(
    "mask-added-to-the-weights",
    MASKED,
    "pass\n",
    "The mask is added to the weights. It is added to the scores, before the softmax.",
    also=[(f"    {AVERAGE}", f"    if attn_mask is not None:\n        weights = weights + attn_mask\n    {AVERAGE}")],
)
mistake(
    "hidden-scores-are-0",
    MASKED,
    "scores = scores.masked_fill(attn_mask == float('-inf'), 0.0)\n",
    "Hidden scores become 0, and e to the power of 0 is a weight of 1. The mask is added, and -inf stays -inf.",
    again=[(MASKED, "scores = torch.where(attn_mask == -math.inf, 1e-10, scores)\n")],
)
mistake(
    "mask-divided-too",
    ROOT,
    "",
    "The mask is divided by the root as well. It is added to scores that are divided already.",
    also=[(SOFTMAX, f"torch.softmax(scores{ROOT}, dim=-1)")],
)
mistake(
    "zero-hides",
    MASKED,
    "scores = scores.masked_fill(attn_mask == 0, float('-inf'))\n",
    "A 0 in the mask hides, as in a mask of ones and zeros. This one is added: 0 allows, -inf hides.",
)
mistake(
    "any-number-hides",
    MASKED,
    "scores = scores.masked_fill(attn_mask != 0, float('-inf'))\n",
    "Whatever is not 0 in the mask hides. The mask is added: a 2 raises a score, and -inf alone hides.",
)
mistake(
    "infinity-alone",
    MASKED,
    "scores = scores.masked_fill(attn_mask == float('-inf'), float('-inf'))\n",
    "-inf is all that is taken from the mask. Its other numbers are added to the scores, too.",
)
mistake("mask-subtracted", MASKED, "scores = scores - attn_mask\n", "The mask is subtracted. It is added.")
mistake(
    "mask-multiplied", MASKED, "scores = scores * attn_mask\n", "The scores are multiplied by the mask. It is added."
)
mistake(
    "hidden-by-a-hundred",
    MASKED,
    "scores = scores + attn_mask.clamp(min=-100.0)\n",
    "A hidden score is lowered by 100 alone, and a key that fits well enough still counts. The -inf is to stay -inf.",
    again=[(MASKED, "scores = scores + torch.nan_to_num(attn_mask, neginf=-100.0)\n")],
)
mistake(
    "one-mask-for-the-batch",
    MASKED,
    "scores = scores + (attn_mask[:1] if attn_mask.dim() == 4 else attn_mask)\n",
    "All rows of the batch get the mask of the first one. The mask is added as it comes, and torch broadcasts it.",
    again=[(MASKED, "scores = scores + (attn_mask if attn_mask.dim() < 4 else attn_mask[0])\n")],
)
mistake(
    "a-mask-of-truths",
    MASKED,
    "scores = scores.masked_fill(attn_mask, float('-inf'))\n",
    "attn_mask is taken for a mask of True and False. It holds numbers that are added to the scores: 0 allows, -inf "
    "hides.",
)
mistake(
    "a-mask-of-truths-turned",
    MASKED,
    "scores = scores.masked_fill(~attn_mask, float('-inf'))\n",
    "attn_mask is taken for a mask of True and False, turned by ~. It holds numbers that are added to the scores: 0 "
    "allows, -inf hides.",
)
mistake(
    "truth-of-the-mask",
    "attn_mask is not None",
    "attn_mask",
    "The mask's truth is asked for, and a tensor of many numbers has none. Ask whether there is a mask at all.",
)
mistake(
    "mask-changed-in-place",
    MASKED,
    f"{MASKED}        attn_mask.zero_()\n",
    "The mask is changed in place, and the caller still holds it. Leave it as it came.",
)
mistake(
    "always-causal",
    f"    weights = {SOFTMAX}",
    f"    scores = scores + {CAUSAL}\n    weights = {SOFTMAX}",
    "A causal mask is added, whatever is given. The caller hands one over as attn_mask, where it is wanted.",
)
mistake(
    "causal-without-a-mask",
    MASKED,
    f"{MASKED}    else:\n        scores = scores + {CAUSAL}\n",
    "A causal mask is added where none is given. Without a mask, each query sees every key.",
)

# ------------------------------------------------------------------------------------------- mistakes: the products

mistake(
    "all-axes-turned",
    SCORES,
    "query @ key.T",
    "The key's axes are all turned round. Only the last two change places.",
)
mistake(
    "first-axes-exchanged",
    SCORES,
    "query @ key.transpose(0, 1)",
    "Axes 0 and 1 of the key change places. The last two do, however many there are.",
)
mistake(
    "axes-1-and-2-exchanged",
    SCORES,
    "query @ key.transpose(1, 2)",
    "Axes 1 and 2 of the key change places. The last two do, however many there are.",
)
mistake(
    "axes-2-and-3-exchanged",
    SCORES,
    "query @ key.transpose(2, 3)",
    "Axes 2 and 3 of the key change places, and it may have fewer axes. Counted from the end, they are always there.",
)
mistake(
    "key-reshaped",
    SCORES,
    "query @ key.reshape(*key.shape[:-2], key.shape[-1], key.shape[-2])",
    "The key is reshaped, and its numbers stay in their order. An exchange of its last two axes is asked for.",
)
mistake(
    "key-not-turned",
    SCORES,
    "query @ key",
    "Query and key are multiplied as they come. The key's last two axes have to change places first.",
)
mistake(
    "query-and-key-swapped",
    SCORES,
    "key @ query.transpose(-2, -1)",
    "The scores have a row for each key. They have a row for each query.",
)
mistake(
    "number-by-number",
    SCORES,
    "query * key.transpose(-2, -1)",
    "* multiplies number by number, and the sizes do not fit. @ multiplies matrices: a score for each query and key.",
)
mistake(
    "two-matrices-alone",
    SCORES,
    "torch.mm(query, key.transpose(-2, -1))",
    "torch.mm multiplies two matrices, without axes in front. @ takes as many in front as there are.",
)
mistake(
    "three-axes-alone",
    SCORES,
    "torch.bmm(query, key.transpose(-2, -1))",
    "torch.bmm takes three axes, no more and no fewer. @ takes as many in front as there are.",
)
mistake(
    "value-before-weights",
    AVERAGE,
    "return value @ weights",
    "The values stand in front of the weights. A query's row of weights meets the values: weights @ value.",
)
mistake(
    "average-of-the-keys",
    AVERAGE,
    "return weights @ key",
    "The keys are averaged. The values are.",
)
mistake(
    "weights-turned",
    AVERAGE,
    "return weights.transpose(-2, -1) @ value",
    "The weights are turned before the second product. Their rows meet the values as they are.",
)
mistake(
    "weights-come-back",
    AVERAGE,
    "return weights",
    "The weights come back. The average of the values by these weights is asked for.",
)
mistake(
    "axes-of-1-left-out",
    AVERAGE,
    "return (weights @ value).squeeze()",
    "An axis of size 1 is left out of the result. A batch, a head and a query of one keep their axes.",
)
mistake(
    "axes-in-front-by-view",
    SCORES,
    "(query.view(-1, *query.shape[-2:]) @ key.view(-1, *key.shape[-2:]).transpose(1, 2))"
    ".view(*query.shape[:-1], key.shape[-2])",
    "view folds the axes in front into one, and refuses where axes were exchanged before, as in multi-head attention. "
    "reshape copies the numbers where it has to; the product of tensors needs neither.",
    again=[
        (
            SCORES,
            (
                "torch.bmm(query.view(-1, *query.shape[-2:]), key.view(-1, *key.shape[-2:]).mT)"
                ".unflatten(0, query.shape[:-2] or (1,)).reshape(*query.shape[:-1], key.shape[-2])"
            ),
        )
    ],
)
mistake(
    "two-come-back",
    AVERAGE,
    f"{AVERAGE}, weights",
    "Two tensors come back. The average alone is asked for.",
)

# ----------------------------------------------------------------------------- mistakes: in place, gradients, dtypes

mistake(
    "query-changed-in-place",
    f"    scores = {SCORES}{ROOT}",
    f"    query /= math.sqrt(query.shape[-1])\n    scores = {SCORES}",
    "The query is divided in place, and the caller still holds it. Make a new tensor.",
    again=[(WHOLE, f"    query.mul_(query.shape[-1] ** -0.5)\n{WHOLE.replace(ROOT, '')}")],
)
mistake(
    "weights-cut-off",
    AVERAGE,
    "return weights.detach() @ value",
    "No gradient comes back to the query. Nothing between it and the result may cut it off.",
)
mistake(
    "values-cut-off",
    AVERAGE,
    "return weights @ value.detach()",
    "No gradient comes back to the values. Nothing between them and the result may cut them off.",
)
mistake(
    "float64",
    AVERAGE,
    "return weights.double() @ value.double()",
    "The result is float64, whatever comes in. It has the dtype of the inputs.",
)
mistake(
    "float32",
    AVERAGE,
    "return weights.float() @ value.float()",
    "The result is float32, whatever comes in. It has the dtype of the inputs.",
)
mistake(
    "softmax-in-float32",
    SOFTMAX,
    "torch.softmax(scores, dim=-1, dtype=torch.float32)",
    "The weights are float32, whatever comes in. To average the values, they need the values' dtype.",
)

# -------------------------------------------------------------------------------------------------------- variants

variant("einsum-for-the-scores", SCORES, 'torch.einsum("...qd,...kd->...qk", query, key)')
variant("a-product-and-a-sum", SCORES, "(query.unsqueeze(-2) * key.unsqueeze(-3)).sum(-1)")
variant("swapaxes", SCORES, "torch.matmul(query, key.swapaxes(-1, -2))")
variant("einsum-for-the-average", AVERAGE, 'return torch.einsum("...qk,...kv->...qv", weights, value)')
variant("matmul", AVERAGE, "return torch.matmul(weights, value)")
variant("softmax-of-functional", SOFTMAX, "torch.nn.functional.softmax(scores, -1)")
variant("softmax-as-a-module", SOFTMAX, "torch.nn.Softmax(dim=-1)(scores)")
variant(
    "softmax-by-hand",
    SOFTMAX,
    "(scores - scores.amax(-1, keepdim=True)).exp()\n    weights = weights / weights.sum(-1, keepdim=True)",
)
variant("logsumexp", SOFTMAX, "(scores - scores.logsumexp(-1, keepdim=True)).exp()")
variant("a-power", ROOT, " * query.shape[-1] ** -0.5")
variant("a-root-that-is-a-tensor", ROOT, " / torch.sqrt(torch.tensor(key.size(-1)))")
variant("the-query-divided", SCORES + ROOT, "(query / math.sqrt(query.shape[-1])) @ key.mT")
variant(
    "divided-after-the-average",
    SOFTMAX,
    "(scores - scores.amax(-1, keepdim=True)).exp()",
    also=[(AVERAGE, "return (weights @ value) / weights.sum(-1, keepdim=True)")],
)
variant(
    "a-mask-of-zeros",
    f"    if attn_mask is not None:\n        {MASKED}",
    "    scores = scores + (attn_mask if attn_mask is not None else torch.zeros(()))\n",
)
variant("a-clamped-mask", MASKED, "scores = scores + attn_mask.clamp(min=torch.finfo(scores.dtype).min / 2)\n")
variant(
    "in-place-on-its-own",
    ROOT,
    "",
    also=[(MASKED, f"scores += attn_mask * math.sqrt(query.shape[-1])\n    scores = scores{ROOT}\n")],
)
variant(
    "an-early-return",
    WHOLE,
    f"""    scores = {SCORES}{ROOT}
    if attn_mask is None:
        return scores.softmax(-1) @ value
    return (scores + attn_mask).softmax(dim=-1) @ value
""",
)
variant(
    "a-query-at-a-time",
    WHOLE,
    f"""    rows = []
    if attn_mask is not None:
        attn_mask = attn_mask.expand(*attn_mask.shape[:-2], query.shape[-2], key.shape[-2])
    for i in range(query.shape[-2]):
        row = query[..., i : i + 1, :] @ key.transpose(-2, -1){ROOT}
        if attn_mask is not None:
            row = row + attn_mask[..., i : i + 1, :]
        rows.append(row.softmax(-1) @ value)
    return torch.cat(rows, dim=-2)
""",
)
variant(
    "float64-inside",
    WHOLE,
    WHOLE.replace("query @ key", "query.double() @ key.double()").replace(
        AVERAGE, "return (weights @ value.double()).to(value.dtype)"
    ),
)
variant(
    "named-in-a-comment-and-a-text",
    f"    {AVERAGE}",
    "    # F.scaled_dot_product_attention(query, key, value)\n"
    f'    name = "torch.nn.functional.scaled_dot_product_attention"\n    {AVERAGE}',
)
variant.file(
    "axes-in-front-folded-by-recursion",
    """
import math

import torch


def scaled_dot_product_attention(query, key, value, attn_mask=None):
    if attn_mask is None:
        attn_mask = query.new_zeros(())
    return attend(query, key, value, attn_mask.expand(*query.shape[:-1], key.shape[-2]))


def attend(query, key, value, mask):
    if query.dim() > 2:
        return torch.stack([attend(*parts) for parts in zip(query, key, value, mask)])
    return torch.mm(torch.addmm(mask, query, key.t(), alpha=1 / math.sqrt(query.size(1))).softmax(dim=1), value)
""",
)
variant.file(
    "an-object-that-is-called",
    """
from dataclasses import dataclass


@dataclass(frozen=True)
class Attention:
    axis: int = -1

    def scores(self, query, key):
        return query @ key.mT / query.shape[self.axis] ** 0.5

    def __call__(self, query, key, value, attn_mask=None):
        scores = self.scores(query, key)
        return (scores if attn_mask is None else attn_mask + scores).log_softmax(dim=self.axis).exp() @ value


scaled_dot_product_attention = Attention()
""",
)
variant.file(
    "a-key-at-a-time",
    """
import math

import torch


def scaled_dot_product_attention(query, key, value, attn_mask=None):
    top = None
    for j in range(key.shape[-2]):
        score = (query * key[..., j : j + 1, :]).sum(-1, keepdim=True) / math.sqrt(query.shape[-1])
        if attn_mask is not None:
            score = score + attn_mask[..., j : j + 1]
        row = value[..., j : j + 1, :]
        if top is None:
            top = torch.full_like(score, -math.inf)
            total, result = torch.zeros_like(score), torch.zeros_like(score) * row
        new = torch.maximum(top, score.detach())
        base = torch.where(new == -math.inf, torch.zeros_like(new), new)
        before, now = torch.exp(top - base), torch.exp(score - base)
        total = total * before + now
        result = result * before + now * row
        top = new
    return result / total
""",
)
variant.file(
    "everything-turned",
    """
import torch


def scaled_dot_product_attention(query, key, value, attn_mask=None):
    fourth_root = query.shape[-1] ** 0.25
    columns = (key / fourth_root) @ (query / fourth_root).transpose(-1, -2)  # [..., k_len, q_len]
    if attn_mask is not None:
        columns = columns + attn_mask.transpose(-1, -2)
    columns = torch.softmax(columns, dim=-2)  # over the keys
    return (value.transpose(-1, -2) @ columns).transpose(-1, -2)
""",
)

# ----------------------------------------------------------------------------------------------------- equivalents

equivalent(
    "key.transpose(-2, -1)", "key.transpose(-1, -2)", "Two axes that change places can be named in either order."
)
