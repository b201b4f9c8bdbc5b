"""Step 04 is judged against Hugging Face's GELU and MLP, weights and biases redrawn."""

import math

from autograder.checking import check, forbids
from autograder.comparing import close, fail, load

ROOT = math.sqrt(2 / math.pi)
# On [-6, 6], in float64: right code is at most 7e-9 away (constants kept as float32 tensors), 0.04472 for 0.044715 is
# 2.9e-6 away, 0.0447 8.7e-6. In float32 rounding alone is 4.8e-7, so there a mistake that small cannot be seen.
EXACT, ROUNDED = 1e-6, 5e-6
# On the MLP's output, in 100 draws, right code is at most 6.7e-6 away, which is 0.025 of the tolerance; the exact GELU,
# the smallest mistake, is in each of them somewhere 4.2 times the tolerance away. Gradients: 2.9e-6 and 2.8e-3.
SCALES = (1.0, 0.01, 4.0)


@check(
    passed="gelu_new gives Hugging Face's output",
    failed="gelu_new does not give Hugging Face's output",
)
def gelu_matches(student, oracle, draw):
    import torch

    line = torch.linspace(-6, 6, 2001, dtype=torch.float64)
    drawn = draw.normal(batch=2, seq=3, width=5, std=2.0)
    for x, atol in ((drawn, ROUNDED), (_told(line.float(), "float32"), ROUNDED), (_told(line, "float64"), EXACT)):
        close(student.gelu_new(x), oracle.gelu_new(x), rtol=0, atol=atol, known=_other_gelus(x))
    far = _told(torch.tensor([-30.0, -10.0, 10.0, 30.0]), "-30, -10, 10 and 30")
    close(student.gelu_new(far), oracle.gelu_new(far), rtol=1e-6, atol=ROUNDED, says="far from 0, it is 0 or x")


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
    _same_gradient(got.inputs[0], inside.grad.to(torch.float32), "x")


@check(
    passed="GPT2MLP has Hugging Face's parameters: c_fc and c_proj, each with a weight and a bias",
    failed="GPT2MLP does not have Hugging Face's parameters: c_fc and c_proj, each with a weight and a bias",
)
def has_its_parameters(student, oracle, draw):
    for values, width in _sizes(draw):
        mine = _mlp(student, values, width)
        got = getattr(mine.state_dict().get("c_fc.weight"), "shape", (0,))[0]
        for name, size in (("4 * n_embd", 4 * values["n_embd"]), ("config.n_inner", values["n_inner"])):
            if got == size != width:
                fail(
                    f"c_fc is {name} wide: intermediate_size is the width that is asked for",
                    expected=f"intermediate_size = {width}",
                    got=f"{name} = {size}",
                )
        load(mine, _theirs(oracle, values, width).linear_state_dict())


@check(
    passed="GPT2MLP gives Hugging Face's output",
    failed="GPT2MLP does not give Hugging Face's output",
)
def output_matches(student, oracle, draw):
    for values, width in _sizes(draw):
        theirs = _theirs(oracle, values, width)
        mine = load(_mlp(student, values, width), theirs.linear_state_dict())
        for scale in SCALES:
            x = draw.normal(batch=2, seq=5, n_embd=values["n_embd"], std=scale, label="hidden_states")
            known = _other_mlps(x, theirs.linear_state_dict(), oracle) if scale != 0.01 else None
            close(mine(x), theirs(x), known=known)


@check(
    passed="GPT2MLP lets gradients through to its input and parameters",
    failed="GPT2MLP does not let the right gradients through to its input and parameters",
)
def gradients_match(student, oracle, draw):
    values = draw.config()
    theirs = oracle.mlp(values)
    mine = load(_mlp(student, values, values["n_inner"]), theirs.linear_state_dict())
    x = draw.normal(batch=2, seq=5, n_embd=values["n_embd"], label="hidden_states")
    back = draw.normal(batch=2, seq=5, n_embd=values["n_embd"])
    got, expected = mine.gradients(x, output_gradient=back), theirs.gradients(x, back)
    for name, value in expected.parameters.items():
        right = value.t().contiguous() if name.endswith("weight") else value
        _same_gradient(got.parameters.get(name), right, name)
    _same_gradient(got.inputs[0], expected.inputs[0], "hidden_states")


@check(
    passed="GPT2MLP treats each token by itself, in training as in evaluation",
    failed="GPT2MLP does not treat each token by itself, in training as in evaluation",
)
def tokens_are_independent(student, oracle, draw):
    values = draw.config()
    mine = load(_mlp(student, values, values["n_inner"]), oracle.mlp(values).linear_state_dict())
    x = draw.normal(batch=2, seq=5, n_embd=values["n_embd"], label="hidden_states")
    first, (after,) = mine.call_keeping(x)
    close(after, x, rtol=0, atol=0, says="these are the hidden_states after the call: they were changed in place")
    # Of the right type and shape, whatever its numbers: those are another line's.
    close(first, x, rtol=0, atol=math.inf)
    if not _same(mine(x), first):
        fail("two identical calls differ: is there dropout? This MLP has none")
    mine.eval()
    if not _same(mine(x), first):
        fail("evaluation mode gives something else than training mode")
    close(mine(x[:, 2:3].contiguous()), first[:, 2:3], says="one token alone gives something else than in its sequence")
    close(mine(x.flip(0)), first.flip(0), says="the batch in another order gives something else")


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


def _told(x, axes):
    """Return it with the words that a call of it is told in."""
    x.label, x.axes = "x", f"2001 numbers from -6 to 6, {axes}" if x.numel() == 2001 else axes
    return x


def _sizes(draw):
    """Return two configurations, each with the width to make: what the configuration says, and another."""
    first, second = draw.config(), draw.config()
    return (first, first["n_inner"]), (second, second["n_inner"] + draw.integer(1, 7))


def _mlp(student, values, width):
    return student.GPT2MLP(width, student.earlier("config").GPT2Config(**values))


def _theirs(oracle, values, width):
    return oracle.mlp({**values, "n_inner": width})


def _other_gelus(x):
    """Return what people write in place of it, by the sentence that says so."""
    import torch
    from torch.nn import functional

    inner = ROOT * (x + 0.044715 * x**3)
    return {
        "this is the exact GELU, with the error function: GPT-2's is the one with tanh": functional.gelu(x),
        "this is ReLU": functional.relu(x),
        "this is SiLU, x * sigmoid(x)": functional.silu(x),
        "this is x * sigmoid(1.702 * x), a rougher approximation": x * torch.sigmoid(1.702 * x),
        "this is what x squared gives in place of x cubed": _gelu(x, ROOT * (x + 0.044715 * x**2)),
        "this is what 0.0447 gives in place of 0.044715": _gelu(x, ROOT * (x + 0.0447 * x**3)),
        "this is what 0.8 gives in place of the root of 2 / pi": _gelu(x, 0.8 * (x + 0.044715 * x**3)),
        "this is what 2 / pi gives without its root": _gelu(x, 2 / math.pi * (x + 0.044715 * x**3)),
        "this is what it gives without the root of 2 / pi": _gelu(x, x + 0.044715 * x**3),
        "this is what it gives without the term with x cubed": _gelu(x, ROOT * x),
        "this is what x gives without + 0.044715 in front of x cubed": _gelu(x, ROOT * (x + x**3)),
        "this is twice of what is asked for: the 0.5 is missing": x * (1 + torch.tanh(inner)),
        "this is without the 1 that is added to tanh": 0.5 * x * torch.tanh(inner),
        "this is without the factor x in front": 0.5 * (1 + torch.tanh(inner)),
    }


def _gelu(x, inner):
    return 0.5 * x * (1 + inner.tanh())


def _other_mlps(x, state, oracle):
    """Return what people's MLPs give with these weights, by the sentence that says so."""
    from torch.nn import functional

    def through(name, value):
        return functional.linear(value, state[f"{name}.weight"], state[f"{name}.bias"])

    def without_bias(name, value):
        return functional.linear(value, state[f"{name}.weight"])

    wide = through("c_fc", x)
    bent = oracle.gelu_new(wide)
    right = through("c_proj", bent)
    return {
        "this is what it gives without gelu_new": through("c_proj", wide),
        "this is what it gives with gelu_new after c_proj": oracle.gelu_new(through("c_proj", wide)),
        "this is what it gives with a second gelu_new after c_proj": oracle.gelu_new(right),
        "this is what it gives with gelu_new twice": through("c_proj", oracle.gelu_new(bent)),
        "this is what it gives with hidden_states added: the block will do that": right + x,
        "this is what it gives with ReLU": through("c_proj", functional.relu(wide)),
        "this is what it gives with SiLU": through("c_proj", functional.silu(wide)),
        "this is what it gives with the exact GELU": through("c_proj", functional.gelu(wide)),
        "this is what it gives without the bias of c_fc": through("c_proj", oracle.gelu_new(without_bias("c_fc", x))),
        "this is what it gives without the bias of c_proj": without_bias("c_proj", bent),
    }


def _same_gradient(mine, theirs, name):
    if mine is None:
        fail(f"no gradient comes to {name}", "is there a detach(), .data or no_grad() on its way?")
    close(mine, theirs, says=f"this is the gradient of {name}")


def _same(mine, first):
    return type(mine) is type(first) and mine.shape == first.shape and bool((mine == first).all())
