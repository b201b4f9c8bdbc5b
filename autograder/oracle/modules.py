"""A torch module as an oracle: weights redrawn, evaluation mode, float64 inside, the input's own type outside."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from autograder.draw import Draw

_MOST = 64  # answers that one reference remembers, and modules that are kept
torch.set_num_threads(1)  # the inputs are small: more threads cost more than they give


def shake(module: torch.nn.Module, draw: Draw, std: float = 0.15) -> torch.nn.Module:
    """Redraw every parameter from N(0, std), and add one to the norms' gains; return the module.

    Fresh weights hide mistakes: a bias of zeros hides that it is missing, a gain of ones that it is not applied.
    """
    with torch.no_grad():
        for part in module.modules():
            for name, parameter in part.named_parameters(recurse=False):
                gain = 1.0 if isinstance(part, torch.nn.LayerNorm) and name == "weight" else 0.0
                parameter.copy_(draw.normal(*parameter.shape, mean=gain, std=std))
    return module


_made: OrderedDict[Hashable, torch.nn.Module] = OrderedDict()
IN_USE = threading.RLock()  # of a module that several references share, one at a time


def drawn(key: Hashable, make: Callable[[], torch.nn.Module], draw: Draw) -> torch.nn.Module:
    """Return what `make` makes, redrawn, and ready to become a reference's: made once for each `key`.

    To make a module of Hugging Face's takes several times as long as to redraw it. The references of one key share the
    module, and each puts its own weights in when it is asked.
    """
    if key not in _made:
        _made[key] = make().double().eval()
        if len(_made) > _MOST:
            _made.popitem(last=False)
    _made.move_to_end(key)
    module = _made[key]
    with IN_USE:
        vars(module)["_user"] = None  # first: a rehearsal may be ended anywhere
        for parameter in module.parameters():
            parameter.data = torch.empty_like(parameter)  # the numbers that are there are another reference's
        return shake(module, draw)


class ReferenceGradients(NamedTuple):
    """The output, and the gradients of the inputs and of the parameters by name."""

    output: torch.Tensor
    inputs: list[Any]
    parameters: dict[str, Any]


class Reference:
    """An oracle's module. It computes in float64 from the float32 weights that the learner's module gets too.

    The module that it is made from is float64 afterwards, and belongs to the reference, or to all that `drawn` made it
    for. What it was asked it remembers: the run in the chain and the known mistakes ask the same again.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self._weights = {name: value.detach().float().clone() for name, value in module.state_dict().items()}
        self._shared = module.double().eval()
        self._parameters = list(module.parameters())
        self._wide = [parameter.data for parameter in self._parameters]
        self._answers: dict[Hashable, Any] = {}

    @property
    def _module(self) -> Any:
        """The module, with this reference's weights in it."""
        if vars(self._shared).get("_user") is not self:
            vars(self._shared)["_user"] = None
            for parameter, value in zip(self._parameters, self._wide, strict=True):
                parameter.data = value
            vars(self._shared)["_user"] = self
        return self._shared

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the weights, float32, by the module's own names."""
        return {name: value.clone() for name, value in self._weights.items()}

    def run(self, *args: Any) -> Any:
        """Call the module, float64 in and out; a library that wants more than the learner's module is told it here."""
        return self._module(*args)

    def __call__(self, *args: Any) -> torch.Tensor:
        def run() -> Any:
            with torch.no_grad():
                return self.run(*(_wide(arg) for arg in args))

        result: torch.Tensor = _like(self._once(run, *args), args[0], copy=True)
        return result

    def _once(self, run: Callable[[], Any], *asked: Any) -> Any:
        """Return what was answered to the same question before, else what `run` gives."""
        key = tuple(_key(part) for part in asked)
        if key not in self._answers:
            if len(self._answers) >= _MOST:
                self._answers.clear()
            with IN_USE:
                self._answers[key] = run()
        return self._answers[key]

    def gradients(self, x: torch.Tensor, output_gradient: torch.Tensor) -> ReferenceGradients:
        """Return the gradients for an input of any shape, or of ids, and a gradient of the output's shape."""
        floats = x.is_floating_point()

        def run() -> Any:
            self._module.zero_grad(set_to_none=True)
            inside = _wide(x.detach()).requires_grad_(floats)
            output = self.run(inside)
            (output * output_gradient.double()).sum().backward()
            return output.detach(), inside.grad, {name: p.grad for name, p in self._module.named_parameters()}

        output, of_input, of_parameters = self._once(run, "gradients", x, output_gradient)
        parameters = {name: _like(grad, output_gradient, copy=True) for name, grad in of_parameters.items()}
        inputs = [_like(of_input, x, copy=True)] if floats else []
        return ReferenceGradients(_like(output, x, copy=True), inputs, parameters)


def _wide(value: Any) -> Any:
    """Return a tensor of floats in float64; ids, and what is no tensor, as they are."""
    return value.double() if torch.is_tensor(value) and value.is_floating_point() else value


def _key(part: Any) -> Hashable:
    """Return what tells one argument from another, a tensor's bits included."""
    if torch.is_tensor(part):
        return str(part.dtype), tuple(part.shape), part.detach().reshape(-1).view(torch.uint8).numpy().tobytes()
    return part  # type: ignore[no-any-return]


def _like(result: Any, source: Any, *, copy: bool = False) -> Any:
    """Give a result the input's type, float32 for ids, and the names of its axes where the shapes agree."""
    out = result.detach().to(source.dtype if source.is_floating_point() else torch.float32, copy=copy)
    if out.shape == source.shape:
        out.axes_names = getattr(source, "axes_names", ())
    return out
