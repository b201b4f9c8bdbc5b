"""Names and texts of a learner's objects, as they may be sent: cut to a length, and in UTF-8."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import types
from typing import Any

from autograder import wire


def short(name: object) -> str:
    """Return a name; a learner's may be of any length, hold what UTF-8 cannot say, or be no string."""
    return clean(name if type(name) is str else "?", wire.MAX_NAME)


def clean(text: str, length: int) -> str:
    return text[:length].encode("utf-8", "replace").decode("utf-8")


_SUGGESTION = re.compile(r"[.?] (Did you (?:mean|forget).{1,200}\?)$")


def message(error: BaseException) -> str:
    """Return an exception's text, with Python's own suggestion at its end where a name is unknown."""
    text = _text(error)
    suggestion = _suggestion(error) if isinstance(error, AttributeError | NameError) else ""
    return text if not suggestion or text.endswith(suggestion) else clean(f"{text}. {suggestion}", wire.MAX_TEXT)


def _suggestion(error: BaseException) -> str:
    """Return what Python adds where it prints an exception: before 3.12, it says so nowhere else."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            sys.__excepthook__(type(error), error, error.__traceback__)
        found = _SUGGESTION.search(said.getvalue().rstrip())
    except BaseException:  # noqa: BLE001 - a learner's __dir__ may raise anything
        return ""
    return found[1] if found else ""


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - a learner's __str__ may raise anything
        return "(its text cannot be read: __str__ raised)"
    return clean(text, wire.MAX_TEXT) if type(text) is str else "(its text cannot be read)"


def type_name(value: object) -> str:
    """Return the name of a value's type; a class is a class, and a tensor that is not dense says so."""
    kind: Any = type(value)
    torch = sys.modules.get("torch")
    if issubclass(kind, type):
        return "class"
    if torch is not None and kind is torch.Tensor:
        return short(f"{str(value.layout).removeprefix('torch.')} tensor")  # type: ignore[attr-defined]
    return short(type.__dict__["__name__"].__get__(kind))  # not a metaclass's own word for it


def word(value: object) -> str:
    """Return what there is to print of a value, beyond its type."""
    kind = type(value)
    if issubclass(kind, type):
        return f"the class {short(type.__dict__['__name__'].__get__(value))}"
    if kind in (types.FunctionType, types.MethodType, types.BuiltinFunctionType):
        return f"the function {short(value.__name__)}"  # type: ignore[attr-defined]
    if kind is types.ModuleType:
        return f"the module {short(value.__name__)}"  # type: ignore[attr-defined]
    return ""
