"""Step 03 is judged against torch's own layer norm, gain and bias redrawn."""

from autograder.checking import check, close, equal, fail, forbids, load

# Right variants differ from torch's by at most 2e-6 here, the smallest mistake (eps outside the root) by 6e-4: the
# tolerance of 1e-4 has room on both sides. eps and dim are drawn so that it stays so.
FAMILIES = ((0.0, 1.0), (5.0, 3.0), (0.0, 1e-3))  # mean and standard deviation of the inputs


@check(
    passed="LayerNorm has a weight of ones and a bias of zeros, both learned",
    failed="LayerNorm does not have a weight of ones and a bias of zeros, both learned",
)
def has_its_parameters(student, draw):
    import torch

    dim = draw.integer(5, 40)
    mine = student.LayerNorm(dim)
    names = sorted(mine.state_dict())
    if names != ["bias", "weight"]:
        fail(
            "a state dict has what was registered: nn.Parameter, under these names",
            expected="bias, weight",
            got=", ".join(names) or "nothing",
        )
    trained = sorted(name for name, parameter in mine.state_dict(keep_vars=True).items() if parameter.requires_grad)
    if trained != ["bias", "weight"]:
        fail(
            "both are trained, so both are nn.Parameter",
            expected="gradients for bias and weight",
            got=", ".join(trained) or "none",
        )
    close(mine.weight, torch.ones(dim, requires_grad=True), rtol=0, atol=0, says="this is the weight")
    close(mine.bias, torch.zeros(dim, requires_grad=True), rtol=0, atol=0, says="this is the bias")


@check(
    passed="LayerNorm gives torch's output",
    failed="LayerNorm does not give torch's output",
)
def output_matches(student, oracle, draw):
    batch, seq, dim, more = draw.distinct(4, 2, 9)
    for eps in (1e-5, 1e-3):
        theirs = oracle.layer_norm(dim, eps)
        mine = _loaded(student, theirs, dim, eps)
        for mean, std in FAMILIES:
            for axes in ({"batch": batch, "seq": seq}, {"batch": batch}, {"more": more, "batch": batch, "seq": seq}):
                x = draw.normal(**axes, dim=dim, mean=mean, std=std)
                close(mine(x), theirs(x))
    square = draw.normal(batch=dim, seq=dim, dim=dim)  # for code that is wrong, and silent, only where sizes agree
    close(mine(square), theirs(square))


@check(
    passed="LayerNorm uses the eps that it was made with",
    failed="LayerNorm does not use the eps that it was made with",
)
def uses_its_eps(student, oracle, draw):
    batch, seq, dim = draw.distinct(3, 3, 9)
    for eps in (1e-5, 1e-2, 1.0):
        theirs = oracle.layer_norm(dim, eps)
        x = draw.normal(batch=batch, seq=seq, dim=dim, std=0.05)
        close(_loaded(student, theirs, dim, eps)(x), theirs(x))
    theirs = oracle.layer_norm(dim, 1e-5)
    mine = load(student.LayerNorm(dim), theirs.state_dict())
    close(mine(x), theirs(x), says="with no eps given, it is 1e-5")


@check(
    passed="LayerNorm lets gradients through to its input, weight and bias",
    failed="LayerNorm does not let the right gradients through to its input, weight and bias",
)
def gradients_match(student, oracle, draw):
    batch, seq, dim = draw.distinct(3, 3, 9)
    theirs = oracle.layer_norm(dim, 1e-3)
    mine = _loaded(student, theirs, dim, 1e-3)
    for mean, std in FAMILIES[:2]:
        x = draw.normal(batch=batch, seq=seq, dim=dim, mean=mean, std=std)
        back = draw.normal(batch=batch, seq=seq, dim=dim)
        got, expected = mine.gradients(x, output_gradient=back), theirs.gradients(x, back)
        close(got.output, expected.output, says="this is the output")
        close(got.inputs[0], expected.inputs[0], says="this is the gradient of x")
        for name in ("weight", "bias"):
            close(got.parameters.get(name), expected.parameters[name], says=f"this is the gradient of {name}")


@check(
    passed="LayerNorm leaves its input as it was, and gives the same twice",
    failed="LayerNorm does not leave its input as it was, or does not give the same twice",
)
def is_a_function(student, oracle, draw):
    batch, seq, dim = draw.distinct(3, 3, 9)
    theirs = oracle.layer_norm(dim, 1e-3)
    mine = _loaded(student, theirs, dim, 1e-3)
    x = draw.normal(batch=batch, seq=seq, dim=dim, mean=1.0, std=2.0)
    first, (after,) = mine.call_keeping(x)
    close(after, x, rtol=0, atol=0, says="this is x after the call: it was changed in place")
    close(mine(x), theirs(x))
    mine.eval()
    second = mine(x)
    equal(bool((first == second).all()), True, says="two identical calls, in training and evaluation mode, differ")
    order = list(reversed(range(batch)))
    close(mine(x[order].contiguous()), theirs(x[order].contiguous()), says="the batch in another order")


@check.undeclared(failed="LayerNorm does not take a float64 input")
def takes_float64(student, oracle, draw):
    batch, dim = draw.distinct(2, 3, 9)
    theirs = oracle.layer_norm(dim, 1e-3)
    x = draw.normal(batch=batch, dim=dim)
    close(_loaded(student, theirs, dim, 1e-3)(x.double()), theirs(x), any_dtype=True)


forbids(
    *("torch.nn.LayerNorm", "torch.nn.functional.layer_norm", "torch.layer_norm", "torch.native_layer_norm"),
    *("torch.nn.modules.normalization", "torch.nn.modules.LayerNorm", "torch.ops", "torch._refs", "torch._decomp"),
    *("torch._C", "torch._VF", "torch.fused_layer_norm", "torch.nn.quantized", "torch.ao"),
    *("torch.nn.GroupNorm", "torch.nn.functional.group_norm", "torch.group_norm", "torch.native_group_norm"),
    *("torch.nn.RMSNorm", "torch.nn.functional.rms_norm", "torch.rms_norm"),
    *("torch.nn.InstanceNorm1d", "torch.nn.InstanceNorm2d", "torch.nn.functional.instance_norm", "torch.instance_norm"),
    *("torch.nn.BatchNorm1d", "torch.nn.BatchNorm2d", "torch.nn.functional.batch_norm", "torch.batch_norm"),
    *("torch.native_batch_norm", "torch.nn.LazyBatchNorm1d", "torch.nn.LazyInstanceNorm1d"),
    within=["LayerNorm"],
    operators=[
        *("aten.native_layer_norm", "aten.native_group_norm", "aten.native_batch_norm", "aten._fused_rms_norm"),
        *("aten._native_batch_norm_legit", "aten.layer_norm", "aten.group_norm", "aten._batch_norm_with_update"),
        "aten._native_batch_norm_legit_no_training",
    ],
    passed="LayerNorm is your own: none of torch's norms is used",
    failed="LayerNorm is not your own, or has not run: got {got}",
)


def _loaded(student, theirs, dim, eps):
    return load(student.LayerNorm(dim, eps=eps), theirs.state_dict())
