"""Step 09 is judged against Hugging Face's block, redrawn."""

import math

from autograder.checking import check
from autograder.comparing import close, fail, load, make, same_gradients


@check(
    passed="GPT2Block has Hugging Face's parameters, under ln_1, attn, ln_2 and mlp",
    failed="GPT2Block does not have Hugging Face's parameters, under ln_1, attn, ln_2 and mlp",
)
def has_its_parameters(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine = make(student, "GPT2Block", student.earlier("config").GPT2Config(**values))
        state = mine.state_dict()
        got = getattr(state.get("mlp.c_fc.weight") if isinstance(state, dict) else None, "shape", (0,))[:1]
        if tuple(got) == (4 * values["n_embd"],):
            fail(
                "the MLP is 4 * n_embd wide: config.n_inner is the width that is asked for",
                expected=f"n_inner = {values['n_inner']}",
                got=f"4 * n_embd = {got[0]}",
            )
        load(mine, oracle.block(values).linear_state_dict())


@check(
    passed="GPT2Block gives Hugging Face's output",
    failed="GPT2Block does not give Hugging Face's output",
)
def output_matches(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        mine, theirs = _pair(student, oracle, values)
        for mean, std in ((0.0, 1.0), (5.0, 3.0), (0.0, 1e-3)):
            x = _states(draw, values, 9, mean=mean, std=std)
            known = _others(x, theirs.linear_state_dict(), values)
            close(mine(x), theirs(x), rtol=1e-4, atol=2e-4, known=known)


@check(
    passed="with both c_proj at zero, the block hands the stream through unchanged",
    failed="with both c_proj at zero, the block does not hand the stream through unchanged",
)
def residuals_are_there(student, oracle, draw):
    import torch

    values = draw.config()
    config = student.earlier("config").GPT2Config(**values)
    state = oracle.block(values).linear_state_dict()
    silent = {name: torch.zeros_like(value) if ".c_proj." in name else value for name, value in state.items()}
    mine = load(make(student, "GPT2Block", config), silent)
    x = _states(draw, values, 6)
    close(mine(x), x, rtol=1e-6, atol=1e-6, says="attention and MLP add nothing here: what comes in goes out")


@check(
    passed="a mask that is given goes on to the attention",
    failed="a mask that is given does not go on to the attention",
)
def hands_the_mask_on(student, oracle, draw):
    import torch

    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    x = _states(draw, values, 7)
    mask = torch.zeros(7, 7)
    mask.label = "a mask of zeros"
    known = {"the mask is not handed on: this is what it gives without one": theirs(x)}
    close(mine(x, mask), theirs(x, mask), rtol=1e-4, atol=2e-4, known=known)


@check(
    passed="GPT2Block lets gradients through to its input and parameters, and leaves its input as it was",
    failed="GPT2Block does not let the right gradients through, or changes its input",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    mine, theirs = _pair(student, oracle, values)
    x = _states(draw, values, 6)
    _, (after,) = mine.call_keeping(x)
    close(after, x, rtol=0, atol=0, says="these are the hidden_states after the call: `x += …` changes them in place")
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
    passed="GPT2Block gives the same in training and in evaluation, and in any order of the batch",
    failed="GPT2Block does not give the same in training and in evaluation, or in any order of the batch",
)
def is_a_function(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    x = _states(draw, values, 6)
    first = mine(x)
    close(first, x, rtol=0, atol=math.inf)  # of the right type and shape, whatever its numbers
    close(mine(x), first, rtol=0, atol=0, says="two identical calls differ: is there dropout? This block has none")
    close(mine(x.flip(0)), first.flip(0), rtol=1e-5, atol=1e-5, says="the batch in another order")
    mine.eval()
    close(mine(x), first, rtol=0, atol=0, says="evaluation mode gives something else than training mode")


def _pair(student, oracle, values):
    config = student.earlier("config").GPT2Config(**values)
    theirs = oracle.block(values)
    return load(make(student, "GPT2Block", config), theirs.linear_state_dict()), theirs


def _states(draw, values, seq, **moments):
    return draw.normal(batch=2, seq=seq, n_embd=values["n_embd"], label="hidden_states", **moments)


def _others(x, state, values):
    """Return what people's blocks give with these weights, by the sentence that says so."""
    import torch
    from torch.nn import functional

    width, n_head = x.shape[2], values["n_head"]
    causal = torch.full((x.shape[1],) * 2, float("-inf")).triu(1)

    def linear(name, value):
        return functional.linear(value, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(name, value, eps=values["layer_norm_epsilon"]):
        return functional.layer_norm(value, (width,), state[f"{name}.weight"], state[f"{name}.bias"], eps)

    def attn(value, mask=causal):
        parts = linear("attn.c_attn", value).chunk(3, -1)
        query, key, content = (part.unflatten(-1, (n_head, -1)).transpose(1, 2) for part in parts)
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5 + mask
        return linear("attn.c_proj", (scores.softmax(-1) @ content).transpose(1, 2).flatten(2))

    def mlp(value):
        return linear("mlp.c_proj", functional.gelu(linear("mlp.c_fc", value), approximate="tanh"))

    def block(first="ln_1", second="ln_2", **eps):
        stream = x + attn(norm(first, x, **eps))
        return stream + mlp(norm(second, stream, **eps))

    middle = x + attn(norm("ln_1", x))
    normed = norm("ln_1", x)
    beside = normed + attn(normed)
    after = norm("ln_1", x + attn(x))
    sandwiched = x + norm("ln_1", attn(x))
    work = mlp(norm("ln_2", x)) + x
    alone = norm("ln_2", attn(normed))
    return {
        "the norms come after the sums: GPT-2's stand before attn and mlp": norm("ln_2", after + mlp(after)),
        "the norms come after attn and mlp: GPT-2's stand before them": (sandwiched + norm("ln_2", mlp(sandwiched))),
        "neither branch is added to the stream: both replace it": mlp(alone),
        "attention replaces the stream: it is added to it": attn(normed) + mlp(alone),
        "the MLP replaces the stream: it is added to it": mlp(norm("ln_2", middle)),
        "the norm's output is what is added to: the stream is, before its norm": (
            norm("ln_2", beside) + mlp(norm("ln_2", beside))
        ),
        "both branches read the block's input: the MLP reads what attention left": middle + work - x,
        "the MLP comes before attention": work + attn(norm("ln_1", work)),
        "ln_1 and ln_2 are swapped": block("ln_2", "ln_1"),
        "ln_1 stands before both branches: ln_2 is the MLP's": block("ln_1", "ln_1"),
        "this is what it gives without ln_1": x + attn(x) + mlp(norm("ln_2", x + attn(x))),
        "this is what it gives without ln_2": middle + mlp(middle),
        "this is what it gives without either norm": x + attn(x) + mlp(x + attn(x)),
        "this is what it gives without the MLP": middle,
        "this is what it gives without attention": work,
        "eps is 1e-5: config.layer_norm_epsilon is another number": block(eps=1e-5),
        "the block's input is added at the end, not what attention left": x + mlp(norm("ln_2", middle)),
        "this is what it gives without the causal mask": (
            x + attn(normed, 0.0) + mlp(norm("ln_2", x + attn(normed, 0.0)))
        ),
    }
