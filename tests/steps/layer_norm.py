"""Step 03 is judged against torch's own layer norm, gain and bias redrawn."""

import math
from textwrap import indent

from autograder import law
from autograder.checking import check, forbids, mistake, variant
from autograder.comparing import agrees, close, fail, fits, load, make, not_yet
from autograder.student import Missing

# All is compared with rtol = atol = 1e-4. Measured over 200 seeds, as shares of that tolerance: 57 right variants come
# to 0.05 at most (1.5e-6 on an output, 7e-6 with the variance as E[x²] - E[x]², 1.1e-5 on a gradient). Of 90 mistakes,
# each in the check that catches it, a rounding to float16 on the way comes to 3.2, to bfloat16 to 67, the unbiased
# variance to 270 (2e-2 at dim 24), a detached mean to 1,000, and what is wrong with eps to 2,400 and more.
FIRST = {"batch": 2, "seq": 5, "dim": 13}  # the first input of each check: then one mistake gives one text
FAMILIES = ((0.0, 1.0), (5.0, 3.0), (-10.0, 50.0))  # mean and standard deviation of the inputs
EPS = 1e-6  # far below the variance of a row: what is wrong with eps shows where eps is judged, and only there


@check(
    passed="LayerNorm has a weight of ones and a bias of zeros, both learned",
    failed="LayerNorm does not have a weight of ones and a bias of zeros, both learned",
)
def has_its_parameters(student):
    import torch

    ones, zeros = torch.ones(FIRST["dim"]), torch.zeros(FIRST["dim"])
    mine = make(student, "LayerNorm", FIRST["dim"])
    _refuse_nothing(mine)
    fits(mine, {"weight": ones, "bias": zeros})
    for name, value in (("weight", ones), ("bias", zeros)):
        own = getattr(mine, name)
        close(own, value, rtol=0, atol=0, says=f"this is the {name} of a new LayerNorm")
        if not own.requires_grad:
            fail(f"the {name} keeps no gradient, so it is not learned: an nn.Parameter does, unless told otherwise")


@check(
    passed="LayerNorm gives torch's output",
    failed="LayerNorm does not give torch's output",
)
def output_matches(student, oracle, draw):
    mine, theirs, x = _first(student, oracle, draw)
    close(mine(x), theirs(x))
    dim = draw.integer(12, 24)
    batch, seq, more = draw.distinct(3, 2, 9)
    theirs = oracle.layer_norm(dim, EPS)
    mine = _loaded(student, theirs, dim, EPS)
    for mean, std in FAMILIES:
        for axes in (
            {"batch": batch, "seq": seq},
            {"batch": batch},
            {"more": more, "batch": batch, "seq": seq},
            {"batch": 1, "seq": seq},
            {"batch": batch, "seq": 1},
            {},
        ):
            x = draw.normal(**axes, dim=dim, mean=mean, std=std)
            close(mine(x), theirs(x))
    square = draw.normal(batch=dim, seq=dim, dim=dim)  # for code that is wrong, and silent, only where sizes agree
    close(mine(square), theirs(square))
    close(mine.forward(square), theirs(square))


@check(
    passed="LayerNorm uses the eps that it was made with",
    failed="LayerNorm does not use the eps that it was made with",
)
def uses_its_eps(student, oracle, draw):
    _after_the_output(student, oracle, draw)
    dim = draw.integer(12, 24)
    batch, seq = draw.distinct(2, 3, 9)
    # First where no eps, one outside the root and one that is always 1e-5 give three results that are far apart.
    for eps, variance in ((5e-4, 1e-5), (1.0, 1.0), (1e-2, 1e-2), (1e-5, 1e-5)):
        theirs = oracle.layer_norm(dim, eps)
        x = draw.normal(batch=batch, seq=seq, dim=dim, std=variance**0.5)
        says = "the variance of these rows is not far above eps, so eps decides: it is added to it, under the root"
        close(_loaded(student, theirs, dim, eps)(x), theirs(x), says=says)
    theirs = oracle.layer_norm(dim, 1e-5)
    x = draw.normal(batch=batch, seq=seq, dim=dim, std=1e-5**0.5)
    mine = load(make(student, "LayerNorm", dim), theirs.state_dict())
    close(mine(x), theirs(x), says="with no eps given, it is 1e-5")
    theirs = oracle.layer_norm(dim, 1e-2)  # far above rounding
    x = draw.normal(batch=batch, seq=seq, dim=dim)
    x[0, 0] = 4.0
    says = "all numbers of row [0, 0] are 4: its variance is 0, and only the bias remains"
    close(_loaded(student, theirs, dim, 1e-2)(x), theirs(x), says=says)


@check(
    passed="LayerNorm leaves its input as it was, and gives the same twice",
    failed="LayerNorm does not leave its input as it was, or does not give the same twice",
)
def is_a_function(student, oracle, draw):
    _after_the_output(student, oracle, draw)
    dim = draw.integer(12, 24)
    batch, seq = draw.distinct(2, 3, 9)
    theirs = oracle.layer_norm(dim, EPS)
    mine = _loaded(student, theirs, dim, EPS)
    x = draw.normal(batch=batch, seq=seq, dim=dim, mean=1.0, std=2.0)
    first, (after,) = mine.call_keeping(x)
    close(after, x, rtol=0, atol=0, says="this is x after the call: it was changed in place")
    close(first, theirs(x))
    close(mine(x), first, rtol=0, atol=0, says="the same call a second time: is something random, or remembered?")
    mine.eval()
    in_use, (after,) = mine.call_keeping(x)
    close(in_use, theirs(x), says="after .eval(): this norm does the same in training and in use")
    close(after, x, rtol=0, atol=0, says="this is x after a call in evaluation: it was changed in place")
    turned = _like(x, x[list(reversed(range(batch)))].contiguous())
    close(mine(turned), theirs(turned), says="the same rows in another order")
    _loaded(student, oracle.layer_norm(dim, EPS), dim, EPS)
    says = "another LayerNorm was given other weights, and this one has changed: each has its own"
    close(mine(x), theirs(x), says=says)


@check(
    passed="LayerNorm lets gradients through to its input, weight and bias",
    failed="LayerNorm does not let the right gradients through to its input, weight and bias",
)
def gradients_match(student, oracle, draw):
    _after_the_output(student, oracle, draw)
    dim = draw.integer(12, 24)
    batch, seq = draw.distinct(2, 3, 9)
    theirs = oracle.layer_norm(dim, EPS)
    mine = _loaded(student, theirs, dim, EPS)
    for mean, mode in ((0.0, ""), (5.0, " in evaluation")):
        x = draw.normal(batch=batch, seq=seq, dim=dim, mean=mean, std=4.0)
        if mode:
            mine.eval()
        back = draw.normal(batch=batch, seq=seq, dim=dim)
        got, expected = mine.gradients(x, output_gradient=back), theirs.gradients(x, back)
        close(got.output, expected.output, says="this is the output")
        for name, mine_has, theirs_has in (
            ("x", got.inputs[0], expected.inputs[0]),
            ("weight", got.parameters.get("weight"), expected.parameters["weight"]),
            ("bias", got.parameters.get("bias"), expected.parameters["bias"]),
        ):
            if mine_has is None:
                also = "" if name == "x" else ", and a tensor that is no nn.Parameter gets none"
                fail(f"no gradient reaches {name}{mode}: no_grad, detach() and .data cut it off{also}")
            says = f"this is the gradient of {name}{mode}: what is detached, or under no_grad, adds nothing to it"
            close(mine_has, theirs_has, says=says)


@check.undeclared(failed="LayerNorm does not work in float64")
def works_in_float64(student, oracle, draw):
    _after_the_output(student, oracle, draw)
    dim, batch = draw.integer(12, 24), draw.integer(3, 9)
    theirs = oracle.layer_norm(dim, EPS)
    mine = _loaded(student, theirs, dim, EPS)
    mine.double()
    x = draw.normal(batch=batch, dim=dim)
    wide = _like(x, x.double())
    close(mine(wide), theirs(wide), says="x and both parameters are float64 here")


@check.undeclared(failed="LayerNorm does not give the dtype of its input")
def keeps_the_dtype(student, oracle, draw):
    _after_the_output(student, oracle, draw)
    mine, _, x = _first(student, oracle, draw)
    mine.bfloat16()
    narrow = _like(x, x.bfloat16())
    # Of the type and shape, whatever its numbers: how much is rounded on the way is not judged.
    close(mine(narrow), narrow, rtol=0, atol=math.inf, says="x and both parameters are bfloat16 here")


@law.tokens_apart
@law.rows_apart
@law.unmoved_by_a_shift
@law.inputs_kept
@law.same_twice
def layer_norm(student, oracle, draw):  # noqa: ARG001
    mine = _loaded(student, oracle.layer_norm(FIRST["dim"], EPS), FIRST["dim"], EPS)
    return law.Subject(mine, lambda draw, batch, seq: (draw.normal(batch=batch, seq=seq, dim=FIRST["dim"]),))


_MODULES = ("LayerNorm", "GroupNorm", "RMSNorm", "SyncBatchNorm")
_BY_AXES = ("BatchNorm", "InstanceNorm", "LazyBatchNorm", "LazyInstanceNorm")
_FUNCTIONS = ("layer_norm", "group_norm", "rms_norm", "batch_norm", "instance_norm")
_OPERATORS = (
    *("layer_norm", "native_layer_norm", "group_norm", "native_group_norm", "rms_norm", "_fused_rms_norm"),
    *("batch_norm", "native_batch_norm", "_batch_norm_impl_index", "_batch_norm_with_update", "instance_norm"),
    *("_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
)
forbids(
    *(f"torch.nn.{name}" for name in _MODULES),
    *(f"torch.nn.{name}{axes}d" for name in _BY_AXES for axes in (1, 2, 3)),
    *(f"torch.nn.functional.{name}" for name in _FUNCTIONS),
    *(f"torch.{name}" for name in _OPERATORS),
    *("torch.nn.modules.normalization", "torch.nn.modules.batchnorm", "torch.nn.modules.instancenorm"),
    *("torch.nn.quantized", "torch.ao.nn", "torch._refs", "torch._decomp", "torch._C", "torch._VF"),
    within=["LayerNorm"],
    operators=[f"aten.{name}" for name in _OPERATORS],
    passed="LayerNorm is your own: none of torch's norms is used",
    failed="LayerNorm is not your own, or has not run: got {got}",
)


def _refuse_nothing(mine):
    """Fail where neither is there: a plain tensor would be, and in no state dict either."""
    if not any(_has(mine, name) for name in ("weight", "bias")) and not mine.state_dict():
        fail(
            "there is neither weight nor bias: each is made, and kept on self",
            expected="a state dict of both",
            got="an empty one",
        )


def _has(mine, name):
    try:
        getattr(mine, name)
    except Missing:
        return False
    return True


def _first(student, oracle, draw):
    """Return a learner's module and the oracle's, with the same weights, and an ordinary input."""
    theirs = oracle.layer_norm(FIRST["dim"], EPS)
    return _loaded(student, theirs, FIRST["dim"], EPS), theirs, draw.normal(**FIRST)


def _after_the_output(student, oracle, draw):
    """Fail while the output is wrong on an ordinary input: then it is too early to speak of anything finer."""
    mine, theirs, x = _first(student, oracle, draw)
    if not agrees(mine(x), theirs(x)):
        not_yet("this is judged once the output is right")


def _loaded(student, theirs, dim, eps):
    mine = make(student, "LayerNorm", dim, eps=eps)
    return load(mine, theirs.state_dict(), told=lambda: _refuse_nothing(mine))


def _like(x, made):
    """Return a tensor made of a drawn one, with its label and the names of its axes."""
    made.label, made.axes, made.axes_names = x.label, x.axes, x.axes_names
    return made


_HEAD = """\
import torch
import torch.nn.functional as F
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
"""


def _forward(body):
    """Return a file whose `forward` has another body."""
    return _HEAD + indent(body, " " * 8)


_WEIGHT = "self.weight = nn.Parameter(torch.ones(dim))"
_BIAS = "self.bias = nn.Parameter(torch.zeros(dim))"
_MEAN = "mean = x.mean(dim=-1, keepdim=True)"
_VARIANCE = "variance = centred.square().mean(dim=-1, keepdim=True)"
_BY_ROOT = "centred / torch.sqrt(variance + self.eps)"
_SCALED = "return self.weight * normalised + self.bias"

mistake(
    "unbiased-variance",
    _VARIANCE,
    "variance = x.var(dim=-1, keepdim=True)",
    "The variance divides by n - 1, as torch's var does unless it is told otherwise. Layer norm's divides by n.",
    again=_forward(
        "c = x - x.mean(-1, keepdim=True)\nreturn self.weight * c / (x.std(-1, keepdim=True) + self.eps) + self.bias\n"
    ),
)
mistake(
    "variance-not-divided",
    _VARIANCE,
    "variance = centred.square().sum(dim=-1, keepdim=True)",
    "The squares are added up and not divided by how many there are. The variance is their mean.",
)
mistake("no-mean", "centred = x - mean", "centred = x", "The mean is not subtracted.")
mistake(
    "mean-in-the-variance-alone",
    _BY_ROOT,
    "x / torch.sqrt(variance + self.eps)",
    "The mean is subtracted for the variance alone. What is divided is x less its mean.",
)
mistake(
    "divided-by-the-variance",
    "torch.sqrt(variance + self.eps)",
    "(variance + self.eps)",
    "The result is divided by the variance. It is divided by the variance's square root.",
)
mistake(
    "no-super-init",
    "        super().__init__()\n",
    "",
    "__init__ does not begin with super().__init__(): it makes the places in which a module keeps what it is given.",
)
mistake(
    "neither-weight-nor-bias",
    "return self.weight * normalised + self.bias",
    "return normalised",
    "Neither weight nor bias is used. What is normalised is multiplied by the one, and the other is added.",
)
mistake(
    "multiplied-by-the-root",
    "centred / torch.sqrt(variance + self.eps)",
    "centred * torch.sqrt(variance + self.eps)",
    "The result is multiplied by the root of the variance. It is divided by it.",
)
mistake(
    "mean-of-the-squares",
    "variance = centred.square()",
    "variance = x.square()",
    "The variance is the mean of x squared. It is the mean of the squares of what is left when the mean is taken off.",
)
mistake(
    "no-eps",
    "torch.sqrt(variance + self.eps)",
    "torch.sqrt(variance)",
    "eps is not under the root. It is added to the variance, and the root is taken of both.",
    again=[("torch.sqrt(variance + self.eps)", "torch.sqrt(variance) + self.eps")],
)
mistake(
    "eps-outside-the-root",
    "torch.sqrt(variance + self.eps)",
    "(torch.sqrt(variance) + self.eps)",
    "eps is added to the root. It is added to the variance, under the root.",
    again=_forward(
        "std, mean = torch.std_mean(x, -1, correction=0, keepdim=True)\n"
        "return self.weight * ((x - mean) / (std + self.eps)) + self.bias\n"
    ),
)
mistake(
    "eps-as-a-floor",
    "torch.sqrt(variance + self.eps)",
    "torch.sqrt(variance.clamp(min=self.eps))",
    "eps is a floor under the variance. It is added to each variance, large or small.",
)
mistake(
    "row-of-equal-numbers-handed-on",
    "normalised = centred / torch.sqrt(variance + self.eps)",
    "normalised = torch.where(variance == 0, x, centred / torch.sqrt(variance + self.eps))",
    "A row of equal numbers is handed on as it is. With eps under the root it needs no case of its own: it gives 0.",
)
mistake(
    "eps-hard-coded",
    "+ self.eps",
    "+ 1e-5",
    "The eps that the norm was made with is not used: it is 0.00001 always. __init__ keeps it in self.eps.",
)
mistake(
    "over-the-tokens",
    "x.mean(dim=-1",
    "x.mean(dim=1",
    "Mean and variance run over the tokens of a text. They run over the features of one token, the last axis.",
    also=[("square().mean(dim=-1", "square().mean(dim=1")],
)
mistake(
    "over-the-batch",
    "x.mean(dim=-1",
    "x.mean(dim=0",
    "Mean and variance run over the batch. They run over the features of one token, the last axis.",
    also=[("square().mean(dim=-1", "square().mean(dim=0")],
)
mistake(
    "over-everything",
    "x.mean(dim=-1, keepdim=True)",
    "x.mean()",
    "All numbers of x share one mean and one variance. Each token has its own, over the last axis.",
    also=[("square().mean(dim=-1, keepdim=True)", "square().mean()")],
)
mistake(
    "over-the-last-two-axes",
    "x.mean(dim=-1",
    "x.mean(dim=(-2, -1)",
    "The tokens of a text share one mean and one variance. Each token has its own, over the last axis.",
    also=[("square().mean(dim=-1", "square().mean(dim=(-2, -1)")],
)
mistake(
    "last-axis-not-kept",
    _MEAN,
    "mean = x.mean(dim=-1)",
    "Mean or variance has lost its last axis, so it does not line up with x. keepdim keeps it, with length 1.",
    also=[("square().mean(dim=-1, keepdim=True)", "square().mean(dim=-1)")],
)
mistake("no-weight", "self.weight * normalised", "normalised", "The weight is not used. It multiplies each feature.")
mistake("no-bias", " + self.bias", "", "The bias is not added.")
mistake(
    "bias-before-the-weight",
    "self.weight * normalised + self.bias",
    "self.weight * (normalised + self.bias)",
    "The bias is added first, and the weight multiplies it too. The weight comes first, the bias after it.",
)
mistake(
    "weight-and-bias-exchanged",
    "self.weight * normalised + self.bias",
    "self.bias * normalised + self.weight",
    "Weight and bias have changed places: the weight multiplies, and the bias is added.",
)
mistake(
    "one-added-to-the-weight",
    "self.weight * normalised",
    "(1 + self.weight) * normalised",
    "One is added to the weight. This norm multiplies by the weight as it is.",
)
mistake(
    "weight-of-zeros",
    "torch.ones(dim)",
    "torch.zeros(dim)",
    "A new norm's weight is zeros, so its result is zeros too. It begins with ones, which change nothing.",
)
mistake(
    "bias-of-ones",
    "torch.zeros(dim)",
    "torch.ones(dim)",
    "A new norm's bias is ones. It begins with zeros, which change nothing.",
)
mistake(
    "plain-tensors",
    _WEIGHT,
    "self.weight = torch.ones(dim)",
    "Weight and bias are no part of the module: a plain tensor is neither trained nor saved. An nn.Parameter is both.",
    also=[(_BIAS, "self.bias = torch.zeros(dim)")],
)
mistake(
    "buffers",
    _WEIGHT,
    'self.register_buffer("weight", torch.ones(dim))',
    "Weight and bias are saved and not trained: a buffer has no gradient. An nn.Parameter has.",
    also=[(_BIAS, 'self.register_buffer("bias", torch.zeros(dim))')],
)
mistake(
    "gamma-and-beta",
    _WEIGHT,
    "self.gamma = nn.Parameter(torch.ones(dim))",
    "The two parameters are called gamma and beta. The checkpoint calls them weight and bias.",
    also=[
        (_BIAS, "self.beta = nn.Parameter(torch.zeros(dim))"),
        (_SCALED, "return self.gamma * normalised + self.beta"),
    ],
    again=_forward(
        "c = x - x.mean(-1, keepdim=True)\n"
        "return self.gamma * c * (c.square().mean(-1, keepdim=True) + self.eps).rsqrt() + self.beta\n"
    )
    .replace("self.weight", "self.gamma")
    .replace("self.bias", "self.beta"),
)
mistake(
    "parameters-with-more-axes",
    "torch.ones(dim)",
    "torch.ones(1, 1, dim)",
    "Weight and bias have axes for batch and tokens. Broadcasting adds those, and the checkpoint's have one axis.",
    also=[("torch.zeros(dim)", "torch.zeros(1, 1, dim)")],
)
mistake(
    "parameters-by-data",
    _SCALED,
    "return self.weight.data * normalised + self.bias.data",
    "Weight and bias are used without their gradients, so they would never be trained. They are used as they are.",
)
mistake(
    "statistics-without-gradient",
    "centred = x - mean",
    "centred = x - mean.detach()",
    "Mean and variance are taken for constants: they depend on x, and their gradients belong to its gradient.",
    also=[(_BY_ROOT, "centred / torch.sqrt(variance.detach() + self.eps)")],
    again=_forward(
        "with torch.no_grad():\n"
        "    variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)\n"
        "return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias\n"
    ),
)
mistake(
    "variance-detached",
    _BY_ROOT,
    "centred / torch.sqrt(variance.detach() + self.eps)",
    "The variance is taken for a constant: it depends on x, and its gradient belongs to that of x.",
)
mistake(
    "nothing-differentiated",
    "        " + _MEAN,
    "        x = x.detach()\n        " + _MEAN,
    "x is cut off from its gradient before it is used. No detach, no .data and no numpy belong here.",
)
mistake(
    "x-changed-in-place",
    "centred = x - mean",
    "centred = x.sub_(mean)",
    "x itself is changed: -= and the methods that end in _ work in place. Make a new tensor.",
    again=_forward(
        "mean = x.mean(-1, keepdim=True)\n"
        "x -= mean\n"
        "return self.weight * x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) + self.bias\n"
    ),
)
mistake(
    "three-axes-taken-for-granted",
    "        " + _MEAN,
    "        batch, seq, dim = x.shape\n        " + _MEAN,
    "x is taken for a tensor of three axes. It can have any number of them, as long as the last one is dim.",
    again=_forward(
        "b, t, d = x.shape\n"
        "c = x - x.mean(2, keepdim=True)\n"
        "return self.weight * c / (c.square().mean(2, keepdim=True) + self.eps).sqrt() + self.bias\n"
    ),
)
mistake(
    "one-row-refused",
    "        " + _MEAN,
    "        batch, *more, dim = x.shape\n        " + _MEAN,
    "A single row, with no axis before its features, is not taken. x can have any number of axes that ends in dim.",
    again=_forward(
        "b, *other, d = x.shape\n"
        "c = x - x.mean(-1, keepdim=True)\n"
        "return self.weight * c / (c.square().mean(-1, keepdim=True) + self.eps).sqrt() + self.bias\n"
    ),
)
mistake(
    "float32-given-back",
    "        " + _MEAN,
    "        x = x.float()\n        " + _MEAN,
    "x is made float32 and stays so: its dtype is lost on narrower inputs. What is computed in float32 is turned back.",
    again=_forward(
        "c = x.to(torch.float32)\n"
        "c = c - c.mean(-1, keepdim=True)\n"
        "return c / (c.square().mean(-1, keepdim=True) + self.eps).sqrt() * self.weight + self.bias\n"
    ),
)
mistake(
    "weights-shared",
    "    def __init__(self",
    "    made: dict = {}\n\n    def __init__(self",
    "Two norms of one size share a weight or a bias, so what one learns changes the other. Each makes its own.",
    also=[
        (_WEIGHT, "self.weight = self.made.setdefault(dim, nn.Parameter(torch.ones(dim)))"),
        (_BIAS, "self.bias = self.made.setdefault(-dim, nn.Parameter(torch.zeros(dim)))"),
    ],
)
mistake(
    "gradients-in-training-alone",
    "        " + _SCALED,
    "        with torch.set_grad_enabled(self.training):\n            " + _SCALED,
    "In evaluation no gradient comes through. .eval() switches dropout and the like, and gradients are left alone.",
)
mistake(
    "rows-not-put-back",
    "        " + _MEAN,
    "        x = x.reshape(-1, x.shape[-1])\n        " + _MEAN,
    "The axes before the last are joined and stay so. The result has the shape of x.",
)
mistake(
    "nothing-returned",
    _SCALED,
    "self.weight * normalised + self.bias",
    "forward comes to its end without a return, and so gives None.",
)
mistake.file(
    "torchs-own-norm",
    """\
from torch import nn


class LayerNorm(nn.LayerNorm):
    def __init__(self, dim, *, eps=1e-5):
        super().__init__(dim, eps=eps)
""",
    "It is torch's LayerNorm that does the work. In this step the sum is yours.",
    again="from torch.nn import LayerNorm\n",
)

variant("rsqrt", _BY_ROOT, "centred * torch.rsqrt(variance + self.eps)")
variant("minus-half-power", _BY_ROOT, "centred * (variance + self.eps) ** -0.5")
variant("var-with-correction", _VARIANCE, "variance = x.var(dim=-1, keepdim=True, correction=0)")
variant(
    "computed-in-float32-and-turned-back",
    "centred = x - mean",
    "centred = x.float() - mean.float()",
    also=[(_SCALED, "return self.weight * normalised.to(x.dtype) + self.bias")],
)
variant("mean-of-squares-less-square-of-mean", _VARIANCE, "variance = (x * x).mean(-1, keepdim=True) - mean**2")
variant("unsqueeze-for-keepdim", _MEAN, "mean = x.mean(-1).unsqueeze(-1)")
variant("addcmul", _SCALED, "return torch.addcmul(self.bias, self.weight, normalised)")
variant(
    "empty-then-filled", _WEIGHT, "self.weight = nn.Parameter(torch.empty(dim))\n        nn.init.ones_(self.weight)"
)
variant(
    "bias-first",
    _SCALED,
    "return self.bias + normalised * self.weight",
    also=[("mean(dim=-1, keepdim=True)\n        centred", "mean(-1, True)\n        centred")],
)
variant.file(
    "var-mean",
    _forward(
        "variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)\n"
        "return (x - mean).div((variance + self.eps).sqrt()).mul(self.weight).add(self.bias)\n"
    ),
)
variant.file(
    "einsum",
    _forward(
        "d = x.shape[-1]\n"
        'centred = x - torch.einsum("...d->...", x)[..., None] / d\n'
        'variance = torch.einsum("...d,...d->...", centred, centred).unsqueeze(-1) / d\n'
        'return torch.einsum("...d,d->...d", centred / (variance + self.eps).sqrt(), self.weight) + self.bias\n'
    ),
)
variant.file(
    "row-by-row",
    _forward(
        "rows = []\n"
        "for row in x.reshape(-1, x.size(-1)):\n"
        "    centred = row - row.mean()\n"
        "    rows.append(centred / (centred.square().mean() + self.eps).sqrt() * self.weight + self.bias)\n"
        "return torch.stack(rows).reshape(x.shape)\n"
    ),
)
variant.file(
    "centred-by-a-matrix",
    _forward(
        "d = x.shape[-1]\n"
        "centred = x @ (torch.eye(d, dtype=x.dtype, device=x.device) - 1 / d)\n"
        "return self.bias + centred * (centred.pow(2).mean(-1, keepdim=True) + self.eps).pow(-0.5) * self.weight\n"
    ),
)
variant.file(
    "features-first",
    _forward(
        "y = x.movedim(-1, 0)\n"
        "y = y - y.mean(0)\n"
        "y = y / (y.square().mean(0) + self.eps).sqrt()\n"
        "return y.movedim(0, -1) * self.weight + self.bias\n"
    ),
)
variant.file(
    "hypot",
    _forward(
        "deviation = torch.std(x, dim=-1, keepdim=True, correction=0)\n"
        "spread = torch.hypot(deviation, torch.full_like(deviation, self.eps**0.5))\n"
        "return (x - x.mean(dim=-1, keepdim=True)) / spread * self.weight + self.bias\n"
    ),
)
variant.file(
    "in-place-on-its-own-copy",
    _forward(
        "y = x - x.mean(-1, keepdim=True)\n"
        "spread = y.square().mean(-1, keepdim=True)\n"
        "spread += self.eps\n"
        "y = y / spread.sqrt() * self.weight\n"
        "y += self.bias\n"
        "return y\n"
    ),
)
variant.file(
    "helpers-and-a-base-class",
    """\
import torch as th
from torch.nn import Module, Parameter


def average(rows):
    ones = th.ones(rows.shape[-1], 1, dtype=rows.dtype, device=rows.device)
    return rows.matmul(ones) / rows.shape[-1]


class Learned(Module):
    def __init__(self, **start):
        super().__init__()
        for name, value in start.items():
            self.register_parameter(name, Parameter(value))


class LayerNorm(Learned):
    def __init__(self, dim, *, eps=0.00001):
        super().__init__(bias=th.zeros([dim]), weight=th.ones([dim]))
        self.epsilon = eps

    def forward(self, x):
        x = x - average(x)
        return self.bias + x / th.sqrt(self.epsilon + average(x * x)) * self.weight
""",
)
