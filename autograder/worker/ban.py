"""Makes what a step forbids raise while the learner's code runs: the second net, behind the syntax tree."""

from __future__ import annotations

import contextlib
import functools
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Forbidden(RuntimeError):
    """A learner's code called what its step forbids."""


class Net:
    """Whether what is forbidden raises now: a ban holds within what a step teaches, and nowhere else."""

    def __init__(self) -> None:
        self.out = False


def replace(dotted: str, net: Net) -> None:
    """Make the thing of that name raise, under every name of its module's that the learner can reach it by."""
    path, _, name = dotted.rpartition(".")
    holder: Any = sys.modules.get("torch")
    for part in path.split(".")[1:]:
        holder = getattr(holder, part, None)
    original = getattr(holder, name, None)
    if original is None or isinstance(original, types.ModuleType) or getattr(original, "__forbidden__", False):
        return
    if isinstance(original, type):
        if "__forbidden__" not in vars(original):
            original.__init__ = _raiser(dotted, original.__init__, net)  # type: ignore[misc]
            original.__forbidden__ = True  # type: ignore[attr-defined]
        return
    setattr(holder, name, _raiser(dotted, original, net))


def _raiser(dotted: str, original: Callable[..., Any], net: Net) -> Callable[..., Any]:
    def forbidden(*args: Any, **kwargs: Any) -> Any:
        if net.out:
            raise Forbidden(dotted)
        return original(*args, **kwargs)

    forbidden.__forbidden__ = True  # type: ignore[attr-defined]
    return forbidden


def operator_guard(operators: frozenset[str]) -> Any:
    """Return a context, to be entered any number of times, in which each of these operators raises.

    Args:
        operators: torch's, by name, as `aten.native_layer_norm`; without any, the context does nothing.
    """
    return _mode()(operators) if operators else contextlib.nullcontext()


@functools.cache
def _mode() -> Any:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Guard(TorchDispatchMode):
        """Sees each operator that runs, whichever door of torch the learner's code came in by."""

        def __init__(self, operators: frozenset[str]) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self._operators = operators

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # else the first operator imports torch's compiler, which takes over a second

        def __torch_dispatch__(self, func: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
            del kinds
            if str(func.overloadpacket) in self._operators:
                raise Forbidden(f"torch.ops.{func.overloadpacket}")
            return func(*args, **(kwargs or {}))

    return Guard
