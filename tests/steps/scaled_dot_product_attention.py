"""Step 07 is judged against torch's attention and Hugging Face's, which have to agree."""

from autograder.checking import check, forbids
from autograder.comparing import close, same_gradients

SHAPES = (  # leading axes, q_len, k_len, head_dim, value_dim: no two equal
    ((2, 3), 5, 7, 4, 6),
    ((2,), 3, 8, 5, 7),
    ((), 4, 6, 8, 3),
)


@check(
    passed="scaled_dot_product_attention gives torch's output",
    failed="scaled_dot_product_attention does not give torch's output",
)
def output_matches(student, oracle, draw):
    for shape in SHAPES:
        for std in (2.0, 0.1):
            query, key, value = _inputs(draw, shape, std)
            known = _others(query, key, value) if std == 2.0 else None
            close(
                student.scaled_dot_product_attention(query, key, value), oracle.attend(query, key, value), known=known
            )


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
            got, (*_, after) = student.scaled_dot_product_attention.call_keeping(query, key, value, mask)
            known = {**_others(query, key, value, mask), **_others_with_mask(query, key, value, mask)}
            close(got, oracle.attend(query, key, value, mask), known=known)
            same = after.nan_to_num(neginf=-1e9) if hasattr(after, "nan_to_num") else after
            close(same, mask.nan_to_num(neginf=-1e9), rtol=0, atol=0, says="the mask after the call: it was changed")


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
    for name, mine, theirs in zip(("query", "key", "value"), after, (query, key, value), strict=True):
        close(mine, theirs, rtol=0, atol=0, says=f"this is {name} after the call: it was changed in place")
    back = draw.normal(2, 3, 5, 6)
    inside = [part.double().requires_grad_() for part in (query, key, value)]
    output = torch.nn.functional.scaled_dot_product_attention(*inside)
    (output * back.double()).sum().backward()
    got = student.scaled_dot_product_attention.gradients(query, key, value, output_gradient=back)
    names = ("query", "key", "value")
    same_gradients(got, back, inputs={name: part.grad.float() for name, part in zip(names, inside, strict=True)})


@check(
    passed="with large scores it gives torch's output, too",
    failed="with large scores it does not give torch's output",
)
def large_scores(student, oracle, draw):
    query, key, value = _inputs(draw, SHAPES[0], 30.0)
    close(
        student.scaled_dot_product_attention(query, key, value), oracle.attend(query, key, value), rtol=1e-3, atol=1e-3
    )


forbids(
    *("torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention", "torch.nn.attention"),
    *("torch.nn.functional.multi_head_attention_forward", "torch.nn.Transformer", "torch.nn.TransformerEncoderLayer"),
    *("torch.nn.TransformerDecoderLayer", "torch.nn.modules.activation.MultiheadAttention", "torch.ops"),
    *("torch._C", "torch._refs", "torch._decomp", "torch._VF", "torch._native_multi_head_attention"),
    *("torch.nn.TransformerEncoder", "torch.nn.TransformerDecoder"),
    within=["scaled_dot_product_attention"],
    operators=[
        *("aten.scaled_dot_product_attention", "aten._scaled_dot_product_flash_attention_for_cpu"),
        *("aten._scaled_dot_product_attention_math", "aten._native_multi_head_attention"),
        "aten._transformer_encoder_layer_fwd",
    ],
    passed="scaled_dot_product_attention is your own: torch's is not used",
    failed="scaled_dot_product_attention is not your own, or has not run: got {got}",
)


def _inputs(draw, shape, std):
    lead, q_len, k_len, head_dim, value_dim = shape
    names = dict(zip(("batch", "head"), lead, strict=False))
    query = draw.normal(**names, query=q_len, head_dim=head_dim, std=std, label="query")
    key = draw.normal(**names, key=k_len, head_dim=head_dim, std=std, label="key")
    value = draw.normal(**names, key=k_len, value_dim=value_dim, label="value")
    return query, key, value


def _others(query, key, value, mask=0.0):
    """Return what people's attention gives, by the sentence that says so."""
    import torch

    root = query.shape[-1] ** 0.5
    dots = query @ key.transpose(-2, -1)
    scores = dots / root + mask
    causal = torch.full(scores.shape[-2:], float("-inf")).triu(1)
    return {
        "this is what it gives without the division by the root of head_dim": (dots + mask).softmax(-1) @ value,
        "this is what it gives with head_dim for its root": (dots / root**2 + mask).softmax(-1) @ value,
        "this is what it gives with the root of value_dim: it is head_dim's": (
            (dots / value.shape[-1] ** 0.5 + mask).softmax(-1) @ value
        ),
        "this is what it gives with the root of k_len: it is head_dim's": (
            (dots / key.shape[-2] ** 0.5 + mask).softmax(-1) @ value
        ),
        "multiplied by the root of head_dim: the scores are divided by it": (dots * root + mask).softmax(-1) @ value,
        "the softmax runs over the queries: each query's weights add up to 1": scores.softmax(-2) @ value,
        "the softmax runs over the first axis: it is meant for the last one": scores.softmax(0) @ value,
        "this is what it gives without the softmax": scores @ value,
        "divided after the softmax: the scores are divided before it": (dots + mask).softmax(-1) / root @ value,
        "a causal mask is added: it comes as attn_mask, where one is wanted": (scores + causal).softmax(-1) @ value,
    }


def _others_with_mask(query, key, value, mask):
    """Return what people make of a mask, by the sentence that says so."""
    root = query.shape[-1] ** 0.5
    scores = query @ key.transpose(-2, -1) / root
    hidden = mask == float("-inf")
    after = scores.softmax(-1).masked_fill(hidden, 0.0)
    return {
        "this is what it gives without the mask": scores.softmax(-1) @ value,
        "hidden after the softmax: each row's weights no longer add up to 1": after @ value,
        "hidden scores are 0: e to the power of 0 is a weight of 1": scores.masked_fill(hidden, 0.0).softmax(-1)
        @ value,
        "divided by the root after the mask was added: the mask is divided too": (scores + mask / root).softmax(-1)
        @ value,
        "-inf is all that is taken from the mask: its other numbers are added": (
            scores.masked_fill(hidden, float("-inf")).softmax(-1) @ value
        ),
        "0 is hidden, as in a mask of ones and zeros: this one is added": (
            scores.masked_fill(mask == 0, float("-inf")).softmax(-1) @ value
        ),
    }
