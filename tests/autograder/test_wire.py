"""Whatever comes through the channel is one of our messages or Malformed, and never anything else."""

import contextlib
import io
import struct

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder import values, wire
from autograder.values import Malformed, TooLarge, Unpacker

TENSOR = values.Tensor("float32", [2, 1], bytes(8), "cpu", False)
EVERYTHING = values.List(
    [
        *(None, True, -1, 2**40, 1.5, "ü", values.BigInt("-0x1f"), values.Bytes(b"\0"), values.Text(b"\xed\xa0\x80")),
        *(values.Tuple([1, values.Set([1, "a"], True)]), values.Dict([("k", values.List([]))]), TENSOR),
        *(values.DType("int8"), values.Device("cpu"), values.Ref(3, "Thing", "the class Thing")),
    ]
)
RAISED = wire.Raised("MyError", "ValueError", "no", [wire.Frame("steps/step_01.py", 3, "f")], 4, "torch.nn.LayerNorm")
DESCRIBED = wire.Described(True, False, True, [wire.Field("n", "int", "default", 3), wire.Field("m", "", "ClassVar")])
ANSWERS = [wire.Returned(EVERYTHING, [1, TENSOR]), RAISED, wire.Absent(), wire.Oversized("than 32 MB"), DESCRIBED]
MODULE = wire.Module(["steps.step_01", "solutions.step_01"], "steps/step_01.py", "x = 1\n")
VERBS = [
    wire.Load([MODULE], wire.Ban(["torch.nn.LayerNorm"], ["aten.native_layer_norm"]), 7),
    *(wire.Get(0, "x"), wire.Put(1, "x", EVERYTHING), wire.Call(1, [EVERYTHING], {"eps": 1e-5}, True)),
    *(wire.Gradients(1, [TENSOR], {}, TENSOR), wire.Describe(2), wire.Release()),
]
FRAMES = [wire.encode(wire.Reply(2**61 + 1, answer)) for answer in ANSWERS]


def by_name(answers):
    return [type(answer).__name__ for answer in answers]


@pytest.mark.parametrize("answer", ANSWERS, ids=by_name(ANSWERS))
def test_an_answer_arrives_as_it_left(answer):
    stream = io.BytesIO(wire.encode(wire.Reply(2**61 + 1, answer)))
    assert wire.decode_reply(wire.read_frame(stream)) == wire.Reply(2**61 + 1, answer)
    assert wire.read_frame(stream) is None


@pytest.mark.parametrize("verb", VERBS, ids=by_name(VERBS))
def test_a_verb_arrives_as_it_left(verb):
    assert wire.decode_request(wire.encode(wire.Request(5, verb))[4:]) == wire.Request(5, verb)


def test_frames_follow_one_another():
    stream = io.BytesIO(b"".join(FRAMES))
    assert [wire.decode_reply(wire.read_frame(stream)).answer for _ in ANSWERS] == ANSWERS
    assert wire.read_frame(stream) is None


class Endless(io.RawIOBase):
    """A stream that would give as many zeros as are asked for."""

    asked = 0

    def read(self, size=-1):
        self.asked = max(self.asked, size)
        return bytes(size)


@pytest.mark.parametrize("length", [wire.MAX_FRAME_BYTES + 1, 2**31, 2**32 - 1])
def test_a_length_over_the_cap_is_refused_before_anything_is_read(length):
    stream = Endless()
    header = struct.pack(">I", length)
    stream.read = lambda size, read=stream.read: header if size == 4 else read(size)
    with pytest.raises(Malformed, match=f"a frame of {length:,} bytes"):
        wire.read_frame(stream)
    assert stream.asked == 0


@pytest.mark.parametrize("size", [1, 3, 4, 5, 20, -1])
def test_a_stream_that_ends_inside_a_frame_is_malformed(size):
    with pytest.raises(Malformed, match="the stream ended inside a frame"):
        wire.read_frame(io.BytesIO(FRAMES[0][:size]))


def test_a_message_over_the_cap_is_too_large_to_send():
    half = values.Bytes(bytes(wire.MAX_FRAME_BYTES // 2))
    with pytest.raises(TooLarge, match="larger than 64 MB"):
        wire.encode(wire.Reply(1, wire.Returned(values.List([half, half]))))


# ------------------------------------------------------------------------------------------- what nobody of ours sends


def read(body):
    """Read a body as the judge does, down to the Python values."""
    reply = wire.decode_reply(body)
    if isinstance(reply.answer, wire.Returned):
        for value in (reply.answer.value, *reply.answer.arguments):
            Unpacker(lambda ref: ref).unpack(value)
    return reply


@given(st.binary(max_size=300))
def test_random_bytes_are_malformed_or_a_reply(body):
    with contextlib.suppress(Malformed):
        assert isinstance(read(body), wire.Reply)


@given(st.sampled_from(FRAMES), st.data())
def test_a_mutated_frame_is_malformed_or_a_reply(frame, data):
    body = bytearray(frame[4:])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        piece = data.draw(st.binary(max_size=6))
        body[place : place + data.draw(st.integers(0, 4))] = piece
        if not body:
            break
    with contextlib.suppress(Malformed):
        assert isinstance(read(bytes(body)), wire.Reply)


@given(st.sampled_from(FRAMES), st.integers(0))
def test_a_cut_frame_is_malformed(frame, size):
    body = frame[4:]
    with pytest.raises(Malformed):
        wire.decode_reply(body[: size % len(body)])


LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8) | st.binary()
TAGS = st.sampled_from(["list", "tuple", "set", "dict", "tensor", "dtype", "device", "ref", "big", "bytes", "text"])
NAMES = st.sampled_from(
    ["items", "data", "shape", "dtype", "device", "requires_grad", "frozen_set", "name", "handle", "type_name"]
)


@given(
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.builds(lambda tag, rest: {"type": tag, **rest}, TAGS, st.dictionaries(NAMES, inner))
        ),
        max_leaves=15,
    )
)
@example({"type": "tensor", "dtype": "int8", "shape": [-1], "data": b"", "device": "cpu", "requires_grad": False})
def test_a_message_of_wrong_tags_and_fields_is_malformed_or_a_reply(value):
    body = msgspec.msgpack.encode({"id": 1, "answer": {"type": "returned", "value": value}})
    with contextlib.suppress(Malformed):
        assert isinstance(read(body), wire.Reply)


def reply_of(value):
    return b"\x82\xa2id\x01\xa6answer\x82\xa4type\xa8returned\xa5value" + value


LIST = b"\x82\xa4type\xa4list\xa5items"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        reply_of(LIST + b"\xdd\xff\xff\xff\xff"),
        reply_of(b"\xdf\xff\xff\xff\xff"),
        reply_of(b"\xdb\xff\xff\xff\xff"),
        reply_of((LIST + b"\x91") * 100_000 + b"\x01"),
        reply_of(b"\x91" * 100_000),
        reply_of(b"\xa1\xff"),
        reply_of(b"\x82\xa4type\xa4evil\xa5items\x90"),
        reply_of(b"\xc7\x00\x01"),
        reply_of(b"\x01") + b"\x01",
        msgspec.msgpack.encode({"id": "1", "answer": {"type": "absent"}}),
        msgspec.msgpack.encode({"id": 1, "answer": {"type": "load"}}),
        msgspec.msgpack.encode({"id": 1, "verb": {"type": "release"}}),
    ],
    ids=[
        *("empty", "a list of 4 billion", "a map of 4 billion", "a text of 4 GB", "nested lists", "nested arrays"),
        *("no UTF-8", "an unknown tag", "an extension", "more than one", "an id that is a text", "a verb", "a request"),
    ],
)
def test_a_body_that_is_no_reply_is_malformed(body):
    with pytest.raises(Malformed, match="bytes that are no reply"):
        wire.decode_reply(body)


def test_a_valid_frame_that_nests_too_deep_is_malformed_when_it_is_opened():
    value = 1
    for _ in range(200):
        value = values.List([value])
    reply = wire.decode_reply(wire.encode(wire.Reply(1, wire.Returned(value)))[4:])
    with pytest.raises(Malformed, match="nested deeper than 32 levels"):
        Unpacker(lambda ref: ref).unpack(reply.answer.value)
