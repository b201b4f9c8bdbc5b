"""What fields a class has: of a dataclass, or, where the decorator is missing, of the class's own annotations."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from autograder import wire
from autograder.worker.words import short

if TYPE_CHECKING:
    from autograder import values


def describe(holder: Any, packer: values.Packer) -> wire.Described:
    """Return the fields of a class, in order, each with its default or the reason why it has none."""
    if not isinstance(holder, type):
        return wire.Described(False, False, False, [])
    dataclasses = sys.modules.get("dataclasses")
    known = vars(holder).get("__dataclass_fields__") if dataclasses else None
    inherited = getattr(holder, "__dataclass_fields__", None) if dataclasses else None
    if isinstance(inherited, dict):
        fields = [_dataclass_field(field, packer) for field in inherited.values()]
    else:
        fields = [_annotated(holder, name, text, packer) for name, text in _annotations(holder).items()]
    names = {field.name for field in fields}
    loose = [name for name in vars(holder) if not name.startswith("__") and name not in names]
    loose = [name for name in loose if not callable(vars(holder)[name]) and not _is_descriptor(vars(holder)[name])]
    fields += [wire.Field(short(name), "", "no type hint") for name in loose]
    return wire.Described(True, isinstance(inherited, dict), isinstance(known, dict), fields)


def _is_descriptor(value: object) -> bool:
    return hasattr(type(value), "__get__")


def _dataclass_field(field: Any, packer: values.Packer) -> wire.Field:
    import dataclasses

    name, annotation = short(field.name), _annotation_text(field.type)
    kind = getattr(field, "_field_type", None)
    label = str(kind).rpartition("_")[2].lower()  # dataclasses._FIELD, _FIELD_CLASSVAR, _FIELD_INITVAR
    if label == "classvar":
        return wire.Field(name, annotation, "ClassVar")
    if label == "initvar":
        return wire.Field(name, annotation, "InitVar")
    if field.default is not dataclasses.MISSING:
        return wire.Field(name, annotation, "default", packer.pack(field.default))
    if field.default_factory is not dataclasses.MISSING:
        return wire.Field(name, annotation, "default", packer.pack(field.default_factory()))
    return wire.Field(name, annotation, "no default")


def _annotated(holder: type, name: str, annotation: str, packer: values.Packer) -> wire.Field:
    dataclasses = sys.modules.get("dataclasses")
    if name not in vars(holder):
        return wire.Field(short(name), annotation, "no default")
    value = vars(holder)[name]
    if dataclasses is not None and type(value) is dataclasses.Field:
        value.name, value.type = name, annotation
        return _dataclass_field(value, packer)
    return wire.Field(short(name), annotation, "default", packer.pack(value))


def _annotations(holder: type) -> dict[str, str]:
    if sys.version_info >= (3, 14):
        import annotationlib

        found = annotationlib.get_annotations(holder, format=annotationlib.Format.STRING)
    else:
        found = vars(holder).get("__annotations__", {})
    return {str(name): _annotation_text(value) for name, value in found.items()}


def _annotation_text(value: Any) -> str:
    if type(value) is str:
        return short(value)
    if isinstance(value, type) and type(value) is type:
        return short(value.__name__)
    return ""
