"""A value arrives as it left: the same types, the same bits, within the caps; and nonsense is refused as nonsense."""

import collections
import enum
import math
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder import values, wire
from autograder.values import Malformed, Packer, TooLarge, Unpacker

TEXTS = st.text(st.characters(codec=None))  # lone surrogates too
FLOATS = st.floats() | st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
SCALARS = st.none() | st.booleans() | st.integers() | st.integers(-(2**300), 2**300) | FLOATS | TEXTS | st.binary()
# Hashable, and without the numbers that equal another: {True, 1} has one member before it is packed.
KEYS = st.recursive(
    st.none() | st.integers() | TEXTS | st.binary(), lambda inner: st.tuples(inner, inner), max_leaves=4
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(KEYS, inner)
        | st.sets(KEYS)
        | st.frozensets(KEYS, max_size=4)
    ),
    max_leaves=20,
)


def refuse(value):
    raise AssertionError(f"{value!r} became a reference")


def arrived(value, reference=refuse):
    """Send a value through a frame, and return what the other side makes of it."""
    reply = wire.Reply(1, wire.Returned(Packer(reference).pack(value)))
    return Unpacker(lambda ref: ref).unpack(wire.decode_reply(wire.encode(reply)[4:]).answer.value)


def bits(value):
    """Return a value in a form where equal means: the same types, the same bits, the same order."""
    kind = type(value).__name__
    if isinstance(value, float):
        return kind, struct.pack("<d", value)
    if isinstance(value, list | tuple):
        return kind, [bits(item) for item in value]
    if isinstance(value, dict):
        return kind, [(bits(key), bits(item)) for key, item in value.items()]
    if isinstance(value, set | frozenset):
        return kind, sorted(map(repr, map(bits, value)))
    return kind, value


@given(VALUES)
def test_a_value_arrives_as_it_left(value):
    assert bits(arrived(value)) == bits(value)


@pytest.mark.parametrize(
    "value",
    [-(2**63) - 1, -(2**63), 2**63 - 1, 2**63, 10**4000, -0.0, math.inf, -math.inf, 5e-324, True, 1, 1.0, "\ud800", ""],
)
def test_the_numbers_at_the_edges_arrive_as_they_left(value):
    assert bits(arrived(value)) == bits(value)


def test_a_nan_keeps_its_payload():
    (nan,) = struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_DEAD_BEEF))
    assert struct.pack("<d", arrived(nan)) == struct.pack("<d", nan)


def test_an_ordered_dictionary_arrives_as_a_dictionary_in_its_own_order():
    ordered = collections.OrderedDict(a=1, b=2)
    ordered.move_to_end("a")
    assert bits(arrived(ordered)) == bits({"b": 2, "a": 1})


# ------------------------------------------------------------------------------------------------------------ tensors


def same(mine, theirs):
    assert type(mine) is torch.Tensor
    assert (mine.dtype, mine.shape, mine.requires_grad) == (theirs.dtype, theirs.shape, theirs.requires_grad)
    if not theirs.is_meta:
        raw = theirs.detach().resolve_conj().resolve_neg().contiguous().reshape(-1).view(torch.uint8)
        assert torch.equal(mine.detach().reshape(-1).view(torch.uint8), raw)


@pytest.mark.parametrize("name", values.DTYPES)
def test_a_tensor_of_every_dtype_arrives_bit_for_bit(name):
    dtype = getattr(torch, name)
    raw = torch.arange(2 * 3 * dtype.itemsize, dtype=torch.uint8)
    tensor = raw.view(dtype).reshape(2, 3) if name != "bool" else torch.tensor([[True, False, True]])
    same(arrived(tensor), tensor)
    assert arrived(dtype) is dtype


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(3.5),
        torch.empty(0),
        torch.empty(2, 0, 3, dtype=torch.int64),
        torch.arange(6.0).reshape(2, 3).T,
        torch.arange(12.0)[::3],
        torch.arange(3.0).expand(4, 3),
        torch.arange(6.0).view(torch.complex64).conj(),
        torch.tensor([math.nan, math.inf, -0.0]),
        torch.ones(2, requires_grad=True),
        torch.ones(2, requires_grad=True) * 2,
        torch.ones(2, 3, device="meta"),
        torch.empty(2**40, 2**10, dtype=torch.bfloat16, device="meta"),
    ],
    ids=lambda tensor: f"{list(tensor.shape)} {tensor.device} {tensor.is_contiguous()} {tensor.requires_grad}",
)
def test_a_tensor_of_every_layout_arrives(tensor):
    same(arrived(tensor), tensor)
    assert arrived(tensor).device == tensor.device


@given(st.lists(st.integers(0, 3), max_size=5), st.data())
def test_a_tensor_arrives_whatever_its_shape_and_strides(shape, data):
    tensor = torch.arange(math.prod(shape), dtype=torch.int32).reshape(shape)
    tensor = tensor.permute(data.draw(st.permutations(range(len(shape)))))
    same(arrived(tensor), tensor)


@pytest.mark.parametrize("name", values.DTYPES)
def test_a_tensor_that_arrives_is_no_view_of_another(name):
    """Else torch has other words for what is changed in place."""
    for shape in ((3, 4), (1,), (), (0, 2)):
        assert not arrived(torch.ones(shape, dtype=getattr(torch, name)))._is_view()  # noqa: SLF001


def test_a_parameter_arrives_as_the_tensor_that_it_is():
    parameter = torch.nn.Parameter(torch.ones(3))
    same(arrived(parameter), parameter)


def test_a_device_arrives():
    assert arrived(torch.device("cuda:1")) == torch.device("cuda:1")


def test_what_arrives_is_of_its_own_memory():
    wired = Packer(refuse).pack(torch.zeros(2))
    first, second = (Unpacker(refuse).unpack(wired) for _ in range(2))
    first += 1
    assert second.tolist() == [0, 0]


# --------------------------------------------------------------------------------------------------------- references


class Number(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class Name(str):
    __slots__ = ()


class Heap(list):
    __slots__ = ()


class Table(dict):
    __slots__ = ()


class Real(float):
    __slots__ = ()


class Kind(enum.IntEnum):
    ONE = 1


class Custom(torch.Tensor):
    pass


@pytest.mark.parametrize(
    "value",
    [
        *(Number(3), Name("x"), Heap([1]), Table(a=1), Real(1.0), Kind.ONE, collections.Counter("a")),
        *(torch.ones(1).as_subclass(Custom), torch.ones(2, 2).to_sparse(), torch.ones([1] * 65)),
        *(bytearray(b"x"), 1j, range(3), object(), len, torch, int),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_subclass_and_what_is_not_listed_travel_as_references(value):
    seen = []

    def reference(item):
        seen.append(item)
        return values.Ref(7, "its type")

    assert arrived([value], reference) == [values.Ref(7, "its type")]
    assert len(seen) == 1
    assert seen[0] is value


def test_a_reference_inside_a_value_is_found_at_its_place():
    first, second = object(), object()
    handles = {id(first): 1, id(second): 2}
    got = arrived({"a": (first, [second])}, lambda item: values.Ref(handles[id(item)], "object"))
    assert got == {"a": (values.Ref(1, "object"), [values.Ref(2, "object")])}


# --------------------------------------------------------------------------------------------------------------- caps


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def endless():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (nested(values.MAX_DEPTH + 1), "nested deeper than 32 levels"),
        (endless(), "nested deeper than 32 levels"),
        ([None] * values.MAX_ITEMS, "more than 1,000,000 items"),
        (bytes(values.MAX_BYTES + 1), "larger than 32 MB"),
        ([bytes(values.MAX_BYTES // 2)] * 3, "larger than 32 MB"),
        ("a" * (values.MAX_BYTES + 1), "larger than 32 MB"),
        (1 << (8 * values.MAX_BYTES), "larger than 32 MB"),
        (torch.zeros(1).expand(2**40), "larger than 32 MB"),  # never made into real memory
    ],
    ids=["deep", "endless", "items", "bytes", "bytes in all", "text", "integer", "expanded"],
)
def test_what_is_over_a_cap_is_refused_in_a_sentence(value, sentence):
    with pytest.raises(TooLarge, match=f"^{sentence}$"):
        Packer(refuse).pack(value)


def test_what_is_at_a_cap_arrives():
    assert arrived(nested(values.MAX_DEPTH)) == nested(values.MAX_DEPTH)
    assert len(arrived(bytes(values.MAX_BYTES))) == values.MAX_BYTES


# ----------------------------------------------------------------------------------------------------------- nonsense


def tensor(shape, data=b"", *, dtype="float32", device="cpu", requires_grad=False):
    return values.Tensor(dtype, shape, data, device, requires_grad)


def deep(depth, kind=values.List):
    value = 1
    for _ in range(depth):
        value = kind([value])
    return value


NONSENSE = {
    "too few bytes": tensor([2], bytes(4)),
    "too many bytes": tensor([2], bytes(12)),
    "no bytes": tensor([2]),
    "bytes of an empty tensor": tensor([0], bytes(4)),
    "negative": tensor([-1], bytes(4)),
    "two negatives": tensor([-2, -2], bytes(16)),
    "huge": tensor([2**62, 4]),
    "over 64 bits": tensor([2**63]),
    "empty and over 64 bits": tensor([0, 2**64 - 1]),
    "huge meta": tensor([2**62, 4], device="meta"),
    "over 64 bits, meta": tensor([2**64 - 1], device="meta"),
    "a million axes": tensor([2**62] * 1_000_000),
    "no dtype": tensor([1], bytes(4), dtype="Tensor"),
    "no dtype of ours": tensor([1], bytes(1), dtype="quint8"),
    "gradients of integers": tensor([1], bytes(8), dtype="int64", requires_grad=True),
    "dtype that is none": values.DType("nn"),
    "device that is none": values.Device("moon"),
    "text that is none": values.Text(b"\xff"),
    "number that is none": values.BigInt("0xZ"),
    "set of lists": values.Set([values.List([])], False),
    "dictionary of lists": values.Dict([(values.List([]), 1)]),
    "deep lists": deep(values.MAX_DEPTH + 1),
    "deeper than Python's stack": deep(100_000, values.Tuple),
}


@pytest.mark.parametrize("value", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_malformed(value):
    with pytest.raises(Malformed):
        Unpacker(lambda ref: ref).unpack(value)


def test_a_tensor_of_something_else_is_a_fault_of_the_caller():
    with pytest.raises(TypeError, match="a list is no tensor"):
        values.tensor_of([1.0])
