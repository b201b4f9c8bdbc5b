"""The words of a check: `equal`, `close`, `holds`, `fail` and those made of them. Each returns, or raises Failed."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

from autograder import difference
from autograder.student import Missing, Proxy, StudentRaised, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from autograder.source import Place
    from autograder.student import Gradients

_NO_REFUSALS = ("NotImplementedError", "NameError", "UnboundLocalError", "AttributeError")  # nobody refuses by these
_NO_EXCEPTION = "exceptions must derive from BaseException"  # what Python says of a `raise` of something else
_SHOWN = 6  # so many names of tensors fit on a line


class Failed(Exception):
    """What the learner's code gave is not what was asked for. Raised by the words below, caught by the judge."""

    def __init__(
        self,
        found: difference.Difference,
        where: Place | None = None,
        *,
        compared: bool = False,
        untried: bool = False,
        values: tuple[Any, Any] | None = None,
        says: str = "",
        call: str = "",
    ) -> None:
        super().__init__(found.got)
        self.found = found
        self.where = where
        self.compared = compared  # with what the learner's code returned: then it has run
        self.untried = untried  # it was too early for the check's own question
        self.values = values  # the learner's and the oracle's, where two were compared
        self.says = says  # the check's own word on what was compared
        self.call = call  # in words; the last one, where it is left out


def equal(mine: Any, theirs: Any, *, says: str = "") -> None:
    """Fail unless both have the same type and value: numbers, texts, lists, and what is made of them."""
    if hasattr(theirs, "isfinite"):
        raise TypeError("equal is for plain values: close(mine, theirs, rtol=0, atol=0) is for tensors")
    _judge(difference.exact(mine, theirs), says, (mine, theirs))


def close(
    mine: Any,
    theirs: Any,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-4,
    any_dtype: bool = False,
    says: str = "",
) -> None:
    """Fail unless each number of a tensor is within `atol + rtol * |theirs|`.

    The defaults stand between right code (at most 1.2e-6 away) and the smallest mistakes (6e-4) on a module's output.
    """
    found = difference.near(mine, theirs, rtol=rtol, atol=atol, any_dtype=any_dtype)
    _judge(found, says, (mine, theirs))


def holds(truth: object, *says: str, expected: str = "", got: str = "", where: Place | None = None) -> None:
    """Fail unless `truth` is true (or anything but None and False); `says` is the reason, in sentences."""
    if truth is None or truth is False:
        raise Failed(difference.Difference(expected, got, tuple(filter(None, says))), where)


def fail(*says: str, expected: str = "", got: str = "", where: Place | None = None) -> None:
    """Fail, and say why."""
    holds(False, *says, expected=expected, got=got, where=where)


def not_yet(*says: str) -> None:
    """Fail before the check's own question, as it is too early for it; `says` is what comes first, in sentences."""
    raise Failed(difference.Difference("", "", says), untried=True)


def agrees(mine: Any, theirs: Any, *, rtol: float = 1e-4, atol: float = 1e-4) -> bool:
    """Return whether `close` would pass: for a check that has nothing to say until something else is right."""
    return difference.near(mine, theirs, rtol=rtol, atol=atol) is None


def a_class(student: Any, name: str) -> Any:
    """Return the learner's class of that name; fail when something else bears it."""
    found = getattr(student, name)
    with contextlib.suppress(Missing):
        if isinstance(found, Proxy):
            found.fields()
            return found
    kind = type_name(found)
    got = difference.article(kind)
    what = got if got == "None" else f"an object of type {kind}"
    raise Failed(difference.Difference("", got, (f"{name} is {what}, not a class",)))


def make(student: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call the learner's class of that name and return the object; fail when a plain value is there in its place."""
    factory = getattr(student, name)
    if not isinstance(factory, Proxy):
        fail(f"{name} is {difference.show(factory)}, not a class", expected="a class", got=difference.show(factory))
    made = factory(*args, **kwargs)
    if not isinstance(made, Proxy):
        fail(f"{name} returns a plain value, not an object", expected="an object", got=difference.show(made))
    return made


def fits(mine: Any, state: dict[str, Any], *, says: str = "", told: Callable[[], None] | None = None) -> None:
    """Fail unless a learner's module has a state dict with exactly these names and shapes.

    `says` explains a shape. Where the names are others, `told` says so first, in words of its own.
    """
    try:
        own = mine.state_dict()
    except Missing:
        fail("is its class an nn.Module, as in class Name(nn.Module)?", expected="an nn.Module", got="no state_dict()")
    if not isinstance(own, dict) or not all(isinstance(name, str) for name in own):
        fail("a state dict is a dictionary of names and tensors", expected="a dictionary", got=difference.show(own))
    missing = sorted(name for name in state if name not in own)
    extra = sorted(name for name in own if name not in state)
    if (missing or extra) and told is not None:
        told()
    if missing or extra:
        reasons = [f"its state dict lacks {_few(missing, ', ')}: {_how(missing, own)}"] if missing else []
        reasons += [f"its state dict has {_few(extra, ', ')} besides{_out_of_it(mine, extra)}"] if extra else []
        if len(own) == len(state):  # two equal numbers would say nothing
            raise Failed(difference.Difference(missing[0], extra[0], tuple(reasons)))
        raise Failed(difference.Difference(_list(state), _list(own), tuple(reasons)))
    for name, value in state.items():
        got = difference.shape(own[name]) if hasattr(own[name], "shape") else difference.show(own[name])
        if got != difference.shape(value):
            turned = "the same sizes in another order" if sorted(got) == sorted(difference.shape(value)) else ""
            fail(f"{name} has another shape", turned, says, expected=difference.shape(value), got=got)


def same_gradients(
    got: Gradients,
    back: Any,
    *,
    inputs: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    rtol: float = 1e-4,
    atol: float = 1e-4,
) -> None:
    """Fail unless the gradients of a learner's call are the oracle's.

    Args:
        got: what `gradients` returned.
        back: the output's gradient that it was called with; an output of another shape sends none back.
        inputs: the oracle's gradients by the inputs' names, in the order of the call.
        parameters: the oracle's gradients by the parameters' names.
    """
    close(got.output, back, rtol=0, atol=math.inf)  # of the right type and shape, whatever its numbers
    pairs = [(name, got.parameters.get(name), value) for name, value in (parameters or {}).items()]
    pairs += [(name, mine, value) for (name, value), mine in zip((inputs or {}).items(), got.inputs, strict=False)]
    missing = next((name for name, mine, _ in pairs if mine is None), None)
    if missing:
        fail(
            f"no gradient comes to {missing}",
            "is it used? Is there a detach(), .data or no_grad() on its way?",
        )
    for name, mine, value in pairs:
        close(mine, value, rtol=rtol, atol=atol, says=f"this is the gradient of {name}")


def can_learn(module: Any) -> None:
    """Fail where a parameter of a learner's module asks for no gradient."""
    frozen = next((name for name, parameter in module.named_parameters() if not parameter.requires_grad), None)
    if frozen:
        fail(f"{frozen} is frozen", expected="a parameter that gets a gradient", got="requires_grad=False")


def sliced(student: Any, matrix: Any) -> Any:
    """Return a tensor of two axes as an object of the worker: a slice of a longer one, which `view` refuses."""
    import torch

    rows, columns = matrix.shape
    kept = student.keep(torch.cat([matrix, matrix[:, :1]], dim=1))
    kept.as_strided_([rows, columns], [columns + 1, 1])
    return kept


def drawn_normally(table: Any, std: float) -> None:
    """Fail unless a fresh table's numbers look drawn from N(0, std): five standard errors of what is measured."""
    import torch

    table = table.detach().double()
    if torch.equal(table[0], table[1]) or torch.equal(table[:, 0], table[:, 1]):
        fail("each number is drawn by itself", expected="numbers that differ", got="rows or columns that are equal")
    count, found, mean = table.numel(), float(table.std()), float(table.mean())
    if not abs(found - std) < 5 * std / (2 * count) ** 0.5:
        fail("the spread of a fresh table", expected=f"a standard deviation of {std}", got=f"{found:.4g}")
    if not abs(mean) < 5 * std / count**0.5:
        fail("the mean of a fresh table", expected="a mean of 0", got=f"{mean:.4g}")
    beyond = float((table.abs() > std).double().mean())  # 0.317 of normal numbers, 0.423 of uniform ones
    if not abs(beyond - 0.3173) < 5 * (0.3173 * 0.6827 / count) ** 0.5:
        wanted = "0.317 of them: a normal distribution"
        fail("how many are beyond one standard deviation", expected=wanted, got=f"{beyond:.3f}")


def raises(call: Callable[[], Any], kind: str = "", *, says: str = "") -> str:
    """Return the text of the exception that the learner's code raises; fail when it raises none, or another kind.

    Args:
        call: calls the learner's code.
        kind: `ValueError`, or one that is derived from it; any exception when left out.
    """
    if not callable(call) or not isinstance(kind, str):
        raise TypeError(
            'raises takes a function without arguments, and the exception\'s name: raises(call, "ValueError")'
        )
    try:
        returned = call()
    except StudentRaised as error:
        raised = error.raised
        if raised.builtin in _NO_REFUSALS or raised.message == _NO_EXCEPTION:
            raise
        if kind and raised.builtin != kind:
            said = f"{raised.type_name}: {raised.message}" if raised.message else ""
            got = difference.article(raised.type_name)
            found = difference.Difference(f"a {kind}", got, tuple(filter(None, (said, says))))
            raise Failed(found, compared=True) from None
        return raised.message
    wanted = f"a {kind}" if kind else "an exception"
    if isinstance(returned, Proxy) and (type_name(returned) == kind or type_name(returned).endswith("Error")):
        says = "it is returned, and has to be raised: with raise in place of return"
    raise Failed(difference.Difference(wanted, difference.show(returned), (says,) if says else ()), compared=True)


def load(mine: Any, state: dict[str, Any], *, told: Callable[[], None] | None = None) -> Any:
    """Give a learner's module the oracle's weights and return it; fail when it has not these names and shapes.

    Only where they do not load is the state dict asked for, to say why; `told` says it first, in words of its own.
    """
    try:
        mine.load_state_dict(state)
    except (StudentRaised, Missing):
        if told is not None:
            told()
        fits(mine, state)
        raise
    return mine


def _out_of_it(mine: Any, names: Sequence[str]) -> str:
    """Return how a buffer stays out of a state dict, where these names are all buffers'."""
    with contextlib.suppress(Missing, StudentRaised, TypeError, AttributeError):  # a named_buffers of the learner's own
        found = [pair for pair in mine.named_buffers() if isinstance(pair, tuple)]
        mine.state_dict()  # again: the call that is shown is the last one
        if set(names) <= {pair[0] for pair in found}:
            return ": a buffer stays out of it when it is registered with persistent=False"
    return ""


def _how(missing: Sequence[str], own: Collection[str]) -> str:
    """Return what puts the missing names into a state dict."""
    layers = {name.rpartition(".")[0] for name in own}
    if any("." not in name for name in missing):
        return "an nn.Parameter of that name, with nothing computed from it, puts it there"
    if all(name.rpartition(".")[0] in layers for name in missing):
        return "its layer is there, and lacks it"
    return "a layer is in it once __init__ has made it an attribute, or put it into an nn.ModuleList"


def _list(names: Collection[str]) -> str:
    """Return the names of a state dict, or how many there are where they would fill the screen."""
    return f"{len(names)} tensors" if len(names) > _SHOWN else ", ".join(sorted(names)) or "nothing"


def _few(names: Sequence[str], between: str) -> str:
    """Return the names joined, or the first of them and how many more there are."""
    more = [f"{len(names) - 3} more"] if len(names) > 3 else []
    return between.join(names[:3]) + "".join(f" and {text}" for text in more)


def _judge(found: difference.Difference | None, says: str, values: tuple[Any, Any]) -> None:
    if found is not None:
        found = found._replace(detail=(*found.detail, says)) if says else found
        raise Failed(found, compared=True, values=values, says=says)
