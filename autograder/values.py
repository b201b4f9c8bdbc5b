"""The values that travel between judge and worker: Python's plain types and torch's tensors, exactly and capped.

A value's tag comes from this module, never from a learner's data. Numbers travel bit for bit; what has a type that is
not listed, a subclass of a listed one included, travels as a `Ref`: a handle, and a name to print.
"""

from __future__ import annotations

import collections
import math
import sys
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 32 * 2**20
MAX_DEPTH = 32
MAX_ITEMS = 1_000_000
MAX_AXES = 64
_INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")
DTYPES = (*_INTEGERS, "float16", "bfloat16", "float32", "float64", "complex64", "complex128")  # a tensor's
_INT64 = range(-(2**63), 2**63)
_PLAIN = (type(None), bool, float)


class TooLarge(Exception):
    """A value over one of the caps; the text says which."""


class Malformed(Exception):
    """What was sent is no value, or no frame, of this protocol."""


class BigInt(msgspec.Struct, tag="big", frozen=True):
    hexadecimal: str


class Bytes(msgspec.Struct, tag="bytes", frozen=True):
    data: bytes


class Text(msgspec.Struct, tag="text", frozen=True):
    """A string with lone surrogates, which UTF-8 refuses."""

    data: bytes


class List(msgspec.Struct, tag="list", frozen=True):
    items: list[Value]


class Tuple(msgspec.Struct, tag="tuple", frozen=True):
    items: list[Value]


class Set(msgspec.Struct, tag="set", frozen=True):
    items: list[Value]
    frozen_set: bool


class Dict(msgspec.Struct, tag="dict", frozen=True):
    items: list[tuple[Value, Value]]


class Tensor(msgspec.Struct, tag="tensor", frozen=True):
    """A tensor's contiguous bytes, in the machine's order; no bytes when it lives on the meta device."""

    dtype: str
    shape: list[int]
    data: bytes
    device: str
    requires_grad: bool


class DType(msgspec.Struct, tag="dtype", frozen=True):
    name: str


class Device(msgspec.Struct, tag="device", frozen=True):
    name: str


class Ref(msgspec.Struct, tag="ref", frozen=True):
    """An object that stays in the worker: its handle there, the name of its type, a word about it to print."""

    handle: int
    type_name: str
    text: str = ""


Value = (
    None | bool | int | float | str | BigInt | Bytes | Text | List | Tuple | Set | Dict | Tensor | DType | Device | Ref
)


class Packer:
    """Turns Python values into wire values, within the caps; what it does not know goes to `reference`."""

    def __init__(self, reference: Callable[[object], Ref]) -> None:
        self._reference = reference
        self._items = 0
        self._bytes = 0

    def pack(self, value: Any, depth: int = 0) -> Value:
        """Return the wire value of `value`.

        Errors: TooLarge, when it is deeper, longer or larger than the caps.
        """
        self._count(depth)
        kind = type(value)
        if kind in _PLAIN:
            self._weigh(8)
            return value  # type: ignore[no-any-return]
        if kind is bytes:
            self._weigh(len(value))
            return Bytes(value)
        if kind is int:
            return value if value in _INT64 else self._big(value)
        if kind is str:
            return self._text(value)
        if kind is list:
            return List(self._all(value, depth))
        if kind is tuple:
            return Tuple(self._all(value, depth))
        if kind is dict or kind is collections.OrderedDict:
            return Dict([(self.pack(k, depth + 1), self.pack(v, depth + 1)) for k, v in value.items()])
        if kind is set or kind is frozenset:
            return Set(self._all(value, depth), kind is frozenset)
        return self._torch(value, kind) or self._reference(value)

    def _all(self, values: Any, depth: int) -> list[Value]:
        return [self.pack(value, depth + 1) for value in values]

    def _count(self, depth: int) -> None:
        self._items += 1
        if depth > MAX_DEPTH:
            raise TooLarge(f"nested deeper than {MAX_DEPTH} levels")
        if self._items > MAX_ITEMS:
            raise TooLarge(f"more than {MAX_ITEMS:,} items")

    def _weigh(self, size_bytes: int) -> None:
        self._bytes += size_bytes
        if self._bytes > MAX_BYTES:
            raise TooLarge(f"larger than {MAX_BYTES // 2**20} MB")

    def _big(self, value: int) -> BigInt:
        self._weigh(value.bit_length() // 4)
        return BigInt(hex(value))

    def _text(self, value: str) -> str | Text:
        self._weigh(len(value))
        if value.isascii():
            return value
        data = value.encode("utf-8", "surrogatepass")
        self._weigh(len(data))
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return Text(data)
        return value

    def _torch(self, value: Any, kind: type) -> Value:
        torch = sys.modules.get("torch")
        if torch is None:
            return None
        if kind is torch.Tensor or kind is torch.nn.Parameter:
            return self._tensor(value, torch)
        if kind is torch.dtype:
            return DType(str(value).removeprefix("torch."))
        if kind is torch.device:
            return Device(str(value))
        return None

    def _tensor(self, value: Any, torch: Any) -> Tensor | None:
        dtype = _NAMES.get(value.dtype) or _name(value.dtype)
        if dtype not in DTYPES or value.layout is not torch.strided or value.dim() > MAX_AXES:
            return None
        device, data = "cpu" if value.is_cpu else str(value.device), b""
        if not value.is_meta:
            self._weigh(value.nbytes)  # before a lazily expanded view becomes real memory
            plain = value.detach()
            if device != "cpu" or value.is_conj() or value.is_neg():
                plain = plain.cpu().resolve_conj().resolve_neg()
            data = (plain.view(torch.int16) if dtype == "bfloat16" else plain).numpy().tobytes()  # numpy has none
        return Tensor(dtype, list(value.shape), data, device, value.requires_grad)


_NAMES: dict[Any, str] = {}  # of the types of tensors that there were so far: it takes a while to ask for one


def _name(dtype: Any) -> str:
    return _NAMES.setdefault(dtype, str(dtype).removeprefix("torch."))


def tensor_of(value: Any) -> Tensor:
    """Return the wire value of a tensor."""
    packed = Packer(_no_reference).pack(value)
    if not isinstance(packed, Tensor):
        raise TypeError(f"a {type(value).__name__} is no tensor")
    return packed


def _no_reference(value: object) -> Ref:
    raise TypeError(f"a {type(value).__name__} is no plain value")


class Unpacker:
    """Turns wire values into Python values of exactly their types; a `Ref` goes to `resolve`."""

    def __init__(self, resolve: Callable[[Ref], object]) -> None:
        self._resolve = resolve

    def unpack(self, value: Value, depth: int = 0) -> Any:
        """Return the Python value.

        Errors: Malformed, when a tensor's bytes do not fit its shape, a number is no number, or the nesting is deeper
            than any packer's.
        """
        if depth > MAX_DEPTH:
            raise Malformed(f"nested deeper than {MAX_DEPTH} levels")
        kind = type(value)
        if kind is str or kind is int or kind in _PLAIN:
            return value
        if isinstance(value, Tensor):
            return tensor(value)
        if isinstance(value, List | Tuple | Set):
            return self._sequence(value, depth)
        if isinstance(value, Dict):
            return self._dict(value, depth)
        if isinstance(value, Ref):
            return self._resolve(value)
        if isinstance(value, DType | Device):
            return _named(value)
        if isinstance(value, Bytes):
            return value.data
        if isinstance(value, Text):
            return _text(value.data)
        if isinstance(value, BigInt):
            return _hexadecimal(value.hexadecimal)
        return value

    def _sequence(self, value: List | Tuple | Set, depth: int) -> Any:
        items = [self.unpack(item, depth + 1) for item in value.items]
        if isinstance(value, List):
            return items
        if isinstance(value, Tuple):
            return tuple(items)
        try:
            return frozenset(items) if value.frozen_set else set(items)
        except TypeError as error:
            raise Malformed("a set of things that cannot be in one") from error

    def _dict(self, value: Dict, depth: int) -> Any:
        try:
            return {self.unpack(key, depth + 1): self.unpack(item, depth + 1) for key, item in value.items}
        except TypeError as error:
            raise Malformed("a dictionary with an unhashable key") from error


def tensor(value: Tensor) -> Any:
    """Return a torch tensor of its own memory, on the CPU or the meta device.

    Errors: Malformed, when the bytes do not fit the shape.
    """
    import torch

    if value.dtype not in DTYPES or len(value.shape) > MAX_AXES or any(size < 0 for size in value.shape):
        raise Malformed("a tensor of no known type or shape")
    dtype = getattr(torch, value.dtype)
    count = math.prod(value.shape)
    if value.device != "meta" and len(value.data) != count * dtype.itemsize:
        raise Malformed("a tensor whose bytes do not fit its shape")
    try:
        if value.device == "meta":
            made = torch.empty(value.shape, dtype=dtype, device="meta")
        elif count:
            flat = torch.frombuffer(bytearray(value.data), dtype=dtype)
            made = flat.resize_(value.shape)  # reshape would give a view, of which torch says other things
        else:
            made = torch.empty(value.shape, dtype=dtype)
        return made.requires_grad_() if value.requires_grad else made
    except (RuntimeError, TypeError, OverflowError) as error:  # TypeError: a size over 64 bits
        raise Malformed("a tensor that torch cannot make") from error


def _named(value: DType | Device) -> Any:
    import torch

    if isinstance(value, Device):
        try:
            return torch.device(value.name)
        except RuntimeError as error:
            raise Malformed("no such device") from error
    if value.name not in DTYPES:
        raise Malformed("no such dtype")
    return getattr(torch, value.name)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise Malformed("no text") from error


def _hexadecimal(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError as error:
        raise Malformed("no hexadecimal number") from error
