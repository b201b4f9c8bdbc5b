"""Step 08 is judged against Hugging Face's attention, redrawn, with its mask given explicitly."""

import math

from autograder.checking import check
from autograder.comparing import close, load, make, raises, same_gradients


@check(
    passed="GPT2Attention has Hugging Face's parameters: c_attn and c_proj, each with a weight and a bias",
    failed="GPT2Attention does not have Hugging Face's parameters: c_attn and c_proj, each with a weight and a bias",
)
def has_its_parameters(student, oracle, draw):
    for _ in range(2):
        _pair(student, oracle, draw.config())


@check(
    passed="GPT2Attention gives Hugging Face's output, each token seeing the past alone",
    failed="GPT2Attention does not give Hugging Face's output, each token seeing the past alone",
)
def output_matches(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        for mean, std in ((0.0, 1.0), (5.0, 3.0), (0.0, 1e-3)):
            x = _states(draw, values, 9, mean=mean, std=std)
            known = _others(x, theirs.linear_state_dict(), values["n_head"]) if std == 1.0 else None
            close(mine(x), theirs(x), known=known)
        for x in (_states(draw, values, 1), _states(draw, values, 5, batch=1)):
            close(mine(x), theirs(x))


@check(
    passed="it is right where sequence length, heads and head_dim are equal, too",
    failed="it is not right where sequence length, heads and head_dim are equal",
)
def equal_sizes(student, oracle, draw):
    values = {**draw.config(), "n_embd": 16, "n_head": 4}
    mine, theirs = _pair(student, oracle, values)
    x = draw.normal(batch=4, seq=4, n_embd=16, label="hidden_states")
    close(mine(x), theirs(x))


@check(
    passed="changing a token leaves the outputs before it as they were",
    failed="changing a token changes the outputs before it",
)
def is_causal(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    x = _states(draw, values, 9)
    first = mine(x)
    close(first, x, rtol=0, atol=math.inf)  # of the right type and shape, whatever its numbers
    changed = x.clone()
    changed[:, 5:] = draw.normal(*changed[:, 5:].shape)
    second = mine(changed)
    close(second, x, rtol=0, atol=math.inf)
    close(
        second[:, :5],
        first[:, :5],
        rtol=1e-5,
        atol=1e-5,
        says="tokens 5 to 8 were changed: these are the outputs 0 to 4",
    )


@check(
    passed="a mask that is given is used in place of the causal one",
    failed="a mask that is given is not used in place of the causal one",
)
def uses_the_mask(student, oracle, draw):
    import torch

    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    x = _states(draw, values, 7)
    full = torch.zeros(7, 7)
    hidden = draw.normal(2, 1, 7, 7) > 0
    hidden[..., 0] = False
    per_batch = torch.zeros(2, 1, 7, 7).masked_fill(hidden, float("-inf"))
    full.label, per_batch.label = "a mask of zeros", "a mask for each batch row"
    state, n_head = theirs.linear_state_dict(), values["n_head"]
    for mask in (per_batch, full):
        got, (_, after) = mine.call_keeping(x, mask)
        known = {
            "the causal mask is added to the one that is given: it is in its place": _attend(
                x, state, n_head, mask=mask + _causal(7)
            ),
            "the mask that is given is not looked at": _attend(x, state, n_head, mask=_causal(7)),
            "no mask is added, not even the one that is given": _attend(x, state, n_head),
        }
        close(got, theirs(x, mask), known=known)
        kept = after.nan_to_num(neginf=-1e9) if hasattr(after, "nan_to_num") else after
        close(kept, mask.nan_to_num(neginf=-1e9), rtol=0, atol=0, says="the mask after the call: it was changed")


@check(
    passed="GPT2Attention lets gradients through to its input and parameters, and leaves its input as it was",
    failed="GPT2Attention does not let the right gradients through, or changes its input",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    x = _states(draw, values, 6)
    _, (after,) = mine.call_keeping(x)
    close(after, x, rtol=0, atol=0, says="these are the hidden_states after the call: they were changed in place")
    back = draw.normal(batch=2, seq=6, n_embd=values["n_embd"])
    got, expected = mine.gradients(x, output_gradient=back), theirs.gradients(x, back)
    same_gradients(
        got,
        back,
        inputs={"hidden_states": expected.inputs[0]},
        parameters=theirs.linear(expected.parameters),
        rtol=1e-3,
        atol=1e-3,
    )


@check(
    passed="it raises a ValueError when n_head does not divide n_embd",
    failed="it does not raise a ValueError when n_head does not divide n_embd",
)
def refuses_uneven_heads(student, draw):
    values = {**draw.config(), "n_embd": 14, "n_head": 4}
    config = student.earlier("config").GPT2Config(**values)
    raises(lambda: student.GPT2Attention(config), "ValueError", says="14 features cannot be shared by 4 heads")


def _pair(student, oracle, values):
    config = student.earlier("config").GPT2Config(**values)
    theirs = oracle.attention(values)
    return load(make(student, "GPT2Attention", config), theirs.linear_state_dict()), theirs


def _states(draw, values, seq, batch=2, **moments):
    return draw.normal(batch=batch, seq=seq, n_embd=values["n_embd"], label="hidden_states", **moments)


def _causal(seq, diagonal=1):
    import torch

    return torch.full((seq, seq), float("-inf")).triu(diagonal)


def _attend(x, state, n_head, *, mask=0.0, scale=None, order=(0, 1, 2), cut="", join="", bias=1.0):
    """Return what attention with these weights gives, right but for what is asked for.

    Args:
        mask: what is added to the scores.
        scale: what they are multiplied by, 1 / √head_dim when left out.
        order: which thirds of c_attn's output are query, key and value.
        cut: how the heads are cut out, when it is not right: "interleaved", "head_dim first" or "not turned".
        join: how they are joined, when it is not right: "not turned".
        bias: what c_attn's bias is multiplied by.
    """
    batch, seq, n_embd = x.shape
    head_dim = n_embd // n_head
    wide = x @ state["c_attn.weight"].T + bias * state["c_attn.bias"]
    if cut == "interleaved":
        thirds = [part.transpose(1, 2) for part in wide.view(batch, seq, n_head, 3, head_dim).unbind(3)]
    elif cut == "head_dim first":
        thirds = [part.reshape(batch, seq, head_dim, n_head).permute(0, 3, 1, 2) for part in wide.chunk(3, -1)]
    elif cut == "not turned":
        thirds = [part.reshape(batch, n_head, seq, head_dim) for part in wide.chunk(3, -1)]
    else:
        thirds = [part.reshape(batch, seq, n_head, head_dim).transpose(1, 2) for part in wide.chunk(3, -1)]
    query, key, value = (thirds[index] for index in order)
    scores = query @ key.transpose(-2, -1) * (head_dim**-0.5 if scale is None else scale) + mask
    heads = scores.softmax(-1) @ value
    heads = heads if join == "not turned" else heads.transpose(1, 2)
    return heads.reshape(batch, seq, n_embd) @ state["c_proj.weight"].T + state["c_proj.bias"]


def _others(x, state, n_head):
    """Return what people's attention gives with these weights, by the sentence that says so."""
    mask, n_embd = _causal(x.shape[1]), x.shape[2]
    orders = {"key, query, value": (1, 0, 2), "value, key, query": (2, 1, 0), "query, value, key": (0, 2, 1)}
    orders |= {"key, value, query": (2, 0, 1), "value, query, key": (1, 2, 0)}

    def attend(**changes):
        return _attend(x, state, n_head, **{"mask": mask, **changes})

    right = attend()
    bare = (right - state["c_proj.bias"]) @ state["c_proj.weight"].T.inverse()
    return {
        "this is what it gives without the causal mask": attend(mask=0.0),
        "a hidden score is 0, and e to the power of 0 is a weight of 1": _hidden_is_zero(x, state, n_head),
        "this is what it gives without the division by the root of head_dim": attend(scale=1.0),
        "divided by the root of head_dim twice: step 07 has done it": attend(scale=n_head / n_embd),
        "the root is n_embd's: it is head_dim's, n_embd / n_head": attend(scale=n_embd**-0.5),
        "each token sees what comes after it, and not what came before": attend(mask=mask.T),
        "one head as wide as n_embd: there are n_head": _attend(x, state, 1, mask=mask),
        "cut as [batch, seq, n_head, 3, head_dim]: query, key, value come first": attend(cut="interleaved"),
        "cut as [batch, seq, head_dim, n_head]: a head's features lie side by side": attend(cut="head_dim first"),
        "cut as [batch, n_head, seq, head_dim] at once: a transpose is missing": attend(cut="not turned"),
        "joined without turning the axes back: transpose before the reshape": attend(join="not turned"),
        "this is what it gives without c_proj": bare,
        "hidden_states are added: the block will do that": right + x,
        "this is what it gives without the bias of c_attn": attend(bias=0.0),
        **{f"cut into {name}: the order is query, key, value": attend(order=order) for name, order in orders.items()},
    }


def _hidden_is_zero(x, state, n_head):
    batch, seq, n_embd = x.shape
    wide = x @ state["c_attn.weight"].T + state["c_attn.bias"]
    query, key, value = (part.view(batch, seq, n_head, -1).transpose(1, 2) for part in wide.chunk(3, -1))
    scores = (query @ key.transpose(-2, -1) / (n_embd // n_head) ** 0.5).tril()
    heads = (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, seq, n_embd)
    return heads @ state["c_proj.weight"].T + state["c_proj.bias"]
