"""Step 03 is judged against torch's own layer norm, gain and bias redrawn."""

from autograder.checking import check, forbids, mistake, variant
from autograder.comparing import agrees, close, fail, fits, load, make

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
    for eps in (1e-5, 1e-2, 1.0):
        theirs = oracle.layer_norm(dim, eps)
        x = draw.normal(batch=batch, seq=seq, dim=dim, std=eps**0.5)
        says = "the variance of these rows is near eps, so eps decides: it is added to it, under the root"
        close(_loaded(student, theirs, dim, eps)(x), theirs(x), says=says)
    theirs = oracle.layer_norm(dim, 1e-5)
    x = draw.normal(batch=batch, seq=seq, dim=dim, std=1e-5**0.5)
    mine = load(make(student, "LayerNorm", dim), theirs.state_dict())
    close(mine(x), theirs(x), says="with no eps given, it is 1e-5")


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
    close(mine(x), theirs(x), says="after .eval(): this norm does the same in training and in use")
    turned = _like(x, x[list(reversed(range(batch)))].contiguous())
    close(mine(turned), theirs(turned), says="the same rows in another order")


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
    for mean in (0.0, 5.0):
        x = draw.normal(batch=batch, seq=seq, dim=dim, mean=mean, std=4.0)
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
                fail(f"no gradient reaches {name}: no_grad, detach() and .data cut it off{also}")
            says = f"this is the gradient of {name}: what is detached, or under no_grad, adds nothing to it"
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


def _first(student, oracle, draw):
    """Return a learner's module and the oracle's, with the same weights, and an ordinary input."""
    theirs = oracle.layer_norm(FIRST["dim"], EPS)
    return _loaded(student, theirs, FIRST["dim"], EPS), theirs, draw.normal(**FIRST)


def _after_the_output(student, oracle, draw):
    """Fail while the output is wrong on an ordinary input: then it is too early to speak of anything finer."""
    mine, theirs, x = _first(student, oracle, draw)
    if not agrees(mine(x), theirs(x)):
        fail("this is judged once the output is right")


def _loaded(student, theirs, dim, eps):
    return load(make(student, "LayerNorm", dim, eps=eps), theirs.state_dict())


def _like(x, made):
    """Return a tensor made of a drawn one, with its label and the names of its axes."""
    made.label, made.axes, made.axes_names = x.label, x.axes, x.axes_names
    return made


mistake(
    "unbiased-variance",
    "variance = centred.square().mean(dim=-1, keepdim=True)",
    "variance = x.var(dim=-1, keepdim=True)",
    "The variance divides by n - 1, as torch's var does unless it is told otherwise. Layer norm's divides by n.",
)
mistake("no-mean", "centred = x - mean", "centred = x", "The mean is not subtracted.")
