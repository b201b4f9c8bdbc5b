"""Step 09 is judged against Hugging Face's block, redrawn."""

from autograder.checking import check, close, load


@check(
    passed="GPT2Block has Hugging Face's parameters, under ln_1, attn, ln_2 and mlp",
    failed="GPT2Block does not have Hugging Face's parameters, under ln_1, attn, ln_2 and mlp",
)
def has_its_parameters(student, oracle, draw):
    for _ in range(2):
        _pair(student, oracle, draw.config())


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
            close(mine(x), theirs(x), rtol=1e-4, atol=2e-4)


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
    mine = load(student.GPT2Block(config), silent)
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
    close(mine(x, mask), theirs(x, mask), rtol=1e-4, atol=2e-4)


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
    back = draw.normal(*x.shape)
    got, expected = mine.gradients(x, output_gradient=back), theirs.gradients(x, back)
    close(got.inputs[0], expected.inputs[0], rtol=1e-3, atol=1e-3, says="this is the gradient of hidden_states")
    for name, value in theirs.linear(expected.parameters).items():
        close(got.parameters.get(name), value, rtol=1e-3, atol=1e-3, says=f"this is the gradient of {name}")


@check(
    passed="GPT2Block gives the same in training and in evaluation, and in any order of the batch",
    failed="GPT2Block does not give the same in training and in evaluation, or in any order of the batch",
)
def is_a_function(student, oracle, draw):
    values = draw.config()
    mine, _ = _pair(student, oracle, values)
    x = _states(draw, values, 6)
    first = mine(x)
    close(mine(x.flip(0)), first.flip(0), rtol=1e-5, atol=1e-5, says="the batch in another order")
    mine.eval()
    close(mine(x), first, rtol=0, atol=0, says="evaluation mode gives something else than training mode")


def _pair(student, oracle, values):
    config = student.earlier("config").GPT2Config(**values)
    theirs = oracle.block(values)
    return load(student.GPT2Block(config), theirs.linear_state_dict()), theirs


def _states(draw, values, seq, **moments):
    return draw.normal(batch=2, seq=seq, n_embd=values["n_embd"], label="hidden_states", **moments)
