"""Step 04 is judged against Hugging Face's GELU and MLP, weights and biases redrawn."""

import math

from autograder import law
from autograder.checking import check, forbids, mistake, variant
from autograder.comparing import agrees, close, equal, fail, fits, load

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
    # The float64 line comes first: there, what differs little differs by more than rounding.
    for x, atol in ((_told(line, "float64"), EXACT), (drawn, ROUNDED), (_told(line.float(), "float32"), ROUNDED)):
        close(student.gelu_new(x), oracle.gelu_new(x), rtol=0, atol=atol)
    far = _far()
    close(student.gelu_new(far), oracle.gelu_new(far), rtol=1e-6, atol=ROUNDED, says="far from 0, it is 0 or x")
    single = _told(torch.tensor(1.5), "one number, without an axis")
    close(student.gelu_new(single), oracle.gelu_new(single), rtol=0, atol=ROUNDED, says="it takes any shape")
    half = _told(drawn.bfloat16(), "batch=2, seq=3, width=5, bfloat16")
    close(student.gelu_new(half), half, rtol=0, atol=math.inf, says="it gives the dtype of x")  # whatever its numbers


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
    far = _far()
    got = student.gelu_new.gradients(far, output_gradient=torch.ones(4))
    _same_gradient(got.inputs[0], torch.tensor([0.0, 0.0, 1.0, 1.0]), "x, which far from 0 is 0 or 1")
    got = student.gelu_new.gradients(_told(torch.zeros(1), "0"), output_gradient=torch.ones(1))
    _same_gradient(got.inputs[0], torch.tensor([0.5]), "x, which at 0 is a half")


@check(
    passed="GPT2MLP has Hugging Face's parameters: c_fc and c_proj, each with a weight and a bias",
    failed="GPT2MLP does not have Hugging Face's parameters: c_fc and c_proj, each with a weight and a bias",
)
def has_its_parameters(student, oracle, draw):
    for values, width in _sizes(draw):
        config = student.earlier("config").GPT2Config(**values)
        mine = student.GPT2MLP(width, config)
        fits(mine, _theirs(oracle, values, width).linear_state_dict())
        for name, value in values.items():
            equal(getattr(config, name), value, says=f"this is config.{name} after GPT2MLP was made: it was changed")


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
            close(mine(x), theirs(x))


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
    mine.eval()
    _same_gradient(mine.gradients(x, output_gradient=back).inputs[0], expected.inputs[0], "hidden_states in evaluation")


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
    close(mine(x[:1]), first[:1], says="a batch of one text gives something else than the text in its batch")
    load(_mlp(student, values, values["n_inner"]), oracle.mlp(values).linear_state_dict())
    if not _same(mine(x), first):
        fail("another GPT2MLP was given other weights, and this one has changed: each makes layers of its own")


@check.undeclared(failed="GPT2MLP does not work in float64")
def works_in_float64(student, oracle, draw):
    values = draw.config()
    theirs = oracle.mlp(values)
    mine = load(_mlp(student, values, values["n_inner"]), theirs.linear_state_dict())
    x = draw.normal(batch=2, seq=5, n_embd=values["n_embd"], label="hidden_states")
    mine.eval()  # what is random in training is another line's
    narrow = mine(x)
    if not agrees(narrow, x, rtol=0, atol=math.inf) or not agrees(mine(x), narrow):
        return  # told by the lines above
    mine.double()
    wide = _told(x.double(), "batch=2, seq=5, float64")
    close(mine(wide), narrow.double(), says="hidden_states and all parameters are float64 here")


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


def _far():
    """Return numbers where the curve has met its limits, and exponentials overflow."""
    import torch

    return _told(torch.tensor([-30.0, -10.0, 10.0, 30.0]), "-30, -10, 10 and 30")


def _same_gradient(mine, theirs, name):
    if mine is None:
        fail(f"no gradient comes to {name}", "is there a detach(), .data or no_grad() on its way?")
    close(mine, theirs, says=f"this is the gradient of {name}")


def _same(mine, first):
    return type(mine) is type(first) and mine.shape == first.shape and bool((mine == first).all())


@law.tokens_apart
@law.rows_apart
@law.inputs_kept
@law.same_twice
def whole_mlp(student, oracle, draw):
    values = draw.config()
    mine = load(_mlp(student, values, values["n_inner"]), oracle.mlp(values).linear_state_dict())
    return law.Subject(mine, lambda draw, batch, seq: (draw.normal(batch=batch, seq=seq, n_embd=values["n_embd"]),))


# ---------------------------------------------------------------------------------------------- mistakes: gelu_new

INNER = "inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)"
BEND = "return 0.5 * x * (1 + torch.tanh(inner))"
mistake(
    "exact-gelu",
    BEND,
    "return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))",
    "gelu_new uses the error function: that is the exact GELU. GPT-2's is the approximation with tanh.",
    again=[(INNER, "share = torch.erf(x / 2**0.5) / 2 + 0.5"), (BEND, "return x * share")],
)
mistake(
    "a-caret-for-a-power",
    "x * x * x",
    "x^3",
    "^ is no power in Python. x cubed is x**3, or x * x * x.",
)
mistake(
    "tanh-of-one-number",
    "torch.tanh",
    "math.tanh",
    "math.tanh takes a single number. torch.tanh takes a tensor.",
)
mistake(
    "exact-gelu-by-other-means",
    BEND,
    "return 0.5 * x * (1 + x.sign() * torch.special.gammainc(torch.full_like(x, 0.5), x * x / 2))",
    "gelu_new gives the exact GELU, the one with the error function. GPT-2's is the approximation with tanh.",
)
mistake(
    "relu",
    BEND,
    "return torch.relu(x)",
    "gelu_new gives ReLU. GELU is smooth: write the formula with tanh.",
    again=[(BEND, "return x.clamp(min=0)")],
)
mistake(
    "silu",
    BEND,
    "return x * torch.sigmoid(x)",
    "gelu_new gives SiLU, x times the sigmoid of x. GPT-2's GELU is the formula with tanh.",
    again=[(BEND, "return nn.functional.silu(x)")],
)
mistake(
    "rough-gelu",
    BEND,
    "return x * torch.sigmoid(1.702 * x)",
    "gelu_new gives x times the sigmoid of 1.702 x, a rougher approximation of GELU. GPT-2's is the one with tanh.",
    again=[(BEND, "return x / (1 + torch.exp(-1.702 * x.clamp(min=-40)))")],
)
mistake(
    "x-squared",
    "0.044715 * x * x * x",
    "0.044715 * x**2",
    "The term inside tanh has x squared. The formula has x cubed there.",
    again=[(INNER, "inner = (2 / math.pi) ** 0.5 * (x + x * x * 0.044715)")],
)
mistake(
    "sum-cubed",
    "(x + 0.044715 * x * x * x)",
    "(x + 0.044715 * x) ** 3",
    "The whole sum inside tanh is cubed. Only the x behind 0.044715 is.",
)
mistake(
    "short-constant",
    "0.044715",
    "0.0447",
    "The constant in front of x cubed is 0.0447. It is 0.044715, in full.",
    again=[(INNER, "inner = (2 / math.pi) ** 0.5 * x * (1 + 0.0447 * x.square())")],
)
mistake(
    "point-in-the-wrong-place",
    "0.044715",
    "0.44715",
    "The constant in front of x cubed is ten times too large. It is 0.044715.",
)
mistake(
    "no-constant",
    "0.044715 * x * x * x",
    "x**3",
    "x cubed has no constant in front. It is multiplied by 0.044715.",
)
mistake(
    "no-cube",
    "(x + 0.044715 * x * x * x)",
    "x",
    "The term with x cubed is missing. tanh gets the root of 2 / pi times the sum of x and 0.044715 x cubed.",
)
mistake(
    "no-root",
    "math.sqrt(2 / math.pi)",
    "2 / math.pi",
    "The factor inside tanh is 2 / pi. The formula has the root of it.",
    again=[(INNER, "inner = (x + 0.044715 * x**3) * 2 / torch.pi")],
)
mistake(
    "root-of-2-alone",
    "math.sqrt(2 / math.pi)",
    "math.sqrt(2) / math.pi",
    "Only the 2 is under the root. The formula has the root of the whole 2 / pi.",
)
mistake(
    "root-of-pi-over-2",
    "math.sqrt(2 / math.pi)",
    "math.sqrt(math.pi / 2)",
    "The factor inside tanh is the root of pi / 2. It is the root of 2 / pi.",
)
mistake(
    "root-is-0-8",
    "math.sqrt(2 / math.pi)",
    "0.8",
    "The factor inside tanh is 0.8. It is the root of 2 / pi, 0.79788…, and rounded it moves the result.",
)
mistake(
    "no-factor",
    "math.sqrt(2 / math.pi) * (",
    "(",
    "tanh gets the sum as it is. The root of 2 / pi is multiplied with it first.",
)
mistake(
    "root-times-x-alone",
    "(x + 0.044715 * x * x * x)",
    "x + 0.044715 * x * x * x",
    "The root of 2 / pi multiplies x alone. It multiplies the whole sum, so the sum needs its brackets.",
)
mistake(
    "no-half",
    "return 0.5 * x",
    "return x",
    "The result is twice what it should be: the factor 0.5 in front is missing.",
)
mistake(
    "no-one",
    "(1 + torch.tanh(inner))",
    "torch.tanh(inner)",
    "The 1 that is added to tanh is missing.",
)
mistake(
    "no-x-in-front",
    "return 0.5 * x",
    "return 0.5",
    "The factor x in front is missing: this is the share alone. GELU is x times it.",
)
mistake(
    "tanh-by-exponentials",
    BEND,
    "grown = torch.exp(2 * inner)\n    return 0.5 * x * (1 + (grown - 1) / (grown + 1))",
    "For a large x the exponential is inf, and inf / inf is nan. torch.tanh gives 1 there.",
    again=[(BEND, "z = (inner + inner).exp()\n    return x / 2 * (1 + (z - 1) / (z + 1))")],
)
mistake(
    "exponential-in-the-divisor",
    BEND,
    "return x / (1 + torch.exp(-2 * inner))",
    "The values are right, but for x far below 0 the exponential is inf and the gradient nan. "
    "torch.tanh and torch.sigmoid stay finite.",
    again=[(BEND, "return x * (1 + (-2 * inner).exp()) ** -1")],
)
mistake(
    "x-changed-in-place",
    INNER,
    "old = x.clone()\n    x += 0.044715 * x**3\n    inner = math.sqrt(2 / math.pi) * x",
    "gelu_new changes the x that it is given: +=, mul_ and their like write into it. Make a new tensor.",
    also=[("return 0.5 * x *", "return 0.5 * old *")],
    again=[
        (INNER, "old = x.clone()\n    inner = math.sqrt(2 / math.pi) * x.add_(x**3, alpha=0.044715)"),
        ("return 0.5 * x *", "return 0.5 * old *"),
    ],
)
mistake(
    "no-gradient-through-gelu",
    INNER,
    "x = x.detach()\n    " + INNER,
    "What gelu_new returns is cut off from x: no_grad, detach, .data, .item() or .tolist() do that. "
    "Compute with the tensor itself.",
    again=[
        (
            BEND,
            (
                "bent = [v / 2 * (1 + math.tanh(t)) for v, t in zip(x.flatten().tolist(), inner.flatten().tolist())]\n"
                "    return torch.tensor(bent, dtype=x.dtype).reshape(x.shape)"
            ),
        )
    ],
)
mistake(
    "tanh-without-gradient",
    BEND,
    "return 0.5 * x * (1 + torch.tanh(inner).detach())",
    "The values are right, but the gradient lacks the part that goes through tanh: it was cut off there.",
    again=[(BEND, "with torch.no_grad():\n        share = (1 + inner.tanh()) / 2\n    return x * share")],
)
mistake(
    "constant-with-an-axis",
    "0.044715 * x",
    "torch.tensor([0.044715]) * x",
    "A constant is a tensor of one axis, so a single number comes back with an axis, and bfloat16 as float32. "
    "Use a plain number.",
)
mistake(
    "gelu-returns-nothing",
    BEND,
    "0.5 * x * (1 + torch.tanh(inner))",
    "gelu_new returns nothing: its last line computes the result, and a return belongs in front.",
    again=[(BEND, "x = x / 2 * (1 + inner.tanh())")],
)

# ----------------------------------------------------------------------------------------------- mistakes: GPT2MLP

WIDE = "self.c_fc = nn.Linear(config.n_embd, intermediate_size)"
NARROW = "self.c_proj = nn.Linear(intermediate_size, config.n_embd)"
FIRST = "hidden_states = gelu_new(self.c_fc(hidden_states))"
LAST = "return self.c_proj(hidden_states)"
mistake(
    "no-super-init",
    "        super().__init__()\n",
    "",
    "__init__ does not begin with super().__init__(): it makes the places in which a module keeps what it is given.",
)
mistake(
    "no-gelu",
    FIRST,
    "hidden_states = self.c_fc(hidden_states)",
    "forward leaves gelu_new out. It belongs between c_fc and c_proj.",
    again=[(FIRST, "hidden_states = self.c_proj(self.c_fc(hidden_states))"), (LAST, "return hidden_states")],
)
mistake(
    "gelu-after-c-proj",
    FIRST,
    "hidden_states = self.c_fc(hidden_states)",
    "gelu_new comes after c_proj. It belongs between c_fc and c_proj.",
    also=[(LAST, "return gelu_new(self.c_proj(hidden_states))")],
)
mistake(
    "gelu-before-c-fc",
    FIRST,
    "hidden_states = self.c_fc(gelu_new(hidden_states))",
    "gelu_new comes before c_fc. It belongs between c_fc and c_proj.",
)
mistake(
    "gelu-after-each-layer",
    LAST,
    "return gelu_new(self.c_proj(hidden_states))",
    "gelu_new acts once more, after c_proj. c_proj's result is returned as it is.",
)
mistake(
    "gelu-twice",
    FIRST,
    "hidden_states = gelu_new(gelu_new(self.c_fc(hidden_states)))",
    "gelu_new acts twice between the two layers. Once is asked for.",
)
mistake(
    "relu-in-forward",
    FIRST,
    "hidden_states = torch.relu(self.c_fc(hidden_states))",
    "forward uses ReLU. Between the two layers stands gelu_new.",
    again=[(FIRST, "hidden_states = self.c_fc(hidden_states).clamp(min=0)")],
)
mistake(
    "torchs-gelu",
    BEND,
    'return nn.functional.gelu(x, approximate="tanh")',
    "gelu_new calls torch's own GELU. In this step the formula is yours: a cube, a tanh, two products.",
    again=[(f"    {INNER}\n    {BEND}", '    bent = nn.functional.gelu\n    return bent(x, approximate="tanh")')],
)
mistake(
    "silu-in-forward",
    FIRST,
    "hidden_states = nn.functional.silu(self.c_fc(hidden_states))",
    "forward uses SiLU. Between the two layers stands gelu_new.",
)
mistake(
    "exact-gelu-in-forward",
    FIRST,
    "hidden_states = nn.functional.gelu(self.c_fc(hidden_states))",
    'forward uses the exact GELU: torch\'s own is that one unless it is given approximate="tanh". '
    "Between the two layers stands gelu_new.",
    again=[(FIRST, "hidden_states = nn.GELU()(self.c_fc(hidden_states))")],
)
mistake(
    "residual-inside",
    FIRST,
    "residual = hidden_states\n        " + FIRST,
    "hidden_states is added to the result. That is the block's work, later: the MLP returns what c_proj gives.",
    also=[(LAST, "return residual + self.c_proj(hidden_states)")],
)
mistake(
    "no-biases",
    WIDE,
    "self.c_fc = nn.Linear(config.n_embd, intermediate_size, bias=False)",
    "Neither layer has a bias. Both need one, which nn.Linear makes unless it is told not to.",
    also=[(NARROW, "self.c_proj = nn.Linear(intermediate_size, config.n_embd, bias=False)")],
)
mistake(
    "no-bias-in-c-fc",
    WIDE,
    "self.c_fc = nn.Linear(config.n_embd, intermediate_size, bias=False)",
    "c_fc has no bias. Both layers need one, which nn.Linear makes unless it is told not to.",
)
mistake(
    "no-bias-in-c-proj",
    NARROW,
    "self.c_proj = nn.Linear(intermediate_size, config.n_embd, bias=False)",
    "c_proj has no bias. Both layers need one, which nn.Linear makes unless it is told not to.",
)
mistake(
    "four-times-n-embd",
    WIDE,
    "self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd)",
    "The layers are 4 * n_embd wide inside. The argument intermediate_size says how wide.",
    also=[(NARROW, "self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd)")],
)
mistake(
    "width-from-the-configuration",
    WIDE,
    "self.c_fc = nn.Linear(config.n_embd, config.n_inner)",
    "The layers are config.n_inner wide inside. The argument intermediate_size says how wide.",
    also=[(NARROW, "self.c_proj = nn.Linear(config.n_inner, config.n_embd)")],
)
mistake(
    "configuration-made-anew",
    WIDE,
    "config = GPT2Config()\n        " + WIDE,
    "The layers have the size of a fresh GPT2Config(). The configuration is the argument config.",
    again=[(WIDE, WIDE.replace("config.n_embd", "768")), (NARROW, NARROW.replace("config.n_embd", "768"))],
)
mistake(
    "weights-turned",
    WIDE,
    "self.c_fc = nn.Linear(intermediate_size, config.n_embd)",
    "The layers' weights are the other way round. c_fc is nn.Linear from config.n_embd to intermediate_size, the size "
    "that goes in first, and c_proj goes back; nn.Linear stores output x input.",
    also=[(NARROW, "self.c_proj = nn.Linear(config.n_embd, intermediate_size)")],
    again=[
        (
            "class GPT2MLP(nn.Module):",
            (
                "class Conv1D(nn.Module):\n"
                "    def __init__(self, n_in: int, n_out: int) -> None:\n"
                "        super().__init__()\n"
                "        self.weight = nn.Parameter(0.02 * torch.randn(n_in, n_out))\n"
                "        self.bias = nn.Parameter(torch.zeros(n_out))\n\n"
                "    def forward(self, x: Tensor) -> Tensor:\n"
                "        return x @ self.weight + self.bias\n\n\n"
                "class GPT2MLP(nn.Module):"
            ),
        ),
        (WIDE, "self.c_fc = Conv1D(config.n_embd, intermediate_size)"),
        (NARROW, "self.c_proj = Conv1D(intermediate_size, config.n_embd)"),
    ],
)
mistake(
    "other-names",
    WIDE,
    "self.fc1 = nn.Linear(config.n_embd, intermediate_size)",
    "The layers have other names. They are self.c_fc and self.c_proj, for the checkpoint has these names.",
    also=[
        (NARROW, "self.fc2 = nn.Linear(intermediate_size, config.n_embd)"),
        (FIRST, "hidden_states = gelu_new(self.fc1(hidden_states))"),
        (LAST, "return self.fc2(hidden_states)"),
    ],
)
mistake(
    "layers-in-a-list",
    WIDE,
    "self.layers = [nn.Linear(config.n_embd, intermediate_size), nn.Linear(intermediate_size, config.n_embd)]",
    "The module has no parameters: what stands in a plain list, or in no attribute, is not found. "
    "Make each layer an attribute, self.c_fc and self.c_proj.",
    also=[
        (NARROW, "self.size = intermediate_size"),
        (FIRST, "hidden_states = gelu_new(self.layers[0](hidden_states))"),
        (LAST, "return self.layers[1](hidden_states)"),
    ],
)
mistake(
    "dropout",
    NARROW,
    NARROW + "\n        self.dropout = nn.Dropout(0.1)",
    "There is dropout at the end. This MLP has none: in training it gives what it gives in evaluation.",
    also=[(LAST, "return self.dropout(self.c_proj(hidden_states))")],
    again=[(LAST, "return nn.functional.dropout(self.c_proj(hidden_states), 0.1, self.training)")],
)
mistake(
    "arguments-in-the-other-order",
    "def __init__(self, intermediate_size: int, config: GPT2Config)",
    "def __init__(self, config: GPT2Config, intermediate_size: int)",
    "__init__ takes its arguments in the other order. intermediate_size comes first, then config.",
)
mistake(
    "gelu-as-a-method",
    FIRST,
    "hidden_states = self.gelu_new(self.c_fc(hidden_states))",
    "gelu_new is called as a method of the class. It is a function of this file: call it without self.",
)
mistake(
    "forward-detaches",
    FIRST,
    "hidden_states = gelu_new(self.c_fc(hidden_states)).detach()",
    "The result is cut off from c_fc: no gradient reaches it. Leave out detach, .data and no_grad.",
    again=[(FIRST, "with torch.no_grad():\n            hidden_states = gelu_new(self.c_fc(hidden_states))")],
)
mistake(
    "no-gradient-in-evaluation",
    FIRST,
    "with torch.set_grad_enabled(self.training):\n            " + FIRST,
    "In evaluation no gradient comes through. .eval() switches dropout and the like, and gradients are left alone.",
)
mistake(
    "batch-axis-squeezed",
    LAST,
    "return self.c_proj(hidden_states).squeeze(0)",
    "A batch of one text loses its axis: squeeze takes away what has length 1. The result has the shape of the input.",
    again=[(FIRST, FIRST + "\n        if len(hidden_states) == 1:\n            hidden_states = hidden_states[0]")],
)
mistake(
    "configuration-changed",
    WIDE,
    "config.n_inner = intermediate_size\n        " + WIDE,
    "The width is written into the configuration, which others read too. Use the argument, and leave config as it is.",
)
mistake(
    "layers-shared",
    "    def __init__",
    "    made: dict = {}\n\n    def __init__",
    "Two MLPs of one size share a layer, so what one learns changes the other. Each makes its own in __init__.",
    also=[(WIDE, WIDE.replace("= nn", "= self.made.setdefault(intermediate_size, nn") + ")")],
)
mistake(
    "result-made-float32",
    LAST,
    "return self.c_proj(hidden_states).float()",
    "The result is always float32. It has the dtype of hidden_states.",
)
mistake(
    "float32-taken-for-granted",
    FIRST,
    "hidden_states = gelu_new(self.c_fc(hidden_states.float()))",
    "hidden_states is made float32, and does not fit to layers of another dtype. It is taken as it is.",
)
mistake(
    "forward-returns-nothing",
    LAST,
    "self.c_proj(hidden_states)",
    "forward returns nothing: its last line computes the result, and a return belongs in front.",
)

# ------------------------------------------------------------------------------------------------ other right ways

variant("powers", INNER, "inner = (2 / torch.pi) ** 0.5 * (x + 0.044715 * x.pow(3))")
variant("sigmoid", BEND, "return x * torch.sigmoid(2 * inner)")
variant("constants-multiplied-out", INNER, "inner = 0.7978845608028654 * x + 0.035677408136300125 * x**3")
variant(
    "rounded-root",
    "math.sqrt(2 / math.pi)",
    "0.79788456",
    also=[(BEND, "return 0.5 * (x + x * inner.tanh())")],
)
variant("root-of-a-tensor", "math.sqrt(2 / math.pi)", "torch.sqrt(torch.tensor(2 / math.pi))")
variant(
    "in-place-on-its-own",
    INNER,
    "inner = x.pow(3).mul_(0.044715).add_(x).mul_(math.sqrt(2 / math.pi)).tanh()",
    also=[(BEND, "return inner.add(1).mul(x).mul(0.5)")],
)
variant(
    "horner",
    INNER,
    "slope = 2 / math.sqrt(2 * math.pi)",
    also=[(BEND, "return x * torch.addcmul(x, x * x, x, value=0.044715).mul(slope).tanh().add(1).div(2)")],
)
variant(
    "helpers",
    BEND,
    "return half(x) * (1 + nn.Tanh()(inner))\n\n\ndef half(x: Tensor) -> Tensor:\n    return x / 2",
)
variant(
    "own-slope",
    INNER,
    "return Bend.apply(x)\n\n\n"
    "class Bend(torch.autograd.Function):\n"
    "    @staticmethod\n"
    "    def forward(ctx, x):\n"
    "        ctx.save_for_backward(x)\n"
    "        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))\n\n"
    "    @staticmethod\n"
    "    def backward(ctx, grad):\n"
    "        (x,) = ctx.saved_tensors\n"
    "        root = math.sqrt(2 / math.pi)\n"
    "        t = torch.tanh(root * (x + 0.044715 * x**3))",
    also=[
        (
            "    " + BEND,
            "        return grad * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * root * (1 + 3 * 0.044715 * x**2))",
        )
    ],
)
variant(
    "torchs-gelu-in-the-class", FIRST, FIRST.replace("gelu_new(", "nn.functional.gelu(")[:-1] + ', approximate="tanh")'
)
variant(
    "activation-as-an-attribute",
    WIDE,
    WIDE + "\n        self.act = gelu_new",
    also=[(FIRST, "hidden_states = self.act(self.c_fc(hidden_states))")],
)
variant(
    "activation-as-a-module",
    "class GPT2MLP(nn.Module):",
    "class Act(nn.Module):\n    def forward(self, x: Tensor) -> Tensor:\n        return gelu_new(x)\n\n\n"
    "class GPT2MLP(nn.Module):",
    also=[
        (WIDE, WIDE + "\n        self.act = Act()"),
        (FIRST, "hidden_states = self.act(self.c_fc(hidden_states))"),
    ],
)
variant(
    "einsum",
    FIRST,
    'hidden_states = torch.einsum("...e,ie->...i", hidden_states, self.c_fc.weight) + self.c_fc.bias\n'
    "        hidden_states = gelu_new(hidden_states)",
    also=[(LAST, 'return torch.einsum("...i,ei->...e", hidden_states, self.c_proj.weight) + self.c_proj.bias')],
)
variant(
    "products",
    FIRST,
    "hidden_states = gelu_new(nn.functional.linear(hidden_states, self.c_fc.weight, self.c_fc.bias))",
    also=[(LAST, "return hidden_states @ self.c_proj.weight.T + self.c_proj.bias")],
)
variant(
    "a-token-at-a-time",
    FIRST,
    "rows = [self.c_proj(gelu_new(self.c_fc(row))) for row in hidden_states.unbind(-2)]",
    also=[(LAST, "return torch.stack(rows, dim=-2)")],
)
variant(
    "flattened",
    FIRST,
    "batch, seq, width = hidden_states.shape\n"
    "        wide = gelu_new(self.c_fc(hidden_states.view(batch * seq, width)))",
    also=[(LAST, "return self.c_proj(wide).view(batch, seq, width)")],
)
variant(
    "layers-made-in-a-loop",
    WIDE,
    'sizes = {"c_proj": (intermediate_size, config.n_embd), "c_fc": (config.n_embd, intermediate_size)}',
    also=[
        (NARROW, "for name, (n_in, n_out) in sizes.items():\n            setattr(self, name, nn.Linear(n_in, n_out))")
    ],
)
variant(
    "fresh-weights-of-its-own",
    NARROW,
    NARROW + "\n        for part in (self.c_fc, self.c_proj):\n"
    "            nn.init.normal_(part.weight, std=0.02)\n            nn.init.zeros_(part.bias)",
)
variant(
    "configuration-kept", WIDE, "self.config = config\n        " + WIDE.replace("config.n_embd", "self.config.n_embd")
)
variant(
    "dropout-of-0",
    NARROW,
    NARROW + "\n        self.dropout = nn.Dropout(0.0)",
    also=[(LAST, "return self.dropout(self.c_proj(hidden_states))")],
)
