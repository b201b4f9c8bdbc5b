"""What judge and worker may say to each other: a closed set of verbs and of answers, in frames of capped length.

Nothing here executes what it reads: a frame is MessagePack, decoded into the types below and no others.
"""

from __future__ import annotations

import struct
from typing import Annotated, BinaryIO, Literal

import msgspec

from autograder.values import MAX_ITEMS, Dict, List, Malformed, Tensor, TooLarge, Tuple, Value

MAX_FRAME_BYTES = 64 * 2**20
MAX_NAME = 200
MAX_TEXT = 2_000
MAX_STACK = 12  # frames of an exception
_MAX_PATH = 8_192
_MAX_FRAME_ITEMS = 4 * MAX_ITEMS  # a value's tag and its field names are items of a frame, too
_HEADER = struct.Struct(">I")

Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


class Module(msgspec.Struct, frozen=True):
    """A file of the run: the names it can be imported by, the name it bears in a traceback, its text."""

    names: list[str]
    filename: str
    text: str


class Ban(msgspec.Struct, frozen=True):
    """What raises while the learner's code runs: dotted names of Python, and torch operators."""

    names: list[str] = []
    operators: list[str] = []
    within: list[str] = []  # the learner's names whose calls raise; every call does where there is none


class Load(msgspec.Struct, tag="load", frozen=True):
    """Run the last of `modules`, which may import the ones before it."""

    modules: list[Module]
    ban: Ban
    seed: int


class Earlier(msgspec.Struct, tag="earlier", frozen=True):
    """Ask for the module of an earlier step, by its name in the run."""

    module: str


class Keep(msgspec.Struct, tag="keep", frozen=True):
    """Make a value in the worker and hand out its handle, so that one object can be given to several calls."""

    value: Value


class Item(msgspec.Struct, tag="item", frozen=True):
    """Ask for `target[key]`."""

    target: int
    key: Value


class Items(msgspec.Struct, tag="items", frozen=True):
    """Ask for all that an iterable gives, as a list."""

    target: int


class Copied(msgspec.Struct, tag="copied", frozen=True):
    """Ask for a deep copy."""

    target: int


class RandomState(msgspec.Struct, tag="random", frozen=True):
    """Ask for the state of torch's random numbers."""


class Get(msgspec.Struct, tag="get", frozen=True):
    target: int
    name: str


class GetEach(msgspec.Struct, tag="get each", frozen=True):
    """Ask for an attribute of several objects, as a list."""

    targets: list[int]
    name: str


class Put(msgspec.Struct, tag="put", frozen=True):
    """Set an attribute; a parameter keeps its identity and takes the values."""

    target: int
    name: str
    value: Value


class Call(msgspec.Struct, tag="call", frozen=True):
    """Call `target`; with `keep`, the reply also holds the positional arguments as they are afterwards."""

    target: int
    args: list[Value]
    kwargs: dict[str, Value]
    keep: bool = False


class Gradients(msgspec.Struct, tag="gradients", frozen=True):
    """Call `target`, then send `output_gradient` backwards."""

    target: int
    args: list[Value]
    kwargs: dict[str, Value]
    output_gradient: Tensor


class Describe(msgspec.Struct, tag="describe", frozen=True):
    """Ask for a class's fields."""

    target: int


class Release(msgspec.Struct, tag="release", frozen=True):
    """Forget every handle but the module's."""


Verb = (
    Load
    | Earlier
    | Keep
    | Item
    | Items
    | Copied
    | RandomState
    | Get
    | GetEach
    | Put
    | Call
    | Gradients
    | Describe
    | Release
)


class Request(msgspec.Struct, frozen=True):
    id: int
    verb: Verb


# --------------------------------------------------------------------------------------------------------- replies


class Returned(msgspec.Struct, tag="returned", frozen=True):
    value: Value
    arguments: list[Value] = []


class Frame(msgspec.Struct, frozen=True):
    filename: Annotated[str, msgspec.Meta(max_length=_MAX_PATH)]
    line: int
    function: Name


class Raised(msgspec.Struct, tag="raised", frozen=True):
    """An exception: its type, the nearest type of Python's own, its text, the learner's frames, outermost first."""

    type_name: Name
    builtin: Name
    message: Text
    frames: Annotated[list[Frame], msgspec.Meta(max_length=MAX_STACK)]
    omitted: int = 0
    forbidden: Name = ""
    own: bool = True  # raised by the learner's own code, not by a library that it called


class Absent(msgspec.Struct, tag="absent", frozen=True):
    """There is no attribute of that name."""


class Oversized(msgspec.Struct, tag="oversized", frozen=True):
    """The value is over a cap."""

    what: Name


State = Literal["default", "no default", "no type hint", "ClassVar", "InitVar"]


class Field(msgspec.Struct, frozen=True):
    """A field of a class: `state` says whether it has a default, none, or why it is no field."""

    name: Name
    annotation: Name
    state: State
    value: Value = None


class Described(msgspec.Struct, tag="described", frozen=True):
    is_class: bool
    is_dataclass: bool
    decorated_itself: bool
    fields: list[Field]


Answer = Returned | Raised | Absent | Oversized | Described


class Reply(msgspec.Struct, frozen=True):
    id: int
    answer: Answer


# ---------------------------------------------------------------------------------------------------------- frames

_encoder = msgspec.msgpack.Encoder()
_requests = msgspec.msgpack.Decoder(Request)
_replies = msgspec.msgpack.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    """Return the frame of a message: four bytes of length, then MessagePack.

    Errors: TooLarge, when it is longer than the cap.
    """
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME_BYTES:
        raise TooLarge(f"larger than {MAX_FRAME_BYTES // 2**20} MB")
    return _HEADER.pack(len(body)) + body


def take_frame(buffer: bytearray) -> bytes | None:
    """Take the first frame out of what has arrived, and return its body; None while it is not whole.

    Errors: Malformed, when the length is over the cap.
    """
    if len(buffer) < _HEADER.size:
        return None
    (length,) = _HEADER.unpack_from(buffer)
    if length > MAX_FRAME_BYTES:
        raise Malformed(f"a frame of {length:,} bytes")
    end = _HEADER.size + length
    if len(buffer) < end:
        return None
    body = bytes(memoryview(buffer)[_HEADER.size : end])
    del buffer[:end]
    return body


def read_frame(stream: BinaryIO) -> bytes | None:
    """Return the next frame's body, None at the end.

    Errors: Malformed, when the length is over the cap or the stream ends inside a frame.
    """
    header = stream.read(_HEADER.size)
    if not header:
        return None
    if len(header) < _HEADER.size:
        raise Malformed("the stream ended inside a frame")
    (length,) = _HEADER.unpack(header)
    if length > MAX_FRAME_BYTES:
        raise Malformed(f"a frame of {length:,} bytes")
    body = stream.read(length)
    if len(body) < length:
        raise Malformed("the stream ended inside a frame")
    return body


def decode_request(body: bytes) -> Request:
    """Return the request of a frame's body."""
    return _requests.decode(body)


def decode_reply(body: bytes) -> Reply:
    """Return the reply of a frame's body.

    Errors: Malformed, whatever is wrong with it.
    """
    if len(body) > _MAX_FRAME_ITEMS:  # an item takes a byte at least
        _require_few_items(body)
    try:
        return _replies.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed("bytes that are no reply") from error


def is_answer(verb: Verb, answer: Answer) -> bool:
    """Return whether an answer is of a kind, and of a form, that its verb can have."""
    if isinstance(answer, Raised | Oversized):
        return True
    if isinstance(verb, Describe):
        return isinstance(answer, Described)
    if isinstance(answer, Absent):
        return isinstance(verb, Get)
    if not isinstance(answer, Returned):
        return False
    if isinstance(verb, Gradients) and not _is_gradients(answer.value, verb):
        return False
    kept = len(verb.args) if isinstance(verb, Call) and verb.keep else 0
    return len(answer.arguments) == kept


def _is_gradients(value: Value, verb: Gradients) -> bool:
    """Return whether it is an output, a list of the float inputs' gradients, and a dictionary of the parameters'."""
    if not isinstance(value, Tuple) or len(value.items) != 3:
        return False
    _, inputs, parameters = value.items
    floats = [arg for arg in verb.args if isinstance(arg, Tensor) and "float" in arg.dtype]
    return isinstance(inputs, List) and len(inputs.items) == len(floats) and isinstance(parameters, Dict)


# MessagePack: how many bytes of length follow the first byte, and how many bytes of a number.
_LENGTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
_SIZES = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}


def _require_few_items(body: bytes) -> None:
    """Walk over a message without making anything of it: a few bytes can stand for very many objects.

    Errors: Malformed, when there are more items than any honest reply has, or fewer than are announced.
    """
    place, seen, owed = 0, 0, 1
    while owed:
        if place >= len(body):
            raise Malformed("bytes that are no reply: they end too early")
        first = body[place]
        width = _LENGTHS.get(first, 0)
        if width:
            length = int.from_bytes(body[place + 1 : place + 1 + width], "big")
        else:
            length = first & (0x1F if first >= 0xA0 else 0x0F)
        seen, owed, place = seen + 1, owed - 1, place + 1 + width
        if first & 0xF0 == 0x80 or first in (0xDE, 0xDF):
            owed += 2 * length
        elif first & 0xF0 == 0x90 or first in (0xDC, 0xDD):
            owed += length
        elif first & 0xE0 == 0xA0 or width:
            place += length
        else:
            place += _SIZES.get(first, 0)
        if seen + owed > _MAX_FRAME_ITEMS:
            raise Malformed("bytes that are no reply: too many items")
