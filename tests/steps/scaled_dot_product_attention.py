"""Step 07 is judged against torch's attention and Hugging Face's, which have to agree."""

from autograder.checking import check, close, forbids

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
            close(student.scaled_dot_product_attention(query, key, value), oracle.attend(query, key, value))


@check(
    passed="with an additive mask, it gives torch's output",
    failed="with an additive mask, it does not give torch's output",
)
def mask_matches(student, oracle, draw):
    for shape in SHAPES:
        query, key, value = _inputs(draw, shape, 2.0)
        lead, q_len, k_len, *_ = shape
        soft = draw.normal(query=q_len, key=k_len, std=2.0, label="attn_mask")
        hidden = draw.normal(query=q_len, key=k_len) > 0
        hidden[:, 0] = False  # a fully hidden row is not judged
        hard = soft.masked_fill(hidden, float("-inf"))
        hard.label, hard.axes = "attn_mask", f"query={q_len}, key={k_len}"
        for mask in (soft, hard):
            close(student.scaled_dot_product_attention(query, key, value, mask), oracle.attend(query, key, value, mask))
        if len(lead) == 2:
            wide = hard.expand(lead[0], 1, q_len, k_len).contiguous()
            close(student.scaled_dot_product_attention(query, key, value, wide), oracle.attend(query, key, value, wide))


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
    for name, mine, theirs in zip(("query", "key", "value"), got.inputs, inside, strict=True):
        close(mine, theirs.grad.float(), says=f"this is the gradient of {name}")


@check(
    passed="it stays finite with large scores",
    failed="it does not stay finite with large scores",
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
