"""Step 08 is judged against Hugging Face's attention, redrawn, with its mask given explicitly."""

from autograder.checking import check, close, load, raises


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
            close(mine(x), theirs(x))
        x = _states(draw, values, 1)
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
    changed = x.clone()
    changed[:, 5:] = draw.normal(*changed[:, 5:].shape)
    close(
        mine(changed)[:, :5],
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
    for mask in (full, per_batch):
        close(mine(x, mask), theirs(x, mask))


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
    back = draw.normal(*x.shape)
    got, expected = mine.gradients(x, output_gradient=back), theirs.gradients(x, back)
    close(got.inputs[0], expected.inputs[0], rtol=1e-3, atol=1e-3, says="this is the gradient of hidden_states")
    for name, value in theirs.linear(expected.parameters).items():
        close(got.parameters.get(name), value, rtol=1e-3, atol=1e-3, says=f"this is the gradient of {name}")


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
    return load(student.GPT2Attention(config), theirs.linear_state_dict()), theirs


def _states(draw, values, seq, **moments):
    return draw.normal(batch=2, seq=seq, n_embd=values["n_embd"], label="hidden_states", **moments)
