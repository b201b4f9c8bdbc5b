"""Step 04 is judged against Hugging Face's GELU and MLP, weights and biases redrawn."""

from autograder.checking import check, close, equal, forbids, load

SCALES = (1.0, 0.01, 4.0)


@check(
    passed="gelu_new gives Hugging Face's output",
    failed="gelu_new does not give Hugging Face's output",
)
def gelu_matches(student, oracle, draw):
    import torch

    # 1e-6: float32 rounding of right code is at most 4.8e-7 on [-6, 6]; 0.0447 for 0.044715 is 8.8e-6 away.
    line = torch.linspace(-6, 6, 2001)
    close(student.gelu_new(line), oracle.gelu_new(line), rtol=0, atol=1e-6)
    x = draw.normal(batch=2, seq=3, width=5, std=2.0)
    close(student.gelu_new(x), oracle.gelu_new(x), rtol=0, atol=1e-6)
    far = torch.tensor([-30.0, -10.0, 10.0, 30.0])
    close(student.gelu_new(far), oracle.gelu_new(far), rtol=1e-6, atol=1e-6)


@check(
    passed="gelu_new lets gradients through, and leaves its input as it was",
    failed="gelu_new does not let the right gradients through, or changes its input",
)
def gelu_is_a_function(student, oracle, draw):
    import torch

    x = draw.normal(batch=2, seq=3, width=5, std=2.0)
    back = draw.normal(batch=2, seq=3, width=5)
    _, (after,) = student.gelu_new.call_keeping(x)
    close(after, x, rtol=0, atol=0, says="this is x after the call: it was changed in place")
    inside = x.double().requires_grad_()
    (oracle.gelu_new(inside) * back.double()).sum().backward()
    got = student.gelu_new.gradients(x, output_gradient=back)
    close(got.inputs[0], inside.grad.to(torch.float32), says="this is the gradient of x")


@check(
    passed="GPT2MLP has Hugging Face's parameters: c_fc and c_proj, each with a weight and a bias",
    failed="GPT2MLP does not have Hugging Face's parameters: c_fc and c_proj, each with a weight and a bias",
)
def has_its_parameters(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        load(_mlp(student, values), oracle.mlp(values).linear_state_dict())


@check(
    passed="GPT2MLP gives Hugging Face's output",
    failed="GPT2MLP does not give Hugging Face's output",
)
def output_matches(student, oracle, draw):
    for _ in range(2):
        values = draw.config()
        theirs = oracle.mlp(values)
        mine = load(_mlp(student, values), theirs.linear_state_dict())
        for scale in SCALES:
            x = draw.normal(batch=2, seq=5, n_embd=values["n_embd"], std=scale, label="hidden_states")
            close(mine(x), theirs(x))


@check(
    passed="GPT2MLP lets gradients through to its input and parameters",
    failed="GPT2MLP does not let the right gradients through to its input and parameters",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    theirs = oracle.mlp(values)
    mine = load(_mlp(student, values), theirs.linear_state_dict())
    x = draw.normal(batch=2, seq=5, n_embd=values["n_embd"], label="hidden_states")
    back = draw.normal(batch=2, seq=5, n_embd=values["n_embd"])
    got, expected = mine.gradients(x, output_gradient=back), theirs.gradients(x, back)
    close(got.inputs[0], expected.inputs[0], says="this is the gradient of hidden_states")
    for name, value in expected.parameters.items():
        right = value.t().contiguous() if name.endswith("weight") else value
        close(got.parameters.get(name), right, says=f"this is the gradient of {name}")


@check(
    passed="GPT2MLP treats each token by itself, in training as in evaluation",
    failed="GPT2MLP does not treat each token by itself, in training as in evaluation",
)
def tokens_are_independent(student, oracle, draw):
    values = draw.config()
    mine = load(_mlp(student, values), oracle.mlp(values).linear_state_dict())
    x = draw.normal(batch=2, seq=5, n_embd=values["n_embd"], label="hidden_states")
    first, (after,) = mine.call_keeping(x)
    close(after, x, rtol=0, atol=0, says="these are the hidden_states after the call: they were changed in place")
    close(mine(x[:, 2:3].contiguous()), first[:, 2:3], says="one token alone gives something else than in its sequence")
    close(mine(x.flip(0)), first.flip(0), says="the batch in another order")
    mine.eval()
    equal(bool((mine(x) == first).all()), True, says="evaluation mode gives something else than training mode")


forbids(
    *(
        "torch.nn.functional.gelu",
        "torch.nn.GELU",
        "torch.erf",
        "torch.special.erf",
        "torch.erfc",
        "torch.special.erfc",
    ),
    *("torch.special.ndtr", "torch.special.log_ndtr", "torch.ops", "torch._refs", "torch._decomp", "torch._C"),
    *("torch.nn.modules.activation.GELU", "torch.distributions.Normal", "math.erf", "torch.nn.TransformerEncoderLayer"),
    within=["gelu_new"],
    operators=["aten.gelu"],
    passed="gelu_new is your own: torch's GELU is not used",
    failed="gelu_new is not your own, or has not run: got {got}",
)


def _mlp(student, values):
    config = student.earlier("config").GPT2Config(**values)
    return student.GPT2MLP(values["n_inner"], config)
