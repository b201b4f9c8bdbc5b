"""What judge and worker may say to each other: a closed set of verbs and of answers, in frames of capped length.

Nothing here executes what it reads: a frame is MessagePack, decoded into the types below and no others.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import msgspec

from autograder.values import Malformed, Tensor, TooLarge, Value

MAX_FRAME_BYTES = 64 * 2**20
MAX_TEXT = 2_000
_HEADER = struct.Struct(">I")


class Module(msgspec.Struct, frozen=True):
    """A file of the run: the names it can be imported by, the name it bears in a traceback, its text."""

    names: list[str]
    filename: str
    text: str


class Ban(msgspec.Struct, frozen=True):
    """What raises while the learner's code runs: dotted names of Python, and torch operators."""

    names: list[str] = []
    operators: list[str] = []


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


Verb = Load | Earlier | Keep | Item | Items | Copied | RandomState | Get | Put | Call | Gradients | Describe | Release


class Request(msgspec.Struct, frozen=True):
    id: int
    verb: Verb


# --------------------------------------------------------------------------------------------------------- replies


class Returned(msgspec.Struct, tag="returned", frozen=True):
    value: Value
    arguments: list[Value] = []


class Frame(msgspec.Struct, frozen=True):
    filename: str
    line: int
    function: str


class Raised(msgspec.Struct, tag="raised", frozen=True):
    """An exception: its type, the nearest type of Python's own, its text, the learner's frames, outermost first."""

    type_name: str
    builtin: str
    message: str
    frames: list[Frame]
    omitted: int = 0
    forbidden: str = ""


class Absent(msgspec.Struct, tag="absent", frozen=True):
    """There is no attribute of that name."""


class Oversized(msgspec.Struct, tag="oversized", frozen=True):
    """The value is over a cap."""

    what: str


class Field(msgspec.Struct, frozen=True):
    """A field of a class: `state` says whether it has a default, none, or why it is no field."""

    name: str
    annotation: str
    state: str  # default | no default | no type hint | ClassVar | InitVar
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
    try:
        return _replies.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed("bytes that are no reply") from error
